"""A Deployment or Service that belongs to somebody else is not touched, not even by a byte."""

from collections.abc import Callable

import pytest

from support.eventually import eventually
from support.kube_client import Json
from support.modeldeployments import Subject
from support.running_operator import RunningOperator

Start = Callable[..., RunningOperator]

LABELS = {"app": "somebody-else"}
FOREIGN: dict[str, Json] = {
    "deployments": {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "wine", "labels": LABELS},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": LABELS},
            "template": {
                "metadata": {"labels": LABELS},
                "spec": {"containers": [{"name": "web", "image": "web:1"}]},
            },
        },
    },
    "services": {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "wine", "labels": LABELS},
        "spec": {"selector": LABELS, "ports": [{"port": 8000}]},
    },
    "poddisruptionbudgets": {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "wine"},
        "spec": {"selector": {"matchLabels": LABELS}, "minAvailable": 1},
    },
}


def _spec_and_names(manifest: Json) -> Json:
    return {"metadata": manifest["metadata"], "spec": manifest["spec"]}


@pytest.mark.usefixtures("kubelet")
@pytest.mark.parametrize("plural", FOREIGN)
def test_it_is_a_name_conflict(
    start_operator: Start, subject: Subject, promoted: str, plural: str
) -> None:
    subject.kube.create(plural, FOREIGN[plural])
    if plural == "deployments":  # its controller writes its status once
        eventually(
            lambda: subject.kube.read(plural, "wine").get("status", {}).get("observedGeneration"),
            deadline_seconds=20,
        )
    if plural == "poddisruptionbudgets":
        eventually(
            lambda: subject.kube.read(plural, "wine").get("status", {}).get("conditions"),
            deadline_seconds=20,
        )
    before = subject.kube.read(plural, "wine")
    start_operator()

    subject.create(promoted)

    found = subject.wait_for_condition("Progressing", "False", "NameConflict")
    assert "wine" in found["message"]
    assert subject.kube.read(plural, "wine") == before
    assert subject.condition("Ready")["status"] == "False"


@pytest.mark.usefixtures("kubelet")
def test_it_goes_on_by_itself_when_the_name_is_free(
    start_operator: Start, subject: Subject, promoted: str
) -> None:
    subject.kube.create("services", FOREIGN["services"])
    start_operator()
    subject.create(promoted)
    subject.wait_for_condition("Progressing", "False", "NameConflict")

    subject.kube.delete("services", "wine")

    subject.wait_until_served(1, deadline_seconds=50)
