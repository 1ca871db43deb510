"""What the registry says is on stage is rolled out."""

from collections.abc import Callable

import pytest

from regisseur_contract.names import LABEL_MODEL_VERSION
from regisseur_contract.tags import STAGE_PRODUCTION
from support.eventually import eventually
from support.kubelet_double import KubeletDouble, of_version, only
from support.mlflow_server import MlflowServer
from support.model_versions import create_model_version, set_alias, transition
from support.modeldeployments import Subject
from support.pod_states import leave_alone, ready
from support.running_operator import RunningOperator

Start = Callable[..., RunningOperator]


@pytest.mark.usefixtures("kubelet")
def test_a_promoted_version_replaces_the_one_before(
    start_operator: Start, subject: Subject, mlflow_server: MlflowServer, promoted: str
) -> None:
    start_operator()
    subject.create(promoted, replicas=2)
    subject.wait_until_served(1)
    version = create_model_version(mlflow_server, promoted)

    transition(mlflow_server, promoted, version, STAGE_PRODUCTION)

    subject.wait_until_served(2)
    history = [(e["version"], e.get("from"), e["outcome"]) for e in subject.status["history"]]
    assert history == [(2, 1, "Succeeded"), (1, None, "Succeeded")]
    labels = [pod["metadata"]["labels"][LABEL_MODEL_VERSION] for pod in subject.kube.list("pods")]
    assert set(labels) >= {"2"}


@pytest.mark.usefixtures("kubelet")
def test_a_version_that_is_put_back_is_rolled_back_to(
    start_operator: Start, subject: Subject, mlflow_server: MlflowServer, promoted: str
) -> None:
    version = create_model_version(mlflow_server, promoted)
    transition(mlflow_server, promoted, version, STAGE_PRODUCTION)
    start_operator()
    subject.create(promoted)
    subject.wait_until_served(2)

    # Without archiving, as many people do it: both versions are in Production now.
    transition(mlflow_server, promoted, 1, STAGE_PRODUCTION, archive=False)

    subject.wait_until_served(1)
    assert subject.condition("Resolved")["reason"] == "SeveralHolders"


@pytest.mark.usefixtures("kubelet")
def test_a_moved_alias_is_followed(
    start_operator: Start, subject: Subject, mlflow_server: MlflowServer, promoted: str
) -> None:
    create_model_version(mlflow_server, promoted)
    set_alias(mlflow_server, promoted, "champion", 1)
    start_operator()
    subject.create(promoted, alias="champion")
    subject.wait_until_served(1)

    set_alias(mlflow_server, promoted, "champion", 2)

    subject.wait_until_served(2)


@pytest.mark.usefixtures("kubelet")
def test_a_pinned_version_follows_nothing(
    start_operator: Start, subject: Subject, mlflow_server: MlflowServer, promoted: str
) -> None:
    operator = start_operator()
    subject.create(promoted, version=1)
    subject.wait_until_served(1)
    version = create_model_version(mlflow_server, promoted)

    transition(mlflow_server, promoted, version, STAGE_PRODUCTION)

    _wait_for_polls(operator, 4)
    assert subject.status["stable"]["version"] == 1
    assert "candidate" not in subject.status


def test_a_version_whose_pods_never_get_ready_takes_no_traffic(
    start_operator: Start,
    subject: Subject,
    kubelet: KubeletDouble,
    mlflow_server: MlflowServer,
    promoted: str,
) -> None:
    kubelet.serving = only(of_version(2), leave_alone, ready)
    start_operator()
    subject.create(promoted, replicas=2, progressDeadlineSeconds=5)
    subject.wait_until_served(1)
    version = create_model_version(mlflow_server, promoted)

    transition(mlflow_server, promoted, version, STAGE_PRODUCTION)

    subject.wait_for_condition("Progressing", "False", "ProgressDeadlineExceeded")
    assert subject.status["stable"]["version"] == 1
    assert subject.status["candidate"]["version"] == 2
    assert subject.condition("Available")["status"] == "True"
    assert subject.condition("Ready")["status"] == "False"
    running = [pod for pod in subject.kube.list("pods") if pod["status"]["phase"] == "Running"]
    assert [pod["metadata"]["labels"][LABEL_MODEL_VERSION] for pod in running] == ["1", "1"]


@pytest.mark.usefixtures("kubelet")
def test_a_suspended_one_is_left_as_it_is(
    start_operator: Start, subject: Subject, mlflow_server: MlflowServer, promoted: str
) -> None:
    start_operator()
    subject.create(promoted)
    subject.wait_until_served(1)
    subject.kube.patch("modeldeployments", subject.name, {"spec": {"suspend": True}})
    eventually(lambda: subject.status["phase"] == "Suspended", deadline_seconds=20)
    version = create_model_version(mlflow_server, promoted)
    transition(mlflow_server, promoted, version, STAGE_PRODUCTION)
    other = Subject(subject.kube, "other")
    other.create(promoted)
    other.wait_until_served(2)
    assert subject.status["stable"]["version"] == 1

    subject.kube.patch("modeldeployments", subject.name, {"spec": {"suspend": False}})

    subject.wait_until_served(2)


def _wait_for_polls(operator: RunningOperator, count: int) -> None:
    """Wait until the operator has had a chance to see the registry a few times more."""
    name = "regisseur_operator_registry_calls_total"
    labels = {"model_registry": "default", "outcome": "answered"}
    before = operator.sample(name, **labels)
    eventually(
        lambda: operator.sample(name, **labels) >= before + count,
        deadline_seconds=20,
        describe="the registry is asked",
    )
