"""What begins a roll, what does not, and what is kept of it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from regisseur_operator.core.roll import PodInputs, Roll, Served, parse_roll, to_annotations
from regisseur_operator.resources import DEPLOYMENT
from support.worlds import KEY, World, start

SERVED = Served("default", "wine", 3, "run-3", "m-3", "mlflow-artifacts:/1/models/m-3")
INPUTS = PodInputs(SERVED, "serving:v1", True, "http://mlflow:5000", limits={"cpu": "1"})
ROLL = Roll(2, 1, 1, datetime(2026, 1, 1, tzinfo=UTC), INPUTS, key="a-b", last=3)

SAME_PODS: list[Any] = [
    pytest.param(replace(INPUTS, limits={"cpu": "1000m"}), id="the same amount written otherwise"),
    pytest.param(replace(INPUTS, registry_url="http://other"), id="another registry address"),
    pytest.param(replace(INPUTS, trusts_pickle=True), id="another policy of the registry"),
    pytest.param(replace(INPUTS, is_default_image=False), id="the same image, now by the spec"),
    pytest.param(replace(INPUTS, workspace="cellar"), id="a workspace of the same registry"),
    pytest.param(replace(INPUTS, image_tag="regisseur.image"), id="the same image, now by a tag"),
]
OTHER_PODS: list[Any] = [
    pytest.param(replace(INPUTS, image="serving:v2"), id="another image"),
    pytest.param(replace(INPUTS, limits={}), id="a limit taken away"),
    pytest.param(replace(INPUTS, requests={"cpu": "1"}), id="a request beside the limit"),
    pytest.param(replace(INPUTS, served=replace(SERVED, version=4)), id="another version"),
    pytest.param(replace(INPUTS, served=replace(SERVED, source="s3://b/x")), id="another source"),
    pytest.param(replace(INPUTS, served=replace(SERVED, model_id="m-4")), id="a model made again"),
    pytest.param(replace(INPUTS, env=({"name": "A", "value": "1"},)), id="another environment"),
    pytest.param(replace(INPUTS, pull_secrets=("ecr",)), id="another pull secret"),
    pytest.param(replace(INPUTS, service_account="reader"), id="another service account"),
    pytest.param(replace(INPUTS, credentials_secret="s3"), id="other credentials"),
    pytest.param(replace(INPUTS, ca_config_map="authorities"), id="other authorities"),
    pytest.param(replace(INPUTS, pod_template={"metadata": {}}), id="another pod template"),
    pytest.param(replace(INPUTS, digest="sha256:1"), id="other files"),
    pytest.param(replace(INPUTS, restart="now"), id="a restart"),
]


@pytest.mark.parametrize("inputs", SAME_PODS)
def test_inputs_that_give_the_same_pods(inputs: PodInputs) -> None:
    assert inputs.fingerprint == INPUTS.fingerprint


@pytest.mark.parametrize("inputs", OTHER_PODS)
def test_inputs_that_give_other_pods(inputs: PodInputs) -> None:
    assert inputs.fingerprint != INPUTS.fingerprint


def test_a_roll_comes_back_from_its_annotations() -> None:
    template: dict[str, Any] = {"spec": {"containers": []}}

    assert parse_roll(to_annotations(ROLL, template)) == replace(ROLL, template=template)


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda a: a.clear(), id="the annotations are gone"),
        pytest.param(lambda a: a.update({"regisseur.dev/roll": "no JSON"}), id="no JSON"),
        pytest.param(lambda a: a.update({"regisseur.dev/roll": "[]"}), id="JSON of another shape"),
        pytest.param(
            lambda a: a.update({"regisseur.dev/pod-template": '{"spec":{"hostNetwork":true}}'}),
            id="another template",
        ),
        pytest.param(
            lambda a: a.update(
                {"regisseur.dev/roll": a["regisseur.dev/roll"].replace("run-3", "run-4")}
            ),
            id="another run",
        ),
    ],
)
def test_a_roll_that_somebody_edited_is_none(spoil: Callable[[dict[str, str]], None]) -> None:
    annotations = to_annotations(ROLL, {"spec": {}})
    spoil(annotations)

    assert parse_roll(annotations) is None


# ---- in a world ----------------------------------------------------------------------------------


def server_of(world: World) -> dict[str, Any]:
    containers = world.deployment["spec"]["template"]["spec"]["containers"]
    return dict(containers[0])


async def test_a_new_default_image_waits_for_the_next_version() -> None:
    world = await start()
    world.change("default image")
    await world.settle()
    assert world.cluster.writes == []
    assert server_of(world)["image"] == "serving:v1"

    world.registry.promote(2)
    await world.settle()

    assert server_of(world)["image"] == "serving:v2"


async def test_an_image_in_the_spec_is_taken_at_once_and_given_up_again() -> None:
    world = await start()
    world.change("image")
    await world.settle()
    assert server_of(world)["image"] == "own:v1"

    world.edit_spec(lambda spec: spec.pop("serving"))
    await world.settle()

    assert server_of(world)["image"] == "serving:v1"
    assert world.status.stable is not None
    assert world.status.stable.revision == 3


async def test_an_upgrade_of_the_operator_keeps_the_template_word_for_word(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = await start()
    before = world.deployment["spec"]["template"]
    monkeypatch.setattr("regisseur_operator.resources.pods.USER_ID", 20002)
    world.start_operator()
    world.change("replicas 3")

    await world.settle()

    assert world.deployment["spec"]["replicas"] == 3
    assert world.deployment["spec"]["template"] == before
    assert world.status.stable is not None
    assert world.status.stable.revision == 1


async def test_a_removed_limit_is_removed_from_the_pods() -> None:
    world = await start(serving={"resources": {"limits": {"memory": "1Gi"}}})
    world.edit_spec(lambda spec: spec.pop("serving"))

    await world.settle()

    assert server_of(world)["resources"].get("limits", {}) == {}


async def test_an_amount_written_otherwise_rolls_nothing() -> None:
    world = await start(serving={"resources": {"limits": {"cpu": "1000m"}}})
    world.edit_spec(lambda spec: spec.update(serving={"resources": {"limits": {"cpu": 1}}}))

    await world.settle()

    assert "apply Deployment wine" not in world.cluster.writes


async def test_a_deployment_deleted_in_an_outage_comes_back_as_it_was() -> None:
    world = await start()
    before = world.deployment["spec"]
    world.registry.restart_watcher()
    world.registry.fail(world.clock.now())
    world.change("default image")
    world.cluster.remove(DEPLOYMENT, *KEY)

    await world.settle()

    assert world.deployment["spec"] == before
    assert world.status.stable is not None
    assert world.status.stable.revision == 1


async def test_an_edited_roll_is_written_again_from_the_status() -> None:
    world = await start()
    pods = [pod["metadata"]["uid"] for pod in world.workloads.pods(KEY)]
    world.cluster.edit(DEPLOYMENT, KEY, lambda live: live["metadata"].pop("annotations"))

    await world.settle()

    assert parse_roll(world.deployment["metadata"]["annotations"]) is not None
    assert [pod["metadata"]["uid"] for pod in world.workloads.pods(KEY)] == pods
    assert world.status.stable is not None
    assert world.status.stable.revision == 1


async def test_a_lost_status_comes_back_from_what_runs() -> None:
    world = await start()
    before = world.status
    world.registry.restart_watcher()
    world.wipe_status()
    world.start_operator()
    await world.settle()
    assert world.cluster.writes == ["status"]
    world.registry.recover()
    await world.settle()

    after = world.status
    assert after.stable == before.stable
    assert after.history == before.history
    assert after.phase == "Healthy"


async def test_a_status_lost_mid_roll_still_knows_what_was_stable() -> None:
    world = await start()
    world.registry.promote(2)
    await world.until(lambda: world.runs(2))
    world.wipe_status()

    await world.reconcile()

    assert world.status.stable is not None
    assert (world.status.stable.version, world.status.stable.revision) == (1, 1)
    assert world.status.candidate is not None
    assert (world.status.candidate.version, world.status.candidate.revision) == (2, 2)


async def test_a_roll_begun_before_a_crash_goes_on_though_the_registry_is_down() -> None:
    world = await start()
    world.registry.promote(2)
    await world.until(lambda: "delete Pod wine-rehearsal" in world.cluster.writes)
    assert world.cluster.writes.count("apply Deployment wine") == 1
    world.start_operator()
    world.registry.restart_watcher()
    world.registry.fail(world.clock.now())

    await world.settle()

    assert world.cluster.writes.count("apply Deployment wine") == 1
    assert world.status.stable is not None
    assert world.status.stable.version == 2


async def test_a_memory_rebuilt_from_what_runs_does_not_make_an_old_holder_new() -> None:
    world = await start()
    world.registry.promote(2, archive=False)
    await world.settle()
    world.registry.restart_watcher()
    world.wipe_status()
    await world.settle()
    world.cluster.writes.clear()
    world.registry.recover()

    await world.settle()

    assert world.cluster.writes == ["status"]
    assert world.status.stable is not None
    assert world.status.stable.version == 2


async def test_replicas_0_serve_nothing_and_say_so() -> None:
    world = await start()
    world.change("replicas 0")

    await world.settle()

    assert world.ready_pods == 0
    assert world.status.ready == "0/0"
    ready = ("True", "ScaledToZero", "No pod is asked for: spec.replicas is 0")
    assert world.condition("Ready") == ready
    assert world.condition("Available")[:2] == ("True", "ScaledToZero")


async def test_what_is_promoted_while_there_are_no_pods_is_complete_once_one_ran() -> None:
    world = await start()
    world.change("replicas 0")
    world.registry.promote(2)
    await world.settle()
    status = world.status
    assert status.stable is not None
    assert status.candidate is not None
    assert (status.stable.version, status.candidate.version) == (1, 2)
    assert [entry.version for entry in status.history] == [1]
    assert world.condition("Ready")[:2] == ("True", "ScaledToZero")
    assert "version 2 with the next pod" in world.condition("Progressing")[2]
    assert "Reconciling" not in {entry.type for entry in status.conditions}
    assert status.phase == "Healthy"

    world.kubelet.behave(2, crash="ValueError: wrong shape")
    world.change("replicas 2")
    await world.settle()

    assert world.served_versions == ["1", "1"], "it can still be taken back"
    assert [entry.version for entry in world.status.rejected] == [2]


async def test_a_promotion_at_zero_is_complete_with_its_first_pods() -> None:
    world = await start()
    world.change("replicas 0")
    world.registry.promote(2)
    await world.settle()
    world.change("replicas 2")

    await world.settle()

    assert world.served_versions == ["2", "2"]
    assert [entry.version for entry in world.status.history] == [2, 1]


async def test_a_wait_at_the_gates_is_told_while_there_are_no_pods() -> None:
    world = await start()
    world.change("replicas 0")
    world.registry.promote(2)
    await world.settle()
    world.change("approval gate")
    world.registry.promote(3)

    await world.settle()

    assert world.condition("Ready")[:2] == ("False", "GateUnmet")
