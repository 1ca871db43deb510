"""What goes wrong with a rollout: whose fault it is, what is put back, what is waited out."""

from typing import Any

import pytest

from regisseur_contract.exits import STORE_DENIED, STORE_UNAVAILABLE
from regisseur_operator.core.roll import parse_roll
from regisseur_operator.resources import POD
from support.fake_cluster import CrashError, Fault
from support.fake_kubelet import OVERWRITTEN
from support.witness import Witness
from support.worlds import KEY, World, start

MEMORY = {"resources": {"limits": {"memory": "1Gi"}}}


async def promote(world: World, version: int = 2) -> None:
    """Promote a version and wait until the first of its pods is made."""
    world.registry.promote(version)
    await world.until(lambda: world.runs(version))


async def reconcile_for_ever(world: World) -> None:
    while True:
        await world.reconcile()
        world.tick()


def assert_full_capacity(world: World, floor: int = 2) -> None:
    assert all(sum(ready.values()) >= floor for _, ready in world.ready_log)


# ---- the version's own faults --------------------------------------------------------------------

OWN_FAULTS: list[Any] = [
    pytest.param({"crash": "ValueError: shapes"}, "ServerCrashed", id="a crash loop"),
    pytest.param({"serving_memory": 1500}, "OutOfMemory", id="out of memory"),
    pytest.param({"never_ready": True}, "NeverReady", id="never ready"),
    pytest.param({"dies_after": 4.0}, "ServerCrashed", id="it dies when it is ready"),
]


@pytest.mark.parametrize(("behaviour", "reason"), OWN_FAULTS)
async def test_a_version_that_fails_is_taken_back_and_rejected(
    behaviour: dict[str, Any], reason: str
) -> None:
    world = await start(serving=MEMORY)
    witness = Witness(world)
    world.kubelet.behave(2, **behaviour)
    world.ready_log.clear()
    before = world.deployment["spec"]["template"]
    world.registry.promote(2)

    await world.settle()

    status = world.status
    assert world.served_versions == ["1", "1"]
    assert world.deployment["spec"]["template"] == before
    assert [(entry.version, entry.reason) for entry in status.rejected] == [(2, reason)]
    assert status.stable is not None
    assert (status.stable.version, status.stable.revision) == (1, 1)
    assert status.candidate is None
    assert status.phase == "Degraded"
    entry = status.history[0]
    assert (entry.version, entry.outcome, entry.reason) == (2, "Failed", reason)
    assert world.condition("Ready")[:2] == ("False", "VersionRejected")
    assert world.condition("Stalled")[:2] == ("True", "VersionRejected")
    assert world.condition("Available")[0] == "True"
    assert "RolloutFailed" in world.events.reasons
    assert_full_capacity(world)

    world.kubelet.heal()
    world.start_operator()
    world.clock.advance(100_000)
    await world.settle()

    assert len(witness.rehearsed) == 1
    assert world.served_versions == ["1", "1"]


async def test_a_version_that_is_ready_for_moments_only_is_rejected() -> None:
    world = await start(progressDeadlineSeconds=60)
    world.kubelet.behave(2, flaps=6.0)
    world.registry.promote(2)

    await world.settle()

    assert world.served_versions == ["1", "1"]
    assert [(entry.version, entry.reason) for entry in world.status.rejected] == [(2, "NeverReady")]


async def test_a_moment_of_not_being_ready_fails_no_rollout() -> None:
    """Not even late in a long one: another pod's download is no fault of this one."""
    world = await start(progressDeadlineSeconds=60)
    world.registry.promote(2)
    await world.until(lambda: "2" in world.served_versions)
    world.kubelet.store = (STORE_UNAVAILABLE, "down")
    await world.settle(patience=400)
    world.kubelet.behave(2, flaps=0.0)
    world.tick()
    await world.reconcile()
    world.kubelet.heal()

    await world.settle()

    assert world.served_versions == ["2", "2"]
    assert world.status.rejected == []


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        pytest.param(OVERWRITTEN, "ArtifactChanged", id="overwritten"),
        pytest.param("missing", "ArtifactMissing", id="deleted"),
        pytest.param("invalid", "ArtifactInvalid", id="broken"),
    ],
)
async def test_files_that_change_after_the_rehearsal_are_refused(found: str, reason: str) -> None:
    world = await start()
    world.registry.promote(2)
    await world.until(lambda: "apply Deployment wine" in world.cluster.writes)
    world.replace_files(2, found)

    await world.settle()

    assert world.served_versions == ["1", "1"]
    assert [entry.reason for entry in world.status.rejected] == [reason]


