"""What is written, and what is left alone."""

from typing import Any

import pytest

from regisseur_operator.errors import TerminalError, TransientError
from regisseur_operator.ports import Key, Kind, Manifest
from regisseur_operator.resources import (
    CONTROLLER_REVISION,
    DEPLOYMENT,
    MODELDEPLOYMENT,
    OWNED_KINDS,
    POD_DISRUPTION_BUDGET,
    SERVICE,
)
from support.worlds import KEY, World

UNREHEARSED = {"enabled": False}
FIRST = Key(KEY.namespace, "wine-1")


def name_of(kind: Kind) -> Key:
    """Return what a child of wine is called when its first version is rolled out."""
    return FIRST if kind == CONTROLLER_REVISION else KEY


def build_foreign(kind: Kind, **metadata: Any) -> Manifest:
    """Return somebody else's object that happens to have the name of a child."""
    name = {"name": name_of(kind).name, "namespace": KEY.namespace}
    return {
        "apiVersion": kind.api_version,
        "kind": kind.kind,
        "metadata": {**name, **metadata},
        "spec": {"owner": "somebody else"},
    }


def build_world(**spec: Any) -> World:
    """Return a world in which version 1 was promoted, to be rolled out without a rehearsal."""
    world = World(rehearsal=UNREHEARSED, **spec)
    world.registry.promote(1)
    return world


async def start(**spec: Any) -> World:
    world = build_world(**spec)
    await world.settle()
    world.cluster.writes.clear()
    world.events.published.clear()
    return world


async def test_the_deployment_is_written_last_and_every_child_is_owned() -> None:
    world = build_world()
    world.change("autoscaling")

    await world.reconcile()

    assert world.cluster.writes == [
        "create PodDisruptionBudget wine",
        "create Service wine",
        "create HorizontalPodAutoscaler wine",
        "create ControllerRevision wine-1",
        "create Deployment wine",
        "status",
    ]
    uid = world.cluster.get(MODELDEPLOYMENT, KEY)["metadata"]["uid"]
    for kind in OWNED_KINDS:
        owner = world.cluster.get(kind, name_of(kind))["metadata"]["ownerReferences"][0]
        assert (owner["uid"], owner["controller"], owner["blockOwnerDeletion"]) == (uid, True, True)


async def test_selectors_name_no_version() -> None:
    world = await start()

    by_name = {"regisseur.dev/modeldeployment": "wine"}
    by_role = {**by_name, "regisseur.dev/role": "stable"}
    assert world.deployment["spec"]["selector"] == {"matchLabels": by_role}
    assert world.cluster.get(SERVICE, KEY)["spec"]["selector"] == by_name
    budget = world.cluster.get(POD_DISRUPTION_BUDGET, KEY)["spec"]
    assert budget["selector"] == {"matchLabels": by_name}


# ---- names that are taken ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", OWNED_KINDS, ids=lambda kind: f"a foreign {kind.kind}")
async def test_a_foreign_object_is_left_alone(kind: Kind) -> None:
    world = build_world()
    world.change("autoscaling")
    foreign = world.cluster.put(kind, build_foreign(kind))
    version = foreign["metadata"]["resourceVersion"]

    outcome = await world.reconcile()

    assert world.cluster.writes == ["status"]
    live = world.cluster.get(kind, name_of(kind))
    assert live["metadata"]["resourceVersion"] == version
    for about in ("Ready", "Progressing"):
        status, reason, message = world.condition(about)
        assert (status, reason) == ("False", "NameConflict")
        assert f"{kind.kind} {name_of(kind).name} exists" in message
        assert "rename" in message
    assert world.events.reasons.count("NameConflict") == 1
    assert outcome.requeue_after_seconds == 30

    assert (await world.reconcile()).writes == ()

    world.cluster.remove(kind, *name_of(kind))
    await world.settle()
    assert world.condition("Ready")[0] == "True"


async def test_an_object_with_our_label_but_another_owner_is_foreign() -> None:
    world = build_world()
    owner = {"kind": "HelmRelease", "name": "x", "uid": "other", "controller": True}
    labels = {"regisseur.dev/modeldeployment": "wine"}
    world.cluster.put(SERVICE, build_foreign(SERVICE, ownerReferences=[owner], labels=labels))

    await world.reconcile()

    assert world.condition("Ready")[1] == "NameConflict"
    assert "belongs to a HelmRelease" in world.condition("Ready")[2]


async def test_a_foreign_service_does_not_hold_up_a_rollout() -> None:
    world = await start()
    world.cluster.remove(SERVICE, *KEY)
    world.cluster.put(SERVICE, build_foreign(SERVICE))
    world.registry.promote(2)

    await world.reconcile()

    writes = ["create ControllerRevision wine-2", "apply Deployment wine", "status"]
    assert world.cluster.writes == writes
    assert world.condition("Ready")[1] == "NameConflict"


