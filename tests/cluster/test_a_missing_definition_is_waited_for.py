"""Without the ModelDeployment definition the operator waits; it comes back with the definition."""

from collections.abc import Callable, Iterator

import pytest

from regisseur_devcluster.controlplane import ControlPlane
from support.control_plane import CRDS, apply_crds, create_namespace
from support.eventually import eventually
from support.kube_client import KubeClient
from support.kubelet_double import KubeletDouble
from support.mlflow_server import MlflowServer
from support.modeldeployments import Subject
from support.running_operator import RunningOperator, build_settings, connect, graveyard


@pytest.fixture
def bare(start_own_control_plane: Callable[[], ControlPlane]) -> ControlPlane:
    """Return an API server that has never heard of ModelDeployments."""
    return start_own_control_plane()


@pytest.fixture
def own_subject(bare: ControlPlane) -> Subject:
    """Return a ModelDeployment on that API server."""
    return Subject(KubeClient(bare, create_namespace(bare)))


@pytest.fixture
def operator(
    bare: ControlPlane, own_subject: Subject, mlflow_server: MlflowServer
) -> Iterator[RunningOperator]:
    """Return an operator that is going to be started there."""
    settings = build_settings(own_subject.kube.namespace, mlflow_server.url)
    with graveyard() as operators:
        operators.append(RunningOperator(settings, connect(bare.kubeconfig)))
        yield operators[0]


@pytest.mark.timeout(150)
def test_it_serves_when_the_definition_comes_and_when_it_comes_back(
    bare: ControlPlane,
    own_subject: Subject,
    operator: RunningOperator,
    promoted: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    operator.start()
    eventually(lambda: "are not defined yet" in caplog.text, deadline_seconds=20)
    assert caplog.text.count("not defined yet") == 1

    apply_crds(bare)
    own_subject.create(promoted)
    with KubeletDouble(own_subject.kube):
        own_subject.wait_until_served(1)

        # With the definition everything of its kind is gone; kopf's watch ends with it, silently.
        bare.kubectl("delete", "-f", CRDS)
        apply_crds(bare)
        again = Subject(own_subject.kube, "again")
        again.create(promoted)
        again.wait_until_served(1, deadline_seconds=90)
    assert operator.error is None
