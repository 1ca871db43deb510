"""Engine ONNX is asked for in the spec, tried in the rehearsal, and its refusal is told."""

from dataclasses import replace
from typing import Any

import pytest

from regisseur_operator.api.status import Lineage, Rehearsal
from regisseur_operator.api.v1alpha1 import ModelDeploymentSpec
from regisseur_operator.core import wanted
from regisseur_operator.core.faults import _is_looping
from regisseur_operator.core.fingerprint import digest
from regisseur_operator.core.observed import Configuration
from regisseur_operator.core.pods import ContainerFacts, PodFacts, RehearsalPod
from regisseur_operator.core.rehearsal import judge_rehearsal
from regisseur_operator.core.roll import PodInputs
from regisseur_operator.core.trial import Trial
from regisseur_operator.resources.pods import build_pod_template
from support.pod_parts import (
    SERVED,
    build_everything,
    build_inputs,
    build_observed,
    containers,
    environment,
)
from support.pod_security import find_violations
from support.worlds import World, start

TRIAL = Trial("abc-def", build_inputs(engine="ONNX"), Lineage(), "", "", 300.0, "Minor", "Any")
DIFFERS = "ONNX answers otherwise: rows between answers: a probability differs by 0.2"
PINNED = "Version 2 passed its rehearsal, and its files are pinned"


def build_template(**inputs: Any) -> dict[str, Any]:
    return build_pod_template("wine", build_inputs(**inputs), Lineage())


def limit_of(pod: dict[str, Any]) -> str:
    return environment(containers(pod)["convert"])["REGISSEUR_CONVERT_TIMEOUT_SECONDS"]


async def start_with_onnx(**behaviour: Any) -> World:
    world = await start()
    world.edit_spec(lambda spec: spec.update(serving={"engine": "ONNX"}))
    await world.settle()
    world.kubelet.behave(2, **behaviour)
    world.registry.promote(2)
    return world


def test_pods_of_the_usual_engine_are_those_that_were_rendered_before_there_were_others() -> None:
    """Another fingerprint would replace all pods of all resources."""
    before = replace(build_everything(), ca_config_map="", workspace="")
    assert before.fingerprint == "810327e680fabd4c"
    assert digest(before.wish) == "458a1c6f76a4a8f5"
    assert "convert" not in containers(build_template())
    assert "REGISSEUR_ENGINE" not in environment(containers(build_template())["server"])


def test_native_is_the_usual_engine() -> None:
    model = {"name": "wine", "stage": "Production"}
    serving = ModelDeploymentSpec.model_validate({"model": model}).serving
    # An older operator would refuse what the API server fills in by a newer definition.
    assert (serving.engine, serving.batching, serving.explain) == (None, None, None)


def test_the_model_is_converted_between_the_download_and_the_server() -> None:
    found = containers(build_template(engine="ONNX"))

    assert list(found) == ["fetch", "convert", "server"]
    assert found["convert"]["args"] == ["convert"]
    assert environment(found["convert"]) == {"REGISSEUR_MODEL_DIR": "/model/current"}
    assert environment(found["server"])["REGISSEUR_ENGINE"] == "ONNX"


def test_what_loads_the_model_sees_no_credentials() -> None:
    usual = build_everything()
    inputs = build_inputs(**{**vars(usual), "engine": "ONNX"})
    template = build_pod_template("wine", inputs, Lineage())

    convert = containers(template)["convert"]
    assert "envFrom" not in convert
    annotations = template["metadata"]["annotations"]
    assert annotations["eks.amazonaws.com/skip-containers"] == "convert,server"
    assert find_violations(template) == []


async def test_another_engine_is_another_try_and_replaces_the_pods() -> None:
    world = await start()
    before = world.status.stable
    world.edit_spec(lambda spec: spec.update(serving={"engine": "ONNX"}))
    await world.until(lambda: bool(world.rehearsal_pods))
    found = containers(world.rehearsal_pods[0])
    assert list(found) == ["fetch", "convert", "rehearse"]
    assert environment(found["rehearse"])["REGISSEUR_ENGINE"] == "ONNX"

    await world.settle()

    after = world.status.stable
    assert before is not None
    assert after is not None
    assert (after.version, after.revision) == (before.version, before.revision + 1)
    assert world.status.phase == "Healthy"


TIMES: list[Any] = [
    pytest.param({}, 0, id="the usual time"),
    pytest.param({"rehearsal": {"timeout": "1m"}}, 24, id="a short rehearsal"),
    pytest.param({"progressDeadlineSeconds": 100}, 40, id="a short rollout"),
    pytest.param({"rehearsal": {"timeout": "1h"}}, 0, id="a long rehearsal, the usual rollout"),
    pytest.param(
        {"rehearsal": {"timeout": "1h"}, "progressDeadlineSeconds": 1800}, 720, id="patience"
    ),
    pytest.param(
        {"rehearsal": {"enabled": False, "timeout": "1m"}}, 0, id="a rehearsal that is not made"
    ),
    pytest.param({"rehearsal": {"timeout": "1s"}}, 1, id="no time at all is no time limit"),
]