async def test_children_of_a_deleted_namesake_are_waited_for() -> None:
    world = build_world()
    owner = {"kind": "ModelDeployment", "name": "wine", "uid": "old", "controller": True}
    world.cluster.put(DEPLOYMENT, build_foreign(DEPLOYMENT, ownerReferences=[owner]))

    with pytest.raises(TransientError, match="earlier ModelDeployment"):
        await world.reconcile()

    assert world.condition("Ready")[1] != "NameConflict"
    world.cluster.remove(DEPLOYMENT, *KEY)
    await world.settle()
    assert world.condition("Ready")[0] == "True"


async def test_a_child_without_its_label_gets_it_back() -> None:
    world = await start()
    world.cluster.edit(SERVICE, KEY, lambda live: live["metadata"].pop("labels"))

    await world.settle()

    assert world.cluster.writes[0] == "apply Service wine"
    labels = world.cluster.get(SERVICE, KEY)["metadata"]["labels"]
    assert labels["regisseur.dev/modeldeployment"] == "wine"


# ---- a resource that is gone ---------------------------------------------------------------------


async def test_nothing_is_created_for_a_resource_that_is_gone() -> None:
    world = build_world()
    world.view.sync()
    world.cluster.remove(MODELDEPLOYMENT, *KEY)

    outcome = await world.reconcile(sync=False)

    assert outcome.writes == ()
    assert world.cluster.writes == []
    assert world.registry.followed == {}


async def test_nothing_is_created_for_a_resource_that_has_another_s_name() -> None:
    world = build_world()
    world.view.sync()
    manifest = world.cluster.get(MODELDEPLOYMENT, KEY)
    world.cluster.remove(MODELDEPLOYMENT, *KEY)
    world.cluster.put(MODELDEPLOYMENT, manifest)

    assert (await world.reconcile(sync=False)).writes == ()


async def test_a_resource_that_is_being_deleted_is_left_to_the_garbage_collector() -> None:
    world = await start()
    world.cluster.edit(
        MODELDEPLOYMENT, KEY, lambda live: live["metadata"].update(deletionTimestamp="now")
    )
    world.cluster.remove(SERVICE, *KEY)

    assert (await world.reconcile()).writes == ()
    assert world.registry.followed == {}


async def test_a_child_that_is_being_deleted_is_not_written_to() -> None:
    world = await start()
    world.cluster.edit(
        DEPLOYMENT, KEY, lambda live: live["metadata"].update(deletionTimestamp="now")
    )
    world.registry.promote(2)

    await world.reconcile()

    assert "apply Deployment wine" not in world.cluster.writes


# ---- writes that fail or are undone --------------------------------------------------------------


async def test_the_status_is_written_also_when_a_write_failed() -> None:
    world = build_world()
    world.cluster.faults[:] = [None, "lost"]

    with pytest.raises(TransientError, match="busy"):
        await world.reconcile()

    assert world.cluster.writes == ["create PodDisruptionBudget wine", "status"]
    assert world.condition("Resolved")[0] == "True"


async def test_a_refused_object_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    world = build_world()
    create = world.cluster.create

    async def refuse_services(kind: Kind, manifest: Manifest) -> Manifest:
        if kind == SERVICE:
            raise TerminalError("InvalidSpec", "metadata.annotations: Invalid value: 'a b'")
        return await create(kind, manifest)

    monkeypatch.setattr(world.cluster, "create", refuse_services)

    await world.reconcile()

    assert "create Deployment wine" in world.cluster.writes
    assert world.condition("Ready")[:2] == ("False", "InvalidSpec")
    assert "Invalid value: 'a b'" in world.condition("Ready")[2]


async def test_a_fight_is_reported_once_and_not_fought() -> None:
    world = await start()

    def meddle(manifest: Manifest) -> None:
        manifest["spec"]["revisionHistoryLimit"] = 2

    world.cluster.after_apply = meddle
    world.cluster.edit(DEPLOYMENT, KEY, meddle)

    await world.settle()

    assert world.cluster.writes.count("apply Deployment wine") == 1
    assert world.events.reasons.count("ChildContested") == 1
    assert "spec.revisionHistoryLimit" in world.events.published[-1][2]


async def test_an_edit_during_a_fight_is_still_undone() -> None:
    world = await start()

    def meddle(manifest: Manifest) -> None:
        manifest["spec"]["revisionHistoryLimit"] = 2

    world.cluster.after_apply = meddle
    world.cluster.edit(DEPLOYMENT, KEY, meddle)
    await world.settle()

    def unblock(manifest: Manifest) -> None:
        manifest["metadata"]["ownerReferences"][0]["blockOwnerDeletion"] = False

    world.cluster.edit(DEPLOYMENT, KEY, unblock)
    await world.settle()

    assert world.deployment["metadata"]["ownerReferences"][0]["blockOwnerDeletion"] is True


async def test_a_change_of_the_service_is_applied_and_a_removed_part_removed() -> None:
    world = await start(service={"port": 8080, "annotations": {"team": "wine"}})
    assert world.status.url == "http://wine.ml.svc:8080"
    world.edit_spec(lambda spec: spec.pop("service"))

    await world.settle()

    assert world.status.url == "http://wine.ml.svc"
    assert "team" not in world.cluster.get(SERVICE, KEY)["metadata"]["annotations"]
    assert "apply Deployment wine" not in world.cluster.writes