async def test_a_crash_that_happens_once_is_forgiven() -> None:
    world = await start()
    world.kubelet.behave(2, crash="a neighbour took all the memory")
    await promote(world)
    world.tick()
    world.kubelet.heal()

    await world.settle()

    assert world.served_versions == ["2", "2"]
    assert world.status.rejected == []


async def test_a_first_version_that_fails_has_nothing_to_go_back_to() -> None:
    world = World()
    world.kubelet.behave(1, crash="ValueError: shapes")
    world.registry.promote(1)
    await world.settle()
    assert world.status.stable is None
    assert [entry.version for entry in world.status.rejected] == [1]
    assert world.condition("Ready")[0] == "False"
    assert "ValueError: shapes" in world.condition("Ready")[2]

    world.registry.promote(2)
    await world.settle()

    assert world.served_versions == ["2", "2"]
    assert world.status.phase == "Healthy"


async def test_a_changed_image_that_crashes_is_taken_back_and_can_be_undone() -> None:
    world = await start()
    world.kubelet.behave("own:v1", crash="exec format error")
    world.change("image")
    await world.settle()
    assert world.served_versions == ["1", "1"]
    server = world.deployment["spec"]["template"]["spec"]["containers"][0]
    assert server["image"] == "serving:v1"
    assert world.condition("Ready")[1] == "VersionRejected"

    world.change("no serving")
    await world.settle()

    assert world.status.phase == "Healthy"
    assert world.status.stable is not None
    assert world.status.stable.revision == 1


async def test_more_memory_after_an_oom_is_a_new_try() -> None:
    world = await start(serving=MEMORY)
    world.kubelet.behave(2, serving_memory=1500)
    world.registry.promote(2)
    await world.settle()
    assert world.served_versions == ["1", "1"]

    world.change("more memory")
    await world.settle()

    assert world.served_versions == ["2", "2"]


async def test_a_promotion_during_a_restore_is_followed() -> None:
    world = await start()
    world.kubelet.behave(2, crash="ValueError: shapes")
    world.ready_log.clear()
    world.registry.promote(2)
    await world.until(lambda: bool(world.status.rejected))
    world.registry.promote(3)

    await world.settle()

    assert world.served_versions == ["3", "3"]
    assert_full_capacity(world)


async def test_numbers_of_rollouts_never_come_twice() -> None:
    world = await start()
    world.kubelet.behave(2, crash="ValueError: shapes")
    world.registry.promote(2)
    await world.settle()
    world.registry.promote(3)
    await world.settle()

    assert [entry.revision for entry in world.status.history] == [3, 2, 1]
    roll = parse_roll(world.deployment["metadata"]["annotations"])
    assert roll is not None
    assert (roll.revision, roll.last, roll.from_revision) == (3, 3, 1)


@pytest.mark.parametrize("number", range(6))
async def test_a_crash_of_the_operator_at_any_write_of_a_restore(number: int) -> None:
    world = await start()
    world.kubelet.behave(2, crash="ValueError: shapes")
    await promote(world)
    world.cluster.faults[:] = [*[None] * number, "crash before"]

    await world.settle()

    assert world.served_versions == ["1", "1"]
    assert [entry.version for entry in world.status.rejected] == [2]
    assert [entry.outcome for entry in world.status.history] == ["Failed", "Succeeded"]


@pytest.mark.parametrize("fault", ["crash before", "crash after"])
@pytest.mark.parametrize("number", range(11))
async def test_an_operator_that_starts_in_an_outage_tries_nothing_twice(
    number: int, fault: Fault
) -> None:
    """It dies at any write of a rollout that fails, and the next one cannot ask the registry."""
    world = await start()
    witness = Witness(world)
    world.kubelet.behave(2, crash="ValueError: shapes")
    world.registry.promote(2)
    world.cluster.faults[:] = [*[None] * number, fault]
    with pytest.raises(CrashError):
        await reconcile_for_ever(world)
    world.registry.restart_watcher()
    world.start_operator()
    await world.settle(patience=200)
    world.registry.recover()

    await world.settle()

    assert len(witness.rehearsed) == 1
    assert [entry.version for entry in world.status.rejected] == [2]
    assert world.served_versions == ["1", "1"]