@pytest.mark.parametrize(("spec", "seconds"), TIMES)
def test_a_conversion_may_take_a_part_of_what_it_is_a_part_of(
    spec: dict[str, Any], seconds: int
) -> None:
    configuration = Configuration("serving:v1", {"default": "http://mlflow:5000"})

    def build(engine: str) -> PodInputs:
        observed = build_observed(**spec, serving={"engine": engine})
        observed = replace(observed, configuration=configuration)
        inputs = wanted.build_inputs(observed, SERVED, wanted.Image("serving:v1"), None)
        assert inputs is not None
        return inputs

    assert build("ONNX").convert_seconds == seconds
    assert build("Native").convert_seconds == 0


async def test_more_time_for_the_conversion_is_another_try_and_the_pods_get_it_too() -> None:
    world = await start_with_onnx(fallback="the conversion to ONNX took longer than 120 s")
    await world.settle()
    patience = {"rehearsal": {"timeout": "1h"}, "progressDeadlineSeconds": 1800}
    world.kubelet.behave(2, fallback="")
    world.edit_spec(lambda spec: spec.update(patience))
    await world.until(lambda: bool(world.rehearsal_pods))
    assert limit_of(world.rehearsal_pods[0]) == "720"

    await world.settle()

    assert limit_of(world.deployment["spec"]["template"]) == "720"
    assert world.condition("Rehearsed")[2] == PINNED


async def test_a_version_that_is_converted_is_served_without_a_remark() -> None:
    world = await start_with_onnx()

    await world.settle()

    assert world.condition("Rehearsed")[:3] == ("True", "RehearsalPassed", PINNED)
    assert world.status.rehearsal is not None
    assert world.status.rehearsal.facts is not None
    assert world.status.rehearsal.facts.engine == "ONNX"


async def test_a_version_that_onnx_answers_otherwise_is_served_and_the_status_says_why() -> None:
    world = await start_with_onnx(fallback=DIFFERS)

    await world.settle()

    told = f"{PINNED}; it is served by engine Native: {DIFFERS}"
    assert world.condition("Rehearsed")[:3] == ("True", "RehearsalPassed", told)
    assert world.status.rehearsal is not None
    assert world.status.rehearsal.facts is not None
    facts = world.status.rehearsal.facts
    assert (facts.engine, facts.engine_reason) == ("Native", DIFFERS)
    assert world.served_versions == ["2", "2"]
    assert world.status.phase == "Healthy"
    assert world.status.rejected == []


async def test_pods_that_were_not_asked_for_onnx_have_no_remark_about_it() -> None:
    world = await start_with_onnx(fallback=DIFFERS)
    await world.settle()

    world.edit_spec(lambda spec: spec.update(serving={"engine": "Native"}))
    await world.settle()

    assert world.condition("Rehearsed")[2] == PINNED


# ---- a conversion that is not even given up ----------------------------------------------------


def judge(phase: str = "Failed", reason: str = "", **convert: Any) -> Rehearsal:
    fetch = ContainerFacts("fetch", exit_code=0)
    part = ContainerFacts("convert", **convert)
    pod = RehearsalPod("wine-rehearsal", "uid", TRIAL.key, "3", phase=phase, reason=reason)
    pod = replace(pod, fetch=fetch, convert=part)
    return judge_rehearsal(replace(build_observed(), rehearsal_pod=pod), TRIAL)


def test_an_image_that_cannot_convert_fails_the_rehearsal_and_says_what_to_set() -> None:
    rehearsal = judge(exit_code=64, exit_message="usage: python -m regisseur_serving {fetch,serve}")

    assert (rehearsal.state, rehearsal.verdict) == ("Failed", "RehearsalCrashed")
    assert "usage: python -m regisseur_serving" in rehearsal.message
    assert "set spec.serving.engine: Native, or another image" in rehearsal.message


def test_a_conversion_that_ends_again_and_again_is_no_chance() -> None:
    pod = PodFacts(
        "uid", "wine-1", "3", "x", is_ready=False, is_terminating=False, is_finished=False
    )
    once = replace(pod, convert=ContainerFacts("convert", restarts=1, exit_code=64))
    again = replace(pod, convert=ContainerFacts("convert", waiting_reason="CrashLoopBackOff"))
    assert [_is_looping(pod), _is_looping(once), _is_looping(again)] == [False, False, True]


def test_a_node_that_ends_a_conversion_is_not_the_version_s_fault() -> None:
    assert judge(exit_code=137, exit_reason="ContainerStatusUnknown").state == "Held"


def test_a_conversion_that_uses_up_the_time_is_no_download_that_does() -> None:
    rehearsal = judge(reason="DeadlineExceeded", is_running=True)

    assert (rehearsal.state, rehearsal.verdict) == ("Failed", "RehearsalTimedOut")
    assert "not loaded and tried within spec.rehearsal.timeout" in rehearsal.message


def test_an_image_that_cannot_be_pulled_for_the_conversion_is_told() -> None:
    rehearsal = judge("Pending", waiting_reason="ErrImagePull", waiting_message="not found")

    assert (rehearsal.state, rehearsal.verdict) == ("Held", "ImagePullFailed")
