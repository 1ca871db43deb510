"""What the status keeps of rollouts is what happened, also while nobody looked."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from regisseur_contract.tags import TAG_DATA_VERSION, TAG_GIT_SHA
from regisseur_operator.api.status import HistoryEntry, Lineage, Origin
from regisseur_operator.resources import CONTROLLER_REVISION
from support.fake_cluster import Fault
from support.worlds import KEY, World, start

UNSEEN_SECONDS = 3600


async def complete_unseen(world: World, version: int) -> None:
    """Begin the rollout of a version; it is complete and serves while the operator is away."""
    world.registry.promote(version)
    await world.until(lambda: world.runs(version))
    pass_unseen(world)
    assert world.served_versions == [str(version)] * 2


def pass_unseen(world: World) -> None:
    for _ in range(60):
        world.tick()
    world.tick(UNSEEN_SECONDS)


def told(world: World) -> list[tuple[int, int | None, str]]:
    return [(e.version, e.from_version, e.reason) for e in world.status.history]


def find(world: World, revision: int) -> HistoryEntry:
    return next(entry for entry in world.status.history if entry.revision == revision)


# ---- the operator is away while a rollout is completed -------------------------------------------

MINDS = [
    pytest.param(lambda world: world.registry.promote(1), id="the reference is back on 1"),
    pytest.param(lambda world: world.rollback_to(1), id="rollbackTo"),
    pytest.param(
        lambda world: (world.change("rehearsal off"), world.registry.promote(3)),
        id="a third version without rehearsal",
    ),
    pytest.param(lambda world: world.restart("t1"), id="a restart"),
]
"""What may have been changed meanwhile, so that something else begins as soon as it is back."""


@pytest.mark.parametrize("change_mind", MINDS)
async def test_what_was_completed_unseen_was_served(change_mind: Callable[[World], object]) -> None:
    world = await start()
    await complete_unseen(world, 2)
    change_mind(world)
    came_back = world.clock.now()
    world.start_operator()

    await world.settle()

    second, third = find(world, 2), find(world, 3)
    assert (second.outcome, second.reason) == ("Succeeded", "RolloutComplete")
    assert second.finished_at is not None
    assert second.finished_at < came_back - timedelta(seconds=UNSEEN_SECONDS - 1)
    assert third.from_version == 2
    assert third.outcome == "Succeeded"
    assert [entry.revision for entry in world.status.history] == [3, 2, 1]
    assert world.events.reasons.count("RolloutComplete") == 2
    assert "RolloutSuperseded" not in world.events.reasons


async def test_what_was_completed_unseen_is_gone_back_to_at_once() -> None:
    world = await start()
    await complete_unseen(world, 2)
    world.registry.promote(1)
    await world.settle()
    world.cluster.writes.clear()
    world.registry.promote(2)

    await world.settle()

    assert world.served_versions == ["2", "2"]
    assert "create Pod wine-rehearsal" not in world.cluster.writes


@pytest.mark.parametrize("fault", ["lost", "crash before", "crash after"])
@pytest.mark.parametrize("at", range(4))
async def test_no_crash_forgets_what_was_completed_unseen(fault: Fault, at: int) -> None:
    world = await start()
    await complete_unseen(world, 2)
    world.registry.promote(1)
    world.start_operator()
    world.cluster.faults[:] = [*[None] * at, fault]

    await world.settle()

    assert told(world)[:2] == [(1, 2, "RolloutComplete"), (2, 1, "RolloutComplete")]


async def test_it_is_told_before_the_deployment_is_touched() -> None:
    world = await start()
    await complete_unseen(world, 2)
    world.registry.promote(1)
    world.start_operator()
    world.cluster.writes.clear()

    await world.reconcile()

    assert world.cluster.writes[-1] == "status"
    assert "apply Deployment wine" not in world.cluster.writes
    assert world.status.stable is not None
    assert world.status.stable.version == 2
    message = "Rollout 3 brings version 1; version 2 serves until it is complete"
    assert world.condition("Ready") == ("False", "RolloutProgressing", message)

    await world.reconcile()

    assert "apply Deployment wine" in world.cluster.writes
    assert world.condition("Ready") == ("False", "RolloutProgressing", message)


async def test_what_failed_first_and_came_up_unseen_is_kept() -> None:
    """It has served since, and what serves is never undone."""
    world = await start(progressDeadlineSeconds=60)
    world.kubelet.behave(2, never_ready=True)
    world.registry.promote(2)
    await world.until(lambda: [entry.version for entry in world.status.rejected] == [2])
    world.kubelet.heal()
    pass_unseen(world)
    world.start_operator()

    await world.settle()

    assert told(world)[0] == (2, 1, "RolloutComplete")
    assert world.status.rejected == []
    assert world.condition("Ready")[0] == "True"


async def test_nothing_is_written_for_it_at_rest() -> None:
    world = await start()
    await complete_unseen(world, 2)
    world.start_operator()
    await world.settle()
    world.cluster.writes.clear()

    outcome = await world.reconcile()

    assert outcome.writes == ()


# ---- where versions come from --------------------------------------------------------------------


def register_traced(world: World, version: int) -> None:
    """Register a version with all that training notes."""
    world.registry.register(
        version,
        tags={TAG_GIT_SHA: f"git-{version}", TAG_DATA_VERSION: f"data-{version}"},
        metrics={"accuracy": version / 10},
    )


async def start_traced() -> World:
    """Return a world that serves version 2 after 1, both with a lineage."""
    world = World()
    register_traced(world, 1)
    register_traced(world, 2)
    world.registry.promote(1)
    await world.settle()
    world.registry.promote(2)
    await world.settle()
    return world


def hear_success(world: World) -> str:
    return [text for _, reason, text in world.events.published if reason == "RolloutComplete"][-1]


async def test_stable_and_history_tell_where_a_version_comes_from() -> None:
    world = await start_traced()

    stable, entry = world.status.stable, find(world, 1)

    assert stable is not None
    assert (stable.model, stable.run_id) == ("wine", "run-2")
    assert stable.lineage == Lineage(
        git_sha="git-2", data_version="data-2", metrics={"accuracy": 0.2}
    )
    assert (entry.model, entry.image, entry.run_id) == ("wine", "serving:v1", "run-1")
    assert entry.lineage == Origin(git_sha="git-1", data_version="data-1")


async def test_a_rollback_is_told_with_the_lineage_of_what_it_brought() -> None:
    world = await start_traced()
    world.rollback_to(1)

    await world.settle()

    assert hear_success(world).endswith("(run run-1, git git-1, data data-1, accuracy 0.1)")
    assert find(world, 3).lineage == Origin(git_sha="git-1", data_version="data-1")


async def test_a_rollout_is_told_with_its_own_lineage_while_a_newer_version_is_resolved() -> None:
    world = await start_traced()
    register_traced(world, 3)
    register_traced(world, 4)
    world.registry.promote(3)
    await world.until(lambda: world.runs(3))
    world.kubelet.behave(4, rehearsal="hangs")
    world.registry.promote(4)

    await world.settle(patience=100)

    assert world.status.resolved is not None
    assert world.status.resolved.version == 4
    assert world.status.phase == "Rehearsing"
    assert hear_success(world).endswith("(run run-3, git git-3, data data-3, accuracy 0.3)")


async def test_a_rollout_that_failed_tells_where_it_came_from() -> None:
    world = await start_traced()
    register_traced(world, 3)
    world.kubelet.behave(3, crash="ValueError: wrong shape")
    world.registry.promote(3)
    await world.until(lambda: world.status.candidate is not None)
    assert world.status.candidate is not None
    assert world.status.candidate.run_id == "run-3"

    await world.settle()

    entry = find(world, 3)
    assert (entry.outcome, entry.model, entry.image) == ("Failed", "wine", "serving:v1")
    assert entry.lineage == Origin(git_sha="git-3", data_version="data-3")


async def test_a_rollout_whose_revision_is_lost_is_entered_all_the_same() -> None:
    world = await start_traced()
    world.registry.promote(3)
    await world.until(lambda: world.runs(3))
    world.tick()
    world.cluster.remove(CONTROLLER_REVISION, KEY.namespace, "wine-3")
    world.registry.promote(2)
    world.start_operator()

    await world.settle()

    entry = find(world, 3)
    assert (entry.version, entry.run_id, entry.outcome) == (3, "run-3", "Superseded")


# ---- what is called a rollback -------------------------------------------------------------------


@pytest.mark.parametrize(
    "named", [pytest.param(99, id="unknown"), pytest.param(2, id="itself"), pytest.param(1, id="1")]
)
async def test_a_rollout_that_was_under_way_is_no_rollback(named: int) -> None:
    world = await start()
    world.registry.promote(2)
    await world.until(lambda: world.runs(2))
    world.rollback_to(named)
    pass_unseen(world)

    await world.settle()

    assert find(world, 2).reason == "RolloutComplete"


async def test_a_rollback_and_its_restart_are_called_so() -> None:
    world = await start()
    world.registry.promote(2)
    await world.settle()
    world.rollback_to(1)
    await world.settle()
    world.restart("t1")

    await world.settle()

    assert told(world)[:2] == [(1, 1, "RolledBack"), (1, 2, "RolledBack")]


async def test_what_follows_the_reference_again_is_no_rollback() -> None:
    world = await start()
    world.registry.promote(2)
    await world.settle()
    world.rollback_to(1)
    await world.settle()
    world.rollback_to(None)

    await world.settle()

    assert told(world)[0] == (2, 1, "RolloutComplete")


# ---- a status that is lost -----------------------------------------------------------------------


async def serve_three() -> World:
    """Return a world that served 1 and 2, tried 3 in vain, and serves 4: revisions 1 to 4."""
    world = await start_traced()
    world.kubelet.behave(3, crash="ValueError: wrong shape")
    world.registry.promote(3)
    await world.settle()
    world.registry.promote(4)
    await world.settle()
    assert [entry.revision for entry in world.status.history] == [4, 3, 2, 1]
    return world


async def test_a_lost_history_comes_back_as_far_as_it_is_known() -> None:
    world = await serve_three()
    before = world.status
    world.wipe_status()
    world.events.published.clear()

    await world.settle()

    assert world.status.stable == before.stable
    assert [entry.revision for entry in world.status.history] == [4, 2, 1]
    assert find(world, 4) == before.history[0]
    for entry in world.status.history[1:]:
        known = next(old for old in before.history if old.revision == entry.revision)
        assert entry == known.model_copy(update={"finished_at": None})
    assert "RolloutComplete" not in world.events.reasons
    outcome = await world.reconcile()
    assert outcome.writes == ()


async def test_a_history_that_is_lost_in_a_rollout_comes_back_in_silence() -> None:
    world = await serve_three()
    stable = world.status.stable
    world.registry.promote(5)
    await world.until(lambda: world.runs(5))
    world.wipe_status()
    world.events.published.clear()

    await world.reconcile()

    assert [entry.revision for entry in world.status.history] == [4, 2, 1]
    assert "RolloutComplete" not in world.events.reasons
    assert stable is not None
    assert world.status.stable == stable.model_copy(update={"since": None})
    await world.settle()
    assert [entry.revision for entry in world.status.history] == [5, 4, 2, 1]
    assert world.events.reasons.count("RolloutComplete") == 1


async def test_what_was_put_back_is_entered_once_after_a_loss() -> None:
    world = await start()
    world.kubelet.behave(2, crash="ValueError: wrong shape")
    world.registry.promote(2)
    await world.settle()
    world.registry.promote(1)
    world.wipe_status()

    await world.settle()

    assert told(world) == [(1, None, "RolloutComplete")]
    assert world.status.history[0].finished_at is not None


async def test_a_lost_status_still_knows_what_has_proven_itself() -> None:
    world = await serve_three()
    world.wipe_status()
    await world.settle()
    world.cluster.writes.clear()
    world.registry.promote(2)

    await world.settle()

    assert world.served_versions == ["2", "2"]
    assert "create Pod wine-rehearsal" not in world.cluster.writes


async def test_the_first_rollout_of_all_leaves_no_history_before_it() -> None:
    world = World()
    world.registry.promote(1)
    await world.until(lambda: world.runs(1))
    world.wipe_status()

    await world.settle()

    assert told(world) == [(1, None, "RolloutComplete")]
