"""Objects that are created once and never changed, and objects that are deleted."""

import pytest

from regisseur_contract.names import LABEL_REHEARSAL
from regisseur_operator.api.reasons import Reason
from regisseur_operator.api.v1alpha1 import parse_spec
from regisseur_operator.core.notes import Note
from regisseur_operator.core.planner import Delete, Plan
from regisseur_operator.errors import ConflictError, TerminalError, TransientError
from regisseur_operator.ports import Key, Kind, Manifest
from regisseur_operator.reconcile.observing import Observer
from regisseur_operator.reconcile.writing import Applied, Writer
from regisseur_operator.resources import (
    AUTOSCALER,
    CONTROLLER_REVISION,
    DEPLOYMENT,
    MODELDEPLOYMENT,
    POD,
    SERVICE,
)
from support.fake_cluster import FakeView
from support.worlds import KEY, World, start

REHEARSAL = Key(KEY.namespace, "wine-rehearsal")
FIRST = Key(KEY.namespace, "wine-1")
SECOND = Key(KEY.namespace, "wine-2")
NOTE = Note("Normal", Reason.CHILD_CREATED, "an example")


def refuse(world: World, monkeypatch: pytest.MonkeyPatch, refused: Kind) -> None:
    """Have the API server refuse to create objects of a kind."""
    create = world.cluster.create

    async def create_or_refuse(kind: Kind, manifest: Manifest) -> Manifest:
        if kind == refused:
            raise TerminalError("Forbidden", f"{kind.plural} are forbidden: exceeded quota")
        return await create(kind, manifest)

    monkeypatch.setattr(world.cluster, "create", create_or_refuse)


def build_foreign(kind: Kind, key: Key) -> Manifest:
    return {
        "apiVersion": kind.api_version,
        "kind": kind.kind,
        "metadata": {"name": key.name, "namespace": key.namespace},
        "spec": {},
    }


async def test_from_promotion_to_rollout() -> None:
    world = World()
    world.registry.promote(1)

    await world.until(lambda: world.cluster.find(DEPLOYMENT, KEY) is not None)

    writes = [title for title in world.cluster.writes if title != "status"]
    assert writes == [
        "create Pod wine-rehearsal",
        "create PodDisruptionBudget wine",
        "create Service wine",
        "create ControllerRevision wine-1",
        "create Deployment wine",
        "delete Pod wine-rehearsal",
    ]


async def test_nothing_is_told_of_revisions_and_rehearsal_pods_as_such() -> None:
    world = World()
    world.registry.promote(1)

    await world.settle()

    told = [message for _, reason, message in world.events.published if reason == "ChildCreated"]
    assert [message.split()[1] for message in told] == [
        "PodDisruptionBudget",
        "Service",
        "Deployment",
    ]


async def test_a_revision_that_was_deleted_comes_back_without_a_rollout() -> None:
    world = await start()
    before = world.cluster.get(CONTROLLER_REVISION, FIRST)
    world.cluster.remove(CONTROLLER_REVISION, *FIRST)

    await world.settle()

    assert world.cluster.writes == ["create ControllerRevision wine-1"]
    assert world.cluster.get(CONTROLLER_REVISION, FIRST)["data"] == before["data"]


async def test_a_revision_that_somebody_edited_is_left_alone() -> None:
    world = await start()
    world.cluster.edit(CONTROLLER_REVISION, FIRST, lambda live: live.update(revision=99))

    await world.settle()

    assert world.cluster.writes == []


async def test_an_autoscaler_that_is_asked_for_later_was_not_deleted() -> None:
    world = await start()
    world.change("autoscaling")

    await world.settle()

    assert ("Normal", "ChildCreated", "Created HorizontalPodAutoscaler wine") in (
        world.events.published
    )
    assert "ChildRestored" not in world.events.reasons
    world.change("no autoscaling")
    await world.settle()
    assert world.cluster.find(AUTOSCALER, KEY) is None


# ---- what a rollout rests on ---------------------------------------------------------------------


