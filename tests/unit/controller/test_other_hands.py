"""Rolls that other hands, another operator or a lost status have touched."""

import copy
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from regisseur_operator.core.fingerprint import digest, to_canonical_json
from regisseur_operator.core.pods import LABEL_INPUTS
from regisseur_operator.core.roll import (
    ANNOTATION_ROLL,
    PodInputs,
    Roll,
    Served,
    parse_roll,
    to_annotations,
)
from regisseur_operator.resources import DEPLOYMENT
from support.worlds import KEY, World, start

SERVED = Served("default", "wine", 3, "run-3", "m-3", "mlflow-artifacts:/1/models/m-3")
INPUTS = PodInputs(SERVED, "serving:v1", True, "http://mlflow:5000")
ROLL = Roll(2, 1, 1, datetime(2026, 1, 1, tzinfo=UTC), INPUTS, last=2)


# ---- kubectl rollout undo ------------------------------------------------------------------------


async def undo_after_promotion(world: World) -> None:
    """Promote version 2, then bring template and annotations of version 1 back."""
    old = copy.deepcopy(world.deployment)
    world.registry.promote(2)
    await world.settle()
    world.cluster.writes.clear()
    world.events.published.clear()

    def undo(live: dict[str, Any]) -> None:
        live["metadata"]["annotations"] = old["metadata"]["annotations"]
        live["spec"]["template"] = old["spec"]["template"]

    world.cluster.edit(DEPLOYMENT, KEY, undo)


@pytest.mark.parametrize("outage", [False, True], ids=["registry answers", "registry is down"])
async def test_an_undone_rollout_is_put_back_with_its_revision_and_image(outage: bool) -> None:
    world = await start()
    await undo_after_promotion(world)
    world.change("default image")
    if outage:
        world.registry.restart_watcher()
        world.registry.fail(world.clock.now())

    await world.settle()

    stable = world.status.stable
    assert stable is not None
    assert (stable.version, stable.revision, stable.image) == (2, 2, "serving:v1")
    assert [entry.revision for entry in world.status.history] == [2, 1]
    roll = parse_roll(world.deployment["metadata"]["annotations"])
    assert roll is not None
    assert (roll.version, roll.revision, roll.inputs.image) == (2, 2, "serving:v1")
    assert "RolloutStarted" not in world.events.reasons


async def test_a_promotion_after_an_undo_supersedes_nothing() -> None:
    world = await start()
    await undo_after_promotion(world)
    world.registry.promote(3)

    await world.settle()

    assert world.status.stable is not None
    assert (world.status.stable.version, world.status.stable.revision) == (3, 3)
    assert world.status.history[0].from_version == 2
    assert "RolloutSuperseded" not in world.events.reasons


# ---- another operator ----------------------------------------------------------------------------


def test_a_roll_of_a_newer_operator_is_read_without_what_it_added() -> None:
    template: dict[str, Any] = {"spec": {}}
    annotations = to_annotations(ROLL, template)
    body = json.loads(annotations[ANNOTATION_ROLL])
    del body["seal"]
    body["inputs"]["newer"] = 1
    body["inputs"]["served"]["newer"] = 2
    body["seal"] = digest([body, template])

    found = parse_roll({**annotations, ANNOTATION_ROLL: to_canonical_json(body)})
    edited = {**body, "revision": 9}

    assert found == replace(ROLL, template=template)
    assert parse_roll({**annotations, ANNOTATION_ROLL: to_canonical_json(edited)}) is None


def test_the_label_of_the_pods_is_read_off_the_template() -> None:
    template = {"metadata": {"labels": {LABEL_INPUTS: "newer"}}}

    assert replace(ROLL, template=template).pod_label == "newer"
    assert replace(ROLL, template={"spec": {}}).pod_label == INPUTS.fingerprint
    assert ROLL.pod_label == INPUTS.fingerprint


async def test_an_operator_with_another_fingerprint_rolls_nothing_and_counts_the_pods(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = await start()
    other = property(lambda inputs: digest(["other", inputs.image, inputs.served.version]))
    monkeypatch.setattr(PodInputs, "fingerprint", other)
    world.start_operator()

    await world.settle()

    assert world.cluster.writes == []
    assert world.status.stable is not None
    assert world.status.stable.ready_replicas == 2


# ---- a lost status -------------------------------------------------------------------------------


async def test_a_lost_status_does_not_change_which_of_several_holders_is_served() -> None:
    world = World()
    world.registry.promote(2)
    await world.settle()
    world.registry.promote(1, archive=False)
    await world.settle()
    assert world.status.stable is not None
    assert world.status.stable.version == 1
    world.cluster.writes.clear()
    world.wipe_status()
    world.start_operator()

    await world.settle()

    assert world.cluster.writes == ["status"]
    assert world.status.stable.version == 1
    assert world.status.resolved is not None
    assert (world.status.resolved.version, world.status.resolved.holders) == (1, [1, 2])


async def test_a_roll_that_never_served_is_not_where_the_next_one_comes_from() -> None:
    world = World()
    world.kubelet.behave(1, never_ready=True)
    world.registry.promote(1)
    await world.until(lambda: world.runs(1))
    world.registry.promote(2)

    await world.settle()

    entry = world.status.history[0]
    assert (entry.version, entry.from_version) == (2, None)
    assert "RolloutSuperseded" in world.events.reasons


async def test_with_a_lost_status_a_superseded_roll_comes_from_what_served() -> None:
    world = await start()
    world.kubelet.behave(2, never_ready=True)
    world.registry.promote(2)
    await world.until(lambda: world.runs(2))
    world.wipe_status()
    world.registry.promote(3)

    await world.settle()

    roll = parse_roll(world.deployment["metadata"]["annotations"])
    assert roll is not None
    assert (roll.version, roll.from_version, roll.from_revision) == (3, 1, 1)
    assert "RolloutSuperseded" in world.events.reasons
