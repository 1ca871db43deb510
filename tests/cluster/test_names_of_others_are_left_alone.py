"""What belongs to somebody else is not touched, not even by a byte, whatever it is called."""

from collections.abc import Callable

import pytest

from regisseur_contract.tags import STAGE_PRODUCTION
from support.eventually import eventually
from support.kube_client import Json
from support.kubelet_double import KubeletDouble
from support.mlflow_server import MlflowServer
from support.model_versions import create_model_version, transition
from support.modeldeployments import Subject
from support.pod_states import leave_alone, ready
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
    "controllerrevisions": {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {"name": "wine-1", "labels": LABELS},
        "revision": 1,
        "data": {"of": "somebody else"},
    },
}
POD: Json = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "wine-rehearsal", "labels": LABELS},
    "spec": {"containers": [{"name": "web", "image": "web:1"}]},
}
WRITTEN_ONCE = {"deployments": "observedGeneration", "poddisruptionbudgets": "conditions"}


@pytest.mark.usefixtures("kubelet")
@pytest.mark.parametrize("plural", FOREIGN)
def test_it_is_a_name_conflict(
    start_operator: Start, subject: Subject, promoted: str, plural: str
) -> None:
    name = subject.kube.create(plural, FOREIGN[plural])["metadata"]["name"]
    if plural in WRITTEN_ONCE:  # by its controller
        eventually(
            lambda: subject.kube.read(plural, name).get("status", {}).get(WRITTEN_ONCE[plural]),
            deadline_seconds=20,
        )
    before = subject.kube.read(plural, name)
    start_operator()

    subject.create(promoted)

    found = subject.wait_for_condition("Progressing", "False", "NameConflict")
    assert f"{before['kind']} {name}" in found["message"]
    assert subject.kube.read(plural, name) == before
    assert subject.condition("Ready")["status"] == "False"
    assert not subject.children().keys() - {plural}


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


def test_a_rehearsal_does_not_take_the_place_of_somebodys_pod(
    start_operator: Start, subject: Subject, kubelet: KubeletDouble, promoted: str
) -> None:
    kubelet.serving = leave_alone
    before = subject.kube.create("pods", POD)
    start_operator()

    subject.create(promoted)

    found = subject.wait_for_condition("Progressing", "False", "NameConflict")
    assert "Pod wine-rehearsal" in found["message"]
    assert subject.kube.read("pods", "wine-rehearsal") == before
    kubelet.serving = ready

    subject.kube.delete("pods", "wine-rehearsal", grace_seconds=0)

    subject.wait_until_served(1, deadline_seconds=50)


@pytest.mark.timeout(150)
@pytest.mark.usefixtures("kubelet")
def test_a_foreign_revision_holds_up_a_rollout_and_not_what_is_served(
    start_operator: Start, subject: Subject, mlflow_server: MlflowServer, promoted: str
) -> None:
    start_operator()
    subject.create(promoted)
    subject.wait_until_served(1)
    foreign = {**FOREIGN["controllerrevisions"], "metadata": {"name": "wine-2", "labels": LABELS}}
    before = subject.kube.create("controllerrevisions", foreign)
    version = create_model_version(mlflow_server, promoted)
    transition(mlflow_server, promoted, version, STAGE_PRODUCTION)

    subject.wait_for_condition("Ready", "False", "NameConflict")

    assert subject.kube.read("controllerrevisions", "wine-2") == before
    assert subject.status["stable"]["version"] == 1
    assert subject.condition("Available")["status"] == "True"
    subject.kube.delete("services", "wine")
    eventually(lambda: subject.kube.get("services", "wine"), deadline_seconds=20)

    subject.kube.delete("controllerrevisions", "wine-2")

    subject.wait_until_served(version, deadline_seconds=90)
