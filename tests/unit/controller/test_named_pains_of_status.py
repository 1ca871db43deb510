"""What users of other operators suffer from, one named test each: what is said, and of what.

The list of all of them is in `test_named_pains`.
"""

from dataclasses import replace

import pytest

from regisseur_contract.rehearsal import Word
from regisseur_operator.api.v1alpha1 import parse_spec
from regisseur_operator.errors import TerminalError
from regisseur_operator.resources import MODELDEPLOYMENT, POD
from support.fake_kubelet import OVERWRITTEN
from support.worlds import KEY, build_modeldeployment, start

POSITIVE = {"Ready", "Available", "Progressing", "Resolved", "RegistryReachable", "Rehearsed"}
WHILE_TRUE = {"Stalled", "Reconciling"}


# ---- what is said --------------------------------------------------------------------------------


def test_a_field_that_does_not_work_is_refused_by_name() -> None:
    with pytest.raises(TerminalError, match=r"spec\.strategy\.canary"):
        parse_spec(build_modeldeployment(strategy={"canary": {"steps": []}}))


async def test_ready_is_never_true_while_something_else_is_served() -> None:
    """Looked at after every reconcile of good, bad and hopeless promotions."""
    world = await start()
    wanted = 1

    def look(_: object) -> None:
        if world.condition("Ready")[0] == "True":
            assert world.served_versions == [str(wanted)] * 2

    world.kubelet.behave(2, crash="ValueError: 13 inputs")
    world.kubelet.behave(3, word=Word.LOAD_FAILED)
    for wanted in (2, 3, 4):
        world.registry.promote(wanted)
        await world.settle(look)
        assert world.condition("Ready")[0] == str(wanted == 4)


async def test_ready_is_false_while_the_served_version_crashes() -> None:
    world = await start()
    world.kubelet.behave(1, dies_after=1.0)

    await world.until(lambda: world.ready_pods < 2)
    await world.reconcile()

    assert world.condition("Ready")[0] == "False"
    assert world.condition("Available")[0] == "False"


async def test_ready_is_false_as_soon_as_a_pod_is_on_its_way_out() -> None:
    world = await start()
    world.cluster.terminate(POD, KEY.namespace, world.workloads.pods(KEY)[0]["metadata"]["name"])

    await world.reconcile()

    assert world.condition("Ready")[:2] == ("False", "MinimumReplicasUnavailable")


async def test_the_observed_generation_is_our_own() -> None:
    world = await start()
    for _ in range(3):
        world.change("replicas 3")
        world.change("replicas 2")
    await world.settle()

    own = world.cluster.get(MODELDEPLOYMENT, KEY)["metadata"]["generation"]
    assert own != world.deployment["metadata"]["generation"]
    assert world.status.observed_generation == own


async def test_the_set_of_conditions_holds_still_and_is_good_when_true() -> None:
    """As health checks of GitOps tools expect it: only kstatus' two come and go."""
    world = await start()
    world.kubelet.behave(2, word=Word.LOAD_FAILED)
    seen = []

    def look(_: object) -> None:
        seen.append({entry.type: entry.status for entry in world.status.conditions})

    world.registry.promote(2)
    await world.settle(look)
    world.registry.promote(3)
    await world.settle(look)

    assert all(POSITIVE <= set(found) <= POSITIVE | WHILE_TRUE for found in seen)
    assert {found[about] for found in seen for about in WHILE_TRUE if about in found} == {"True"}
    assert {seen[-1][about] for about in POSITIVE} == {"True"}


async def test_a_model_made_for_other_packages_is_kept_out() -> None:
    world = await start()
    world.kubelet.behave(2, word=Word.REQUIREMENTS_MISMATCH)
    world.registry.promote(2)

    await world.settle()

    assert world.condition("Rehearsed")[:2] == ("False", "RequirementsMismatch")
    assert world.served_versions == ["1", "1"]


async def test_which_version_answers_is_told_by_pod_status_and_history() -> None:
    world = await start()
    world.registry.promote(2)
    await world.settle()

    pod = world.workloads.pods(KEY)[0]["metadata"]
    assert pod["labels"]["regisseur.dev/model-version"] == "2"
    assert pod["annotations"]["regisseur.dev/run-id"] == "run-2"
    stable, entry = world.status.stable, world.status.history[0]
    assert stable is not None
    assert (stable.version, stable.run_id) == (2, "run-2")
    assert (entry.version, entry.run_id, entry.digest) == (2, "run-2", stable.digest)


# ---- what is at an address -----------------------------------------------------------------------


async def test_other_files_at_the_same_address_reach_no_new_pod() -> None:
    world = await start()
    world.replace_files(1, OVERWRITTEN)
    world.change("replicas 3")

    await world.settle()

    assert world.ready_pods == 2
    assert world.condition("Stalled")[1] == "ArtifactChanged"


async def test_a_version_number_that_comes_again_is_another_version() -> None:
    world = await start()
    before = {pod["metadata"]["uid"] for pod in world.workloads.pods(KEY)}
    world.registry.delete_model()
    world.registry.register(1, model_id="m-new")
    world.registry.promote(1)

    await world.settle()

    assert not before & {pod["metadata"]["uid"] for pod in world.workloads.pods(KEY)}
    assert world.status.resolved is not None
    assert world.status.resolved.model_id == "m-new"


# ---- who may do what -----------------------------------------------------------------------------


async def test_a_version_can_be_made_to_wait_until_it_is_of_age() -> None:
    world = await start()
    world.edit_spec(lambda spec: spec["model"].update(gates={"minAge": "10m"}))
    world.registry.register(2)
    made = world.registry.versions["wine", 2]
    now = int(world.clock.now().timestamp() * 1000)
    world.registry.versions["wine", 2] = replace(made, created_ms=now)
    world.registry.promote(2)

    await world.settle(patience=300)
    assert world.condition("Ready")[1] == "GateUnmet"
    await world.settle(patience=900)

    assert world.served_versions == ["2", "2"]


async def test_every_verb_is_a_patch_of_the_caller_and_told() -> None:
    world = await start()
    world.retry("1")
    world.restart("1")
    await world.settle()
    world.rollback_to(1)
    await world.settle()

    assert {"RetryRequested", "RestartRequested"} <= set(world.events.reasons)
    assert not any("ModelDeployment" in title for title in world.cluster.writes)
