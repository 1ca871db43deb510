"""On a real API server the resource takes what people write, and kubectl shows it well."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from regisseur_devcluster.controlplane import ControlPlane
from regisseur_operator.api.status import (
    Candidate,
    Condition,
    ConditionType,
    ModelDeploymentStatus,
    Phase,
    Reason,
    Stable,
    parse_status,
)
from regisseur_operator.api.v1alpha1 import ModelDeploymentSpec, parse_spec
from support.full_status import FULL_STATUS

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))


def create(
    control_plane: ControlPlane, namespace: str, spec: dict[str, Any], name: str = "wine"
) -> dict[str, Any]:
    """Create a ModelDeployment and return it as the API server keeps it."""
    manifest = {
        "apiVersion": "regisseur.dev/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": {"name": name},
        "spec": spec,
    }
    answer = control_plane.kubectl(
        *("create", "-n", namespace, "-o", "json", "-f", "-"), stdin=json.dumps(manifest)
    )
    created: dict[str, Any] = json.loads(answer)
    return created


def normalise(value: object) -> object:
    """Take out what is absent for Kubernetes, and spell a number as its text."""
    if not isinstance(value, dict):
        return str(value)
    children = {name: normalise(child) for name, child in value.items() if child not in (None, [])}
    return {name: child for name, child in children.items() if child != {}}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_every_example_is_taken(control_plane: ControlPlane, namespace: str, example: Path) -> None:
    control_plane.kubectl("apply", "--validate=strict", "-n", namespace, "-f", example)
    parse_spec(yaml.safe_load(example.read_text()))


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param({"model": {"name": "größte Wein", "version": "3"}}, id="the least"),
        pytest.param(
            {
                "model": {"name": "wine", "alias": "größte_1-a"},
                "serving": {"resources": {"requests": {"cpu": 1, "memory": "1Gi"}}},
                "service": {"annotations": {"example.com/a": "b"}},
                "strategy": {"rollingUpdate": {"maxSurge": "25%"}},
            },
            id="parents without all their children",
        ),
        pytest.param(
            {"model": {"name": "wine", "stage": "Staging"}, "serving": {}, "service": {}},
            id="empty parents",
        ),
        pytest.param(
            {
                "model": {"name": "wine", "version": 1, "gates": {"metrics": []}},
                "serving": {"env": [], "podTemplate": {"annotations": {}, "affinity": {}}},
            },
            id="empty lists and maps",
        ),
    ],
)
def test_the_server_fills_in_what_the_operator_would(
    control_plane: ControlPlane, namespace: str, spec: dict[str, Any]
) -> None:
    filled = create(control_plane, namespace, spec)["spec"]

    ours = ModelDeploymentSpec.model_validate(spec)
    assert ModelDeploymentSpec.model_validate(filled) == ours
    # What may be absent is never filled in: with server-side apply it would outlive its owner.
    optional = {"strategy": spec["strategy"]} if "strategy" in spec else {}
    written = {**ours.model_dump(mode="json", by_alias=True), "strategy": None, **optional}
    assert normalise(filled) == normalise(written)


def test_kubectl_get_shows_the_state_in_one_line(
    control_plane: ControlPlane, namespace: str
) -> None:
    created = create(control_plane, namespace, {"model": {"name": "wine", "alias": "champion"}})
    assert read_table(control_plane, namespace)[:2] == ["wine", "wine"]

    status = ModelDeploymentStatus(
        phase=Phase.PROGRESSING,
        reference="@champion",
        ready="2/2",
        stable=Stable(version=7, revision=3),
        candidate=Candidate(version=8, revision=4, phase="Progressing"),
    )
    write_status(control_plane, created, status)

    row = read_table(control_plane, namespace)
    assert row[:7] == ["wine", "wine", "@champion", "7", "8", "Progressing", "2/2"]


def test_a_whole_status_reads_back_as_it_was_written(
    control_plane: ControlPlane, namespace: str
) -> None:
    created = create(control_plane, namespace, {"model": {"name": "wine", "version": 1}})

    write_status(control_plane, created, FULL_STATUS)

    stored = json.loads(control_plane.kubectl("get", "mdep/wine", "-n", namespace, "-o", "json"))
    assert parse_status(stored) == FULL_STATUS
    assert stored["status"] == FULL_STATUS.to_manifest()


def test_kubectl_wait_follows_the_condition_ready(
    control_plane: ControlPlane, namespace: str
) -> None:
    created = create(control_plane, namespace, {"model": {"name": "wine", "version": 1}})
    ready = Condition.model_validate(
        {
            "type": ConditionType.READY,
            "status": "True",
            "reason": Reason.SERVING_RESOLVED_VERSION,
            "lastTransitionTime": "2026-01-02T03:04:05Z",
        }
    )
    write_status(control_plane, created, ModelDeploymentStatus(conditions=[ready]))

    control_plane.kubectl(
        *("wait", "--for=condition=Ready", "mdep/wine", "-n", namespace, "--timeout=10s")
    )


def test_kubectl_scale_changes_the_replicas(control_plane: ControlPlane, namespace: str) -> None:
    created = create(control_plane, namespace, {"model": {"name": "wine", "version": 1}})
    labels = "regisseur.dev/modeldeployment=wine"
    write_status(control_plane, created, ModelDeploymentStatus(replicas=1, selector=labels))

    control_plane.kubectl("scale", "mdep/wine", "--replicas=3", "-n", namespace)

    group = f"/apis/regisseur.dev/v1alpha1/namespaces/{namespace}/modeldeployments/wine/scale"
    scale = json.loads(control_plane.kubectl("get", "--raw", group))
    assert scale["spec"]["replicas"] == 3
    assert scale["status"] == {"replicas": 1, "selector": labels}


def test_people_cannot_write_the_status_beside_the_spec(
    control_plane: ControlPlane, namespace: str
) -> None:
    create(control_plane, namespace, {"model": {"name": "wine", "version": 1}})
    patch = json.dumps({"status": {"phase": "Healthy"}})

    control_plane.kubectl("patch", "mdep/wine", "-n", namespace, "--type=merge", "-p", patch)

    phase = control_plane.kubectl(
        "get", "mdep/wine", "-n", namespace, "-o", "jsonpath={.status.phase}"
    )
    assert phase == ""


def read_table(control_plane: ControlPlane, namespace: str) -> list[str]:
    """Return the one row of `kubectl get mdep`, after a look at its headers."""
    header, row = control_plane.kubectl("get", "mdep", "-n", namespace).splitlines()
    assert header.split() == [
        *("NAME", "MODEL", "REFERENCE", "VERSION", "CANDIDATE", "PHASE", "READY", "AGE"),
    ]
    return row.split()


def write_status(
    control_plane: ControlPlane, resource: dict[str, Any], status: ModelDeploymentStatus
) -> None:
    """Write the status as the operator does: all of it, by PUT on the subresource."""
    manifest = {**resource, "status": status.to_manifest()}
    control_plane.kubectl(
        *("replace", "--subresource=status", "--validate=strict", "-f", "-"),
        stdin=json.dumps(manifest),
    )
