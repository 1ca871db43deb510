"""Going back on purpose, pods that are not ours, files that are not what they were, strategies."""

import copy

import pytest

from regisseur_contract.names import LABEL_MODELDEPLOYMENT
from regisseur_contract.runtime import ENV_EXPECTED_DIGEST
from regisseur_operator.ports import Key, Manifest
from regisseur_operator.resources import CONTROLLER_REVISION, DEPLOYMENT, REPLICA_SET
from support.fake_kubelet import OVERWRITTEN
from support.worlds import KEY, start

# ---- rollbackTo ----------------------------------------------------------------------------------


async def test_a_rollback_brings_pods_back_word_for_word() -> None:
    world = await start()
    before = world.deployment["spec"]["template"]
    world.change("env")
    await world.settle()
    world.registry.promote(2)
    await world.settle()
    world.cluster.writes.clear()
    world.rollback_to(1)

    await world.settle()

    assert world.deployment["spec"]["template"] == before
    assert "create Pod wine-rehearsal" not in world.cluster.writes
    assert world.condition("Ready")[:2] == ("True", "RolledBack")
    assert world.status.history[0].reason == "RolledBack"


async def test_a_restart_under_a_rollback_replaces_the_pods_once() -> None:
    world = await start()
    world.registry.promote(2)
    await world.settle()
    world.rollback_to(1)
    await world.settle()
    before = {pod["metadata"]["uid"] for pod in world.workloads.pods(KEY)}
    world.cluster.writes.clear()
    world.restart("t1")

    await world.settle()

    assert before.isdisjoint(pod["metadata"]["uid"] for pod in world.workloads.pods(KEY))
    assert world.cluster.writes.count("apply Deployment wine") == 1
    assert world.condition("Ready")[:2] == ("True", "RolledBack")


async def test_a_return_that_fails_is_not_tried_again() -> None:
    """Under rules that are others now, so that it has another key than when it was accepted."""
    world = await start()
    world.registry.promote(2)
    await world.settle()
    world.edit_spec(lambda spec: spec.update(rehearsal={"requirements": "Ignore"}))
    world.replace_files(1, OVERWRITTEN)
    world.registry.promote(1)

    await world.settle()

    assert [entry.outcome for entry in world.status.history].count("Failed") == 1
    assert [entry.reason for entry in world.status.rejected] == ["ArtifactChanged"]
    assert world.condition("Ready")[:2] == ("False", "VersionRejected")
    assert world.served_versions == ["2", "2"]


async def test_a_rollback_wins_over_promotions_gates_and_outages() -> None:
    world = await start()
    world.registry.promote(2)
    await world.settle()
    world.change("approval gate")
    world.registry.restart_watcher()
    world.registry.fail(world.clock.now())
    world.rollback_to(1)
    await world.settle()
    assert world.served_versions == ["1", "1"]

    world.registry.recover()
    world.registry.promote(3)
    await world.settle()

    assert world.served_versions == ["1", "1"]


async def test_what_fails_again_and_again_pushes_out_nothing_that_served() -> None:
    world = await start(revisionHistoryLimit=2)
    world.registry.promote(2)
    await world.settle()
    for version in (3, 4, 5, 6):
        world.kubelet.behave(version, crash="ValueError: wrong shape")
        world.registry.promote(version)
        await world.settle()

    world.rollback_to(1)
    await world.settle()

    assert world.served_versions == ["1", "1"]


async def test_the_number_of_a_revision_that_cannot_be_read_comes_once() -> None:
    world = await start()

    def spoil(manifest: Manifest) -> None:
        manifest["metadata"]["name"] = "wine-2"
        manifest["revision"], manifest["data"] = 2, {"written": "by a newer operator"}

    first = world.cluster.get(CONTROLLER_REVISION, Key(KEY.namespace, "wine-1"))
    other = copy.deepcopy(first)
    spoil(other)
    world.cluster.put(CONTROLLER_REVISION, other)
    world.registry.promote(2)

    await world.settle()

    assert world.served_versions == ["2", "2"]
    assert world.status.stable is not None
    assert world.status.stable.revision == 3


