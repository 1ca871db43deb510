"""What people ask for by annotations: once, and answered in the status."""

import pytest

from regisseur_contract.rehearsal import Word
from regisseur_operator.resources import POD
from support.fake_kubelet import OVERWRITTEN
from support.worlds import KEY, World, start


def uids(world: World) -> set[str]:
    return {pod["metadata"]["uid"] for pod in world.workloads.pods(KEY)}


async def test_a_retry_tries_what_was_rejected_once_more() -> None:
    world = await start()
    world.kubelet.behave(2, word=Word.LOAD_FAILED)
    world.registry.promote(2)
    await world.settle()
    world.kubelet.heal()
    world.retry("1")

    await world.settle()

    assert world.served_versions == ["2", "2"]
    assert world.status.rejected == []
    assert world.status.handled is not None
    assert world.status.handled.retry == "1"
    assert "RetryRequested" in world.events.reasons


async def test_a_token_counts_once() -> None:
    world = await start()
    world.kubelet.behave(2, word=Word.LOAD_FAILED)
    world.registry.promote(2)
    world.retry("1")
    await world.settle()
    world.retry("2")
    await world.settle()
    assert world.cluster.writes.count("create Pod wine-rehearsal") == 2

    world.start_operator()
    await world.settle()

    assert world.cluster.writes.count("create Pod wine-rehearsal") == 2
    assert [entry.version for entry in world.status.rejected] == [2]


async def test_a_retry_of_a_roll_that_failed() -> None:
    world = await start()
    world.kubelet.behave(2, crash="ValueError: wrong shape")
    world.registry.promote(2)
    await world.settle()
    assert [entry.version for entry in world.status.rejected] == [2]
    world.kubelet.heal()
    world.retry("1")

    await world.settle()

    assert world.served_versions == ["2", "2"]


async def test_a_retry_is_not_spent_on_a_rehearsal_that_began_before_it() -> None:
    world = await start()
    world.kubelet.behave(2, word=Word.LOAD_FAILED)
    world.registry.promote(2)
    await world.until(lambda: bool(world.rehearsal_pods))
    world.tick()
    world.tick()
    world.kubelet.heal()
    world.retry("1")

    await world.settle()

    assert world.served_versions == ["2", "2"]


@pytest.mark.parametrize("is_wiped", [False, True], ids=["known", "with a lost status"])
async def test_a_retry_is_not_spent_on_a_rollout_that_has_just_failed(is_wiped: bool) -> None:
    world = await start()
    world.kubelet.behave(2, crash="ValueError: wrong shape")
    world.registry.promote(2)
    await world.until(lambda: bool(world.status.rejected))
    world.kubelet.heal()
    world.retry("1")
    if is_wiped:
        world.wipe_status()

    await world.settle()

    assert world.served_versions == ["2", "2"]
    assert world.status.handled is not None
    assert world.status.handled.retry == "1"


async def test_pods_that_a_failed_rollout_left_do_not_fail_the_next_one() -> None:
    """The Deployment takes a pod of the same template over, in its back-off and all."""
    world = await start()
    world.kubelet.behave(2, dies_after=20.0)
    world.registry.promote(2)
    await world.settle(patience=60)
    world.wipe_status()
    world.kubelet.heal()
    world.retry("1")

    await world.settle()

    assert world.served_versions == ["2", "2"]
    assert world.status.rejected == []


async def test_a_retry_with_nothing_rejected_changes_nothing() -> None:
    world = await start()
    world.retry("1")

    await world.settle()

    assert set(world.cluster.writes) == {"status"}
    assert world.status.handled is not None
    assert world.status.handled.retry == "1"


async def test_a_restart_replaces_all_pods_and_keeps_the_capacity() -> None:
    world = await start()
    before = uids(world)
    world.ready_log.clear()
    world.restart("now")

    await world.settle()

    assert not before & uids(world)
    assert all(sum(ready.values()) >= 2 for _, ready in world.ready_log)
    assert world.status.handled is not None
    assert world.status.handled.restart == "now"
    assert world.status.phase == "Healthy"
    assert "RestartRequested" in world.events.reasons

    after = uids(world)
    world.start_operator()
    world.wipe_status()
    await world.settle()
    assert uids(world) == after, "a lost status is no new wish"


async def test_a_lost_status_makes_no_new_wish_of_an_old_one() -> None:
    world = await start()
    world.restart("now")
    await world.settle()
    world.registry.promote(2)
    await world.settle()
    after = uids(world)
    world.wipe_status()
    world.start_operator()

    await world.settle()

    assert uids(world) == after
    assert world.status.handled is not None
    assert world.status.handled.restart == "now"


async def test_a_restart_needs_no_rehearsal() -> None:
    world = await start()
    world.restart("now")

    await world.settle()

    assert "create Pod wine-rehearsal" not in world.cluster.writes


async def test_a_restart_that_fails_is_told_and_can_be_retried() -> None:
    world = await start()
    before = uids(world)
    world.kubelet.behave(1, crash="license expired")
    world.restart("now")

    await world.settle()

    assert uids(world) == before
    assert [entry.version for entry in world.status.rejected] == [1]
    assert world.condition("Ready")[:2] == ("False", "VersionRejected")
    assert "license expired" in world.condition("Ready")[2]
    assert world.condition("Available")[0] == "True"

    world.kubelet.heal()
    world.retry("1")
    await world.settle()

    assert not before & uids(world)
    assert world.status.phase == "Healthy"
    assert world.status.rejected == []


async def test_a_restart_that_failed_does_not_stand_in_the_way_of_another() -> None:
    world = await start()
    before = uids(world)
    world.kubelet.behave(1, crash="license expired")
    world.restart("now")
    await world.settle()
    world.kubelet.heal()
    world.restart("again")

    await world.settle()

    assert not before & uids(world)
    assert world.status.phase == "Healthy"


async def test_changed_files_that_fail_a_retry_stay_rejected() -> None:
    world = await start()
    world.replace_files(1, OVERWRITTEN)
    world.kubelet.behave(1, word=Word.LOAD_FAILED)
    name = world.workloads.pods(KEY)[0]["metadata"]["name"]
    world.cluster.terminate(POD, KEY.namespace, name)
    await world.settle(patience=60)
    world.retry("1")

    await world.settle(patience=300)

    assert [entry.version for entry in world.status.rejected] == [1]
    assert world.condition("Ready")[1] == "VersionRejected"


@pytest.mark.parametrize("number", range(6))
async def test_a_restart_survives_a_crash_at_any_write(number: int) -> None:
    world = await start()
    before = uids(world)
    world.restart("now")
    world.cluster.faults[:] = [*[None] * number, "crash after"]

    await world.settle()

    assert not before & uids(world)
    assert world.status.stable is not None
    assert world.status.stable.revision == 2, "a crash takes no number"


async def test_the_operator_writes_nothing_on_the_object_but_its_status() -> None:
    world = await start()
    world.retry("1")
    world.restart("1")

    await world.settle()

    assert not any("ModelDeployment" in title for title in world.cluster.writes)
