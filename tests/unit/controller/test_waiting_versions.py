"""While a version waits for a person: nothing goes on that nobody names, and the rest goes on."""

from typing import Any

import pytest

from regisseur_contract.rehearsal import Word
from regisseur_contract.tags import TAG_DIGEST, TAG_IMAGE
from support.fake_kubelet import OVERWRITTEN
from support.witness import Witness
from support.worlds import KEY, World, start

OWN_IMAGE = {"imageFrom": {"modelVersionTag": TAG_IMAGE}}


def memory_of(world: World) -> str:
    server = world.deployment["spec"]["template"]["spec"]["containers"][0]
    return str(server["resources"]["limits"]["memory"])


# ---- a rollout in flight -------------------------------------------------------------------------


async def test_a_rollout_is_ended_when_its_successor_waits_at_a_gate() -> None:
    world = await start()
    world.registry.promote(2)
    await world.until(lambda: world.runs(2))
    world.change("approval gate")
    world.registry.promote(3)

    await world.settle()

    assert world.served_versions == ["1", "1"], "nobody names version 2 any more"
    assert world.condition("Progressing")[:2] == ("False", "GateUnmet")
    assert [entry.outcome for entry in world.status.history] == ["Superseded", "Succeeded"]
    world.approve(3)
    await world.settle()
    assert world.served_versions == ["3", "3"]


async def test_a_rollout_is_ended_when_its_successor_fails_its_rehearsal() -> None:
    world = await start()
    world.kubelet.behave(3, word=Word.LOAD_FAILED)
    world.ready_log.clear()
    world.registry.promote(2)
    await world.until(lambda: "2" in world.served_versions)
    world.registry.promote(3)

    await world.settle()

    assert world.served_versions == ["1", "1"]
    assert world.condition("Ready")[1] == "VersionRejected"
    assert all(sum(ready.values()) >= 2 for _, ready in world.ready_log)


async def test_a_rollout_goes_on_while_its_successor_is_rehearsed_and_both_are_told() -> None:
    world = await start()
    world.registry.promote(2)
    await world.until(lambda: world.runs(2))
    world.registry.promote(3)
    await world.until(lambda: bool(world.rehearsal_pods))

    status, reason, message = world.condition("Progressing")
    assert (status, reason) == ("True", "RolloutProgressing")
    assert "brings version 2" in message
    assert "Version 3 is being rehearsed" in message


# ---- what is served ------------------------------------------------------------------------------


async def test_what_never_served_sets_no_mark_for_the_next_version() -> None:
    gates = {"metrics": [{"name": "acc", "maxRegression": 0.02}]}
    world = World(model={"name": "wine", "stage": "Production", "gates": gates})
    world.registry.register(1, metrics={"acc": 0.95})
    world.registry.register(2, metrics={"acc": 0.90})
    world.kubelet.behave(1, crash="ValueError: shapes")
    world.registry.promote(1)
    await world.settle()
    assert world.status.stable is None
    world.registry.promote(2)

    await world.settle()

    assert world.served_versions == ["2", "2"]


WAITS: list[Any] = [
    pytest.param("approval gate", {}, id="at a gate"),
    pytest.param("no gates", {"word": Word.LOAD_FAILED}, id="because it was rejected"),
]


@pytest.mark.parametrize(("gate", "behaviour"), WAITS)
async def test_a_change_of_the_spec_reaches_what_is_served_though_another_version_waits(
    gate: str, behaviour: dict[str, Any]
) -> None:
    """An out-of-memory model in production needs memory now, whatever else is open."""
    world = await start(serving={"resources": {"limits": {"memory": "512Mi"}}})
    witness = Witness(world)
    world.change(gate)
    world.kubelet.behave(2, **behaviour)
    world.registry.promote(2)
    await world.settle()
    reason = world.condition("Ready")[1]
    world.ready_log.clear()
    world.change("memory")

    await world.settle()

    assert memory_of(world) == "1Gi"
    assert world.served_versions == ["1", "1"]
    assert world.condition("Ready")[1] in {reason, "VersionRejected"}
    assert all(sum(ready.values()) >= 2 for _, ready in world.ready_log)
    assert witness.rehearsed
    assert (await world.reconcile()).writes == ()