async def test_a_rollback_to_what_is_not_kept_is_told_and_changes_nothing() -> None:
    world = await start()
    world.rollback_to(7)

    await world.settle()

    assert set(world.cluster.writes) == {"status"}
    assert world.condition("Ready")[:2] == ("False", "RevisionNotFound")
    assert world.condition("Stalled")[1] == "RevisionNotFound"
    assert "these are: 1" in world.condition("Ready")[2]


# ---- pods that are not ours, and artifacts that are not what they were ---------------------------


async def test_pods_that_a_deleted_deployment_left_are_shown_as_strays() -> None:
    world = await start()
    world.cluster.is_collecting = False
    world.cluster.remove(DEPLOYMENT, *KEY)
    old = [pod["metadata"]["name"] for pod in world.workloads.pods(KEY)]

    await world.settle()

    assert world.status.stray_pods == old
    assert world.condition("Ready")[:2] == ("False", "StrayPods")
    assert world.events.reasons.count("StrayPods") == 1
    assert all(name in world.condition("Ready")[2] for name in old)

    world.cluster.is_collecting = True
    world.cluster.collect()
    await world.settle()

    assert world.status.stray_pods == []
    assert world.status.phase == "Healthy"


async def test_replica_sets_that_were_orphaned_on_purpose_are_taken_over() -> None:
    """As `kubectl delete --cascade=orphan` leaves them: without any owner."""
    world = await start()
    before = {pod["metadata"]["uid"] for pod in world.workloads.pods(KEY)}
    for owner in world.cluster.list(REPLICA_SET, KEY.namespace, LABEL_MODELDEPLOYMENT, KEY.name):
        at = Key(KEY.namespace, owner["metadata"]["name"])
        world.cluster.edit(REPLICA_SET, at, lambda live: live["metadata"].pop("ownerReferences"))
    world.cluster.remove(DEPLOYMENT, *KEY)
    await world.reconcile()
    world.tick()

    await world.settle()

    assert before & {pod["metadata"]["uid"] for pod in world.workloads.pods(KEY)}
    assert world.status.phase == "Healthy"
    assert world.status.stray_pods == []


async def test_an_artifact_overwritten_under_a_stable_version_stalls_new_pods_only() -> None:
    world = await start()
    world.replace_files(1, OVERWRITTEN)
    world.change("replicas 3")
    await world.settle()
    assert world.ready_pods == 2
    assert world.condition("Stalled")[:2] == ("True", "ArtifactChanged")
    assert world.condition("Ready")[:2] == ("False", "ArtifactChanged")
    assert world.status.rejected == []

    world.retry("these files are right")
    await world.settle()

    assert world.ready_pods == 3
    assert world.status.phase == "Healthy"
    fetch = world.deployment["spec"]["template"]["spec"]["initContainers"][0]
    environment = {entry["name"]: entry.get("value") for entry in fetch["env"]}
    assert environment[ENV_EXPECTED_DIGEST] == OVERWRITTEN


# ---- strategies ----------------------------------------------------------------------------------


async def test_recreate_ends_all_old_pods_first_and_restores_too() -> None:
    world = await start(strategy={"recreate": {}})
    world.registry.promote(2)
    await world.settle()
    assert world.served_versions == ["2", "2"]
    assert all(len(ready) <= 1 for _, ready in world.ready_log), "two versions at once"

    world.kubelet.behave(3, crash="ValueError: shapes")
    world.registry.promote(3)
    await world.settle()

    assert world.served_versions == ["2", "2"]
    assert [entry.version for entry in world.status.rejected] == [3]


@pytest.mark.parametrize(("first", "then"), [("recreate", "rolling"), ("rolling", "recreate")])
async def test_a_change_of_the_strategy_rolls_nothing(first: str, then: str) -> None:
    world = await start()
    world.change(first)
    await world.settle()
    before = {pod["metadata"]["uid"] for pod in world.workloads.pods(KEY)}

    world.change(then)
    await world.settle()

    assert {pod["metadata"]["uid"] for pod in world.workloads.pods(KEY)} == before
    assert world.status.phase == "Healthy"