async def test_a_stable_version_that_crashes_later_is_shown_and_not_undone() -> None:
    world = await start()
    await promote(world)
    await world.settle()
    world.cluster.writes.clear()
    world.kubelet.behave(2, dies_after=3.0)

    await world.settle(patience=120)

    assert world.status.stable is not None
    assert world.status.stable.version == 2
    assert world.status.rejected == []
    assert set(world.cluster.writes) <= {"status"}
    assert world.condition("Ready")[:2] == ("False", "ServerCrashed")
    assert world.status.phase == "Degraded"


# ---- faults of the surroundings ------------------------------------------------------------------

TROUBLES: list[Any] = [
    pytest.param({"unschedulable": "0/1 nodes: cpu"}, "Unschedulable", id="no room"),
    pytest.param({"unpullable": {"serving:v1": "403"}}, "ImagePullFailed", id="no image"),
    pytest.param({"refused": "no secret"}, "ContainerRefused", id="no Secret"),
    pytest.param({"store": (STORE_UNAVAILABLE, "down")}, "StoreUnavailable", id="store down"),
    pytest.param({"store": (STORE_DENIED, "403")}, "StoreDenied", id="store denies"),
]


@pytest.mark.parametrize(("trouble", "reason"), TROUBLES)
async def test_trouble_around_a_rollout_is_waited_out(trouble: dict[str, Any], reason: str) -> None:
    world = await start()
    world.ready_log.clear()
    world.registry.promote(2)
    await world.until(lambda: "apply Deployment wine" in world.cluster.writes)
    for name, value in trouble.items():
        setattr(world.kubelet, name, value)
    await world.settle(patience=2000)

    candidate = world.status.candidate
    assert candidate is not None
    assert candidate.phase == "Held"
    assert candidate.last_failure is not None
    assert candidate.last_failure.reason == reason
    assert world.condition("Ready")[:2] == ("False", reason)
    assert "goes on by itself" in world.condition("Progressing")[2]
    assert world.status.rejected == []

    world.kubelet.heal()
    await world.settle()

    assert world.served_versions == ["2", "2"]
    assert world.status.phase == "Healthy"
    assert_full_capacity(world)


async def test_a_quota_in_a_rollout_is_waited_out() -> None:
    world = await start()
    world.registry.promote(2)
    await world.until(lambda: "apply Deployment wine" in world.cluster.writes)
    for pod in world.workloads.pods(KEY):
        if pod["metadata"]["labels"]["regisseur.dev/model-version"] == "2":
            world.cluster.remove(POD, KEY.namespace, pod["metadata"]["name"])
    world.cluster.pod_refusal = "exceeded quota: team"
    await world.settle()
    assert world.condition("Progressing")[:2] == ("False", "ReplicaFailure")
    assert world.condition("Available")[0] == "True"

    world.cluster.pod_refusal = ""
    await world.settle()

    assert world.served_versions == ["2", "2"]


async def test_a_registry_outage_in_a_rollout_stops_nothing() -> None:
    world = await start()
    await promote(world)
    world.registry.restart_watcher()
    world.registry.fail(world.clock.now())
    world.start_operator()

    await world.settle()

    assert world.served_versions == ["2", "2"]
    assert world.condition("RegistryReachable")[0] == "False"


async def test_a_restore_needs_no_registry() -> None:
    world = await start()
    world.kubelet.behave(2, crash="ValueError: shapes")
    await promote(world)
    world.registry.restart_watcher()
    world.registry.fail(world.clock.now())
    world.start_operator()

    await world.settle()

    assert world.served_versions == ["1", "1"]
    assert [entry.version for entry in world.status.rejected] == [2]


async def test_sleeping_controllers_are_not_believed() -> None:
    world = await start()
    world.registry.promote(2)
    world.workloads.asleep = 60
    await world.until(lambda: "apply Deployment wine" in world.cluster.writes)
    for _ in range(30):
        await world.reconcile()
        world.tick()
    assert world.status.stable is not None
    assert world.status.stable.version == 1
    assert world.status.rejected == []

    await world.until(lambda: world.workloads.asleep == 0)
    await world.settle()

    assert world.served_versions == ["2", "2"]