async def test_what_is_served_is_rehearsed_against_its_own_files() -> None:
    """The registry speaks of the version that waits: its digest and image are its own."""
    world = World(serving=OWN_IMAGE)
    world.registry.register(1, tags={TAG_IMAGE: "own:v1"})
    right = world.kubelet.digest_of(world.files_of(1))
    world.registry.set_tag(1, TAG_DIGEST, right)
    world.registry.register(2, tags={TAG_IMAGE: "serving:v2", TAG_DIGEST: "sha256:2"})
    world.registry.promote(1)
    await world.settle()
    world.change("approval gate")
    world.registry.promote(2)
    await world.settle()
    env = [{"name": "LEVEL", "value": "debug"}]
    world.edit_spec(lambda spec: spec["serving"].update(env=env))

    await world.settle()

    stable = world.status.stable
    assert stable is not None
    assert (stable.version, stable.image, stable.digest) == (1, "own:v1", right)
    server = world.deployment["spec"]["template"]["spec"]["containers"][0]
    assert env[0] in server["env"]

    world.replace_files(1, OVERWRITTEN)
    world.edit_spec(lambda spec: spec["serving"].pop("env"))
    world.edit_spec(lambda spec: spec["serving"].update(env=[{"name": "LEVEL", "value": "info"}]))
    await world.settle()

    assert world.served_versions == ["1", "1"]
    assert "Version 1 was rejected" in world.condition("Ready")[2], "other files are no version 1"


async def test_a_change_that_what_is_served_cannot_stand_is_tried_once() -> None:
    world = await start()
    world.change("approval gate")
    world.registry.promote(2)
    await world.settle()
    witness = Witness(world)
    world.kubelet.behave("own:v1", word=Word.LOAD_FAILED)
    world.change("image")

    await world.settle()
    world.start_operator()
    await world.settle()

    assert len(witness.rehearsed) == 1
    assert world.served_versions == ["1", "1"]
    assert world.condition("Ready")[1] == "GateUnmet"
    assert "Version 1 was rejected" in world.condition("Ready")[2]


# ---- its image -----------------------------------------------------------------------------------


@pytest.mark.parametrize("is_rehearsed", [True, False], ids=["rehearsed", "not rehearsed"])
async def test_an_image_tag_that_was_wrong_can_be_corrected(is_rehearsed: bool) -> None:
    world = World(serving=OWN_IMAGE, rehearsal={"enabled": is_rehearsed})
    world.registry.register(1, tags={TAG_IMAGE: "typo:v1"})
    world.kubelet.unpullable["typo:v1"] = "not found"
    world.registry.promote(1)
    await world.settle(patience=100)
    assert world.ready_pods == 0
    assert KEY in world.registry.closely_watched, "a tag moves no time stamp"

    world.registry.set_tag(1, TAG_IMAGE, "own:v1")
    await world.settle()

    assert world.served_versions == ["1", "1"]
    server = world.deployment["spec"]["template"]["spec"]["containers"][0]
    assert server["image"] == "own:v1"


async def test_an_approval_that_is_taken_back_during_a_rehearsal_counts() -> None:
    world = await start()
    world.change("approval gate")
    world.registry.register(2, tags={"approved": "true"})
    world.kubelet.unschedulable = "0/1 nodes"
    world.registry.promote(2)
    await world.settle(patience=60)
    assert world.condition("Ready")[1] == "RehearsalHeld"
    assert "set spec.rehearsal.enabled: false" in world.condition("Ready")[2]
    assert KEY in world.registry.closely_watched
    world.registry.set_tag(2, "approved", "no")
    world.kubelet.heal()

    await world.settle()

    assert world.served_versions == ["1", "1"]
    assert world.rehearsal_pods == []
    assert world.condition("Ready")[1] == "GateUnmet"