async def test_no_rollout_without_its_revision(monkeypatch: pytest.MonkeyPatch) -> None:
    world = await start(rehearsal={"enabled": False})
    refuse(world, monkeypatch, CONTROLLER_REVISION)
    world.registry.promote(2)

    await world.reconcile()

    assert world.cluster.writes == ["status"]
    assert world.condition("Ready")[1] == "Forbidden"
    monkeypatch.undo()
    await world.settle()
    assert world.served_versions == ["2", "2"]


async def test_no_rollout_while_its_revision_is_delayed() -> None:
    world = await start(rehearsal={"enabled": False})
    world.registry.promote(2)
    world.cluster.faults[:] = ["lost"]

    with pytest.raises(TransientError):
        await world.reconcile()

    assert world.cluster.writes == ["status"]


async def test_a_foreign_revision_holds_the_rollout_up_and_nothing_else() -> None:
    world = await start(rehearsal={"enabled": False})
    world.cluster.put(CONTROLLER_REVISION, build_foreign(CONTROLLER_REVISION, SECOND))
    world.cluster.remove(SERVICE, *KEY)
    world.registry.promote(2)

    await world.reconcile()

    assert world.cluster.writes == ["create Service wine", "status"]
    assert world.condition("Ready")[1] == "NameConflict"
    assert "ControllerRevision wine-2" in world.condition("Ready")[2]
    world.cluster.remove(CONTROLLER_REVISION, *SECOND)
    await world.settle()
    assert world.served_versions == ["2", "2"]


# ---- the pod of a rehearsal ----------------------------------------------------------------------


async def test_a_foreign_pod_holds_the_rehearsal_up_and_nothing_else() -> None:
    world = await start()
    world.cluster.put(POD, build_foreign(POD, REHEARSAL))
    world.cluster.remove(SERVICE, *KEY)
    world.registry.promote(2)

    await world.reconcile()

    assert world.cluster.writes == ["create Service wine", "status"]
    assert world.condition("Ready")[1] == "NameConflict"
    assert "Pod wine-rehearsal" in world.condition("Ready")[2]
    assert world.served_versions == ["1", "1"]
    world.cluster.remove(POD, *REHEARSAL)
    await world.settle()
    assert world.served_versions == ["2", "2"]


async def test_a_pod_that_the_cache_has_not_seen_is_not_made_again() -> None:
    world = World()
    world.registry.promote(1)
    stale = FakeView(world.cluster)
    stale.sync()
    await world.reconcile()
    uid = world.cluster.get(POD, REHEARSAL)["metadata"]["uid"]
    world.start_operator()
    world.view._seen = stale._seen  # an old list, as a restarted API server gives it

    with pytest.raises(ConflictError, match="wine-rehearsal was there already"):
        await world.reconcile(sync=False)

    assert [pod["metadata"]["uid"] for pod in world.view.rehearsal_pods(KEY)] == [uid]
    assert world.cluster.writes.count("create Pod wine-rehearsal") == 1


async def test_a_pod_whose_label_was_taken_away_is_replaced() -> None:
    world = World()
    world.registry.promote(1)
    await world.reconcile()
    uid = world.cluster.get(POD, REHEARSAL)["metadata"]["uid"]
    world.cluster.edit(POD, REHEARSAL, lambda pod: pod["metadata"]["labels"].pop(LABEL_REHEARSAL))

    await world.settle()

    assert world.served_versions == ["1", "1"]
    assert world.cluster.writes.count("create Pod wine-rehearsal") == 2
    assert "delete Pod wine-rehearsal" in world.cluster.writes
    assert uid not in {pod["metadata"]["uid"] for pod in world.rehearsal_pods}


async def test_nothing_waits_for_a_pod_that_is_on_its_way_out() -> None:
    world = await start()
    pod = build_foreign(POD, REHEARSAL)
    pod["metadata"]["deletionTimestamp"] = "now"
    world.cluster.put(POD, pod)
    world.cluster.remove(SERVICE, *KEY)
    world.registry.promote(2)

    with pytest.raises(TransientError, match="wine-rehearsal is still being deleted"):
        await world.reconcile()

    assert world.cluster.writes == ["create Service wine", "status"]


# ---- deletes -------------------------------------------------------------------------------------


