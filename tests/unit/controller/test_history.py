"""What the status keeps of rollouts is what happened, also while nobody looked."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from regisseur_operator.api.status import HistoryEntry
from support.fake_cluster import Fault
from support.worlds import World, start

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
