"""A ModelDeployment made to do harm is refused, or does harm to nobody but itself."""

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import pytest

from support.eventually import eventually
from support.kube_client import Json, KubeClient, KubeRefusedError
from support.modeldeployments import Subject, build_modeldeployment
from support.running_operator import RunningOperator

Start = Callable[..., RunningOperator]

MANY = 10_000
HUGE = "x" * (1 << 20)
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def serving(**parts: Any) -> Json:
    return {"serving": parts}


def pods(**parts: Any) -> Json:
    return serving(podTemplate=parts)


def gate(**parts: Any) -> Json:
    return {"name": "accuracy", "threshold": 0.9, **parts}


REFUSED: dict[str, Json] = {
    "10,000 variables": serving(env=[{"name": f"V{i}", "value": "x"} for i in range(MANY)]),
    "a variable of a megabyte": serving(env=[{"name": "V", "value": HUGE}]),
    "64 variables of 32 KiB": serving(
        env=[{"name": f"V{i}", "value": "x" * 32768} for i in range(64)]
    ),
    "the name of a variable of a megabyte": serving(env=[{"name": HUGE, "value": "x"}]),
    "an image of a megabyte": serving(image=HUGE),
    "10,000 pull secrets": serving(imagePullSecrets=[{"name": f"s{i}"} for i in range(MANY)]),
    "10,000 resources": serving(
        resources={"limits": {f"example.com/r{i}": "1" for i in range(MANY)}}
    ),
    "10,000 labels": pods(labels={f"l{i}": "x" for i in range(MANY)}),
    "10,000 annotations": pods(annotations={f"a{i}": "x" for i in range(MANY)}),
    "an annotation of a megabyte": pods(annotations={"a": HUGE}),
    "10,000 tolerations": pods(tolerations=[{"operator": "Exists"}] * MANY),
    "10,000 constraints": pods(
        topologySpreadConstraints=[
            {"maxSkew": 1, "topologyKey": f"k{i}", "whenUnsatisfiable": "ScheduleAnyway"}
            for i in range(MANY)
        ]
    ),
    "10,000 gates": {"gates": {"metrics": [gate(name=f"m{i}") for i in range(MANY)]}},
    "10,000 tags": {"gates": {"requiredTags": {f"t{i}": "x" for i in range(MANY)}}},
    "a tag of a megabyte": {"gates": {"requiredTags": {"t": HUGE}}},
    "a duration of a megabyte": {"rehearsal": {"timeout": HUGE}},
    "10,000 annotations of the Service": {
        "service": {"annotations": {f"a{i}": "x" for i in range(MANY)}}
    },
}


def build(spec: Json) -> Json:
    """Return a manifest with a spec; gates belong to the model."""
    rest = dict(spec)
    gates = rest.pop("gates", None)
    manifest = build_modeldeployment("hostile", "wine", **rest)
    if gates is not None:
        manifest["spec"]["model"]["gates"] = gates
    return manifest


ENDS = {"RolloutComplete", "InvalidSpec"}


def build_largest(letter: str) -> Json:
    """Return a spec that is as large as it may be."""
    keys = [f"{i:02}.example.com/{'k' * 50}" for i in range(32)]
    return {
        "replicas": 1,
        "service": {"annotations": dict.fromkeys(keys, letter * 1024)},
        "serving": {
            "env": [{"name": f"V{i}", "value": letter * 512} for i in range(64)],
            "podTemplate": {
                "labels": dict.fromkeys(keys, "v" * 63),
                "annotations": dict.fromkeys(keys, letter * 1024),
                "nodeSelector": dict.fromkeys(keys, "v" * 63),
                "tolerations": [
                    {"key": key, "operator": "Equal", "value": "v" * 63} for key in keys
                ],
                "affinity": {
                    "podAntiAffinity": {REQUIRED: [{"topologyKey": key} for key in keys * 9]}
                },
            },
        },
    }


@pytest.mark.parametrize("what", REFUSED)
def test_it_is_refused(kube: KubeClient, what: str) -> None:
    with pytest.raises(KubeRefusedError) as caught:
        kube.create("modeldeployments", build(REFUSED[what]))

    assert caught.value.code in {
        HTTPStatus.UNPROCESSABLE_ENTITY,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    }


HERE = "here"
DEPTH = 9900
"""The API server takes ten thousand levels."""

TOLD: dict[str, Json] = {
    "a deep affinity": pods(affinity={"nodeAffinity": {"deep": HERE}}),
    "a deep term": pods(affinity={"podAffinity": {REQUIRED: [{"labelSelector": HERE}]}}),
    "10,000 terms of affinity": pods(
        affinity={"podAntiAffinity": {REQUIRED: [{"topologyKey": "zone"}] * MANY}}
    ),
    "a megabyte in an affinity": pods(
        affinity={"podAntiAffinity": {REQUIRED: [{"topologyKey": HUGE}]}}
    ),
}
UNSEEN: dict[str, Json] = {
    "a deep field that is none": pods(deeper=HERE),
    "a deep spec": {"deeper": HERE},
}


def write(spec: Json) -> str:
    """Write a manifest; no library of Python's writes objects in objects in objects."""
    nested = '{"deeper":' * DEPTH + "{}" + "}" * DEPTH
    return json.dumps(build(spec)).replace(f'"{HERE}"', nested)


@pytest.mark.usefixtures("kubelet")
@pytest.mark.parametrize("what", TOLD)
def test_it_is_told_what_is_wrong_with_it(
    start_operator: Start, subject: Subject, promoted: str, what: str
) -> None:
    """What the schema leaves open is bounded by the operator, and stops the look at no other."""
    operator = start_operator()
    hostile = Subject(subject.kube, "hostile")
    subject.kube.post("modeldeployments", write(TOLD[what]))

    found = hostile.wait_for_condition("Progressing", "False", "InvalidSpec")

    assert found["message"].startswith("spec.serving.podTemplate.affinity: ")
    subject.create(promoted)
    subject.wait_until_served(1)
    assert hostile.children() == {}
    operator.stop()
    again = start_operator(identity="operator-2")
    again.wait_until_leading()
    subject.kube.delete("poddisruptionbudgets", subject.name)
    eventually(
        lambda: subject.kube.get("poddisruptionbudgets", subject.name),
        deadline_seconds=20,
        describe="an operator that finds it there works as well",
    )


@pytest.mark.usefixtures("kubelet")
@pytest.mark.parametrize("what", UNSEEN)
def test_what_is_no_field_reaches_nobody(
    start_operator: Start, subject: Subject, promoted: str, what: str
) -> None:
    operator = start_operator()
    subject.kube.post("modeldeployments", write(UNSEEN[what]))
    subject.create(promoted)

    subject.wait_until_served(1)

    assert operator.is_alive


@pytest.mark.usefixtures("kubelet")
@pytest.mark.parametrize("letter", ["x", "\u00e9", "\U0001f377"])
def test_the_largest_that_is_taken_is_served_or_told(
    start_operator: Start, subject: Subject, promoted: str, letter: str
) -> None:
    start_operator()
    hostile = Subject(subject.kube, "hostile")
    hostile.create(promoted, **build_largest(letter))
    subject.create(promoted)

    subject.wait_until_served(1)

    progressing = eventually(
        lambda: (
            found if (found := hostile.condition("Progressing")).get("reason") in ENDS else None
        ),
        deadline_seconds=40,
        describe=lambda: f"it comes to an end; {hostile.status}",
    )
    assert progressing is not None
    if letter == "x":
        assert progressing["reason"] == "RolloutComplete"