async def carry_out(world: World, delete: Delete) -> Applied:
    """Carry out a plan that deletes one object, on caches as they are."""
    manifest = world.cluster.get(MODELDEPLOYMENT, KEY)
    observer = Observer(
        view=world.view,
        registries=world.registry,
        turns=world.turns,
        clock=world.clock,
        configuration=world.configuration,
    )
    observed = observer.observe(KEY, manifest, parse_spec(manifest))
    return await Writer(world.cluster, world.view).apply(observed, Plan(deletes=(delete,)))


async def test_what_is_deleted_is_told_once_it_is_gone() -> None:
    world = await start()
    uid = world.cluster.get(CONTROLLER_REVISION, FIRST)["metadata"]["uid"]

    applied = await carry_out(world, Delete(CONTROLLER_REVISION, FIRST.name, uid, (NOTE,)))

    assert world.cluster.find(CONTROLLER_REVISION, FIRST) is None
    assert [write.title for write in applied.writes] == ["delete ControllerRevision wine-1"]
    assert applied.notes == [NOTE]


async def test_another_object_of_that_name_is_not_deleted() -> None:
    world = await start()

    applied = await carry_out(world, Delete(CONTROLLER_REVISION, FIRST.name, "another", (NOTE,)))

    assert world.cluster.find(CONTROLLER_REVISION, FIRST) is not None
    assert (applied.writes, applied.notes, applied.fault) == ([], [], None)


async def test_what_is_not_ours_any_more_is_not_deleted() -> None:
    world = await start()
    uid = world.cluster.get(CONTROLLER_REVISION, FIRST)["metadata"]["uid"]
    world.cluster.edit(
        CONTROLLER_REVISION, FIRST, lambda live: live["metadata"].pop("ownerReferences")
    )

    applied = await carry_out(world, Delete(CONTROLLER_REVISION, FIRST.name, uid))

    assert world.cluster.find(CONTROLLER_REVISION, FIRST) is not None
    assert applied.writes == []


async def test_what_is_gone_already_is_no_trouble() -> None:
    world = await start()

    applied = await carry_out(world, Delete(POD, "wine-rehearsal", "u1"))

    assert (applied.writes, applied.fault, applied.refusal) == ([], None, None)


async def test_what_is_on_its_way_out_is_not_deleted_again() -> None:
    world = await start()
    world.cluster.edit(
        CONTROLLER_REVISION, FIRST, lambda live: live["metadata"].update(deletionTimestamp="now")
    )
    uid = world.cluster.get(CONTROLLER_REVISION, FIRST)["metadata"]["uid"]

    applied = await carry_out(world, Delete(CONTROLLER_REVISION, FIRST.name, uid))

    assert applied.writes == []


async def test_a_delete_that_is_forbidden_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    world = await start()
    uid = world.cluster.get(CONTROLLER_REVISION, FIRST)["metadata"]["uid"]

    async def forbid(kind: Kind, namespace: str, name: str, uid: str) -> None:
        raise TerminalError("Forbidden", f"{namespace}/{name} {uid} of {kind.plural} is forbidden")

    monkeypatch.setattr(world.cluster, "delete", forbid)

    applied = await carry_out(world, Delete(CONTROLLER_REVISION, FIRST.name, uid))

    assert applied.refusal is not None
    assert "ControllerRevision wine-1 cannot be deleted" in applied.refusal.message


async def test_nothing_is_deleted_before_the_writes_are_done() -> None:
    world = await start()
    world.change("autoscaling")
    await world.settle()
    world.cluster.writes.clear()
    world.change("no autoscaling")
    world.change("port")
    world.cluster.faults[:] = ["lost"]

    with pytest.raises(TransientError):
        await world.reconcile()

    assert world.cluster.find(AUTOSCALER, KEY) is not None
    await world.settle()
    titles = [title for title in world.cluster.writes if title != "status"]
    assert titles[-1] == "delete HorizontalPodAutoscaler wine"


async def test_nothing_is_deleted_while_suspended() -> None:
    world = await start()
    world.change("autoscaling")
    await world.settle()
    world.change("suspend")
    world.change("no autoscaling")

    await world.settle()

    assert world.cluster.find(AUTOSCALER, KEY) is not None
