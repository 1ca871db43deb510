"""What all cluster tests of the operator share: a namespace, a registry and pods that get ready."""

from collections.abc import Callable, Iterator

import pytest

from regisseur_contract.tags import STAGE_PRODUCTION
from regisseur_devcluster.controlplane import ControlPlane
from regisseur_operator.adapters.kubernetes_session import Connection
from support.kube_client import KubeClient
from support.kubelet_double import KubeletDouble
from support.mlflow_server import MlflowServer
from support.model_versions import create_model_version, transition
from support.modeldeployments import Subject
from support.running_operator import RunningOperator, build_settings, connect, graveyard

OF_SETTINGS = ("identity", "poll_seconds", "lease", "serving_image", "changes")


@pytest.fixture
def kube(control_plane: ControlPlane, namespace: str) -> Iterator[KubeClient]:
    """Return the test's namespace; its ModelDeployments are gone when the test is over."""
    client = KubeClient(control_plane, namespace)
    yield client
    if control_plane.is_ready:
        for found in client.list("modeldeployments"):
            client.delete("modeldeployments", found["metadata"]["name"])


@pytest.fixture
def subject(kube: KubeClient) -> Subject:
    """Return the ModelDeployment of the test, which is not there yet."""
    return Subject(kube)


@pytest.fixture
def kubelet(kube: KubeClient) -> Iterator[KubeletDouble]:
    """Let the pods of the namespace become ready."""
    with KubeletDouble(kube) as double:
        yield double


@pytest.fixture
def connection(control_plane: ControlPlane) -> Connection:
    """Return the way to the API server for operators."""
    return connect(control_plane.kubeconfig)


@pytest.fixture
def start_operator(
    connection: Connection, namespace: str, mlflow_server: MlflowServer
) -> Iterator[Callable[..., RunningOperator]]:
    """Return a function that starts an operator; those that still run are killed at the end."""
    with graveyard() as operators:

        def start(*, url: str = mlflow_server.url, **options: object) -> RunningOperator:
            own = {k: options.pop(k) for k in OF_SETTINGS if k in options}
            settings = build_settings(namespace, url, **own)  # type: ignore[arg-type]
            operators.append(RunningOperator(settings, connection, **options))  # type: ignore[arg-type]
            return operators[-1].start()

        yield start


@pytest.fixture
def promoted(mlflow_server: MlflowServer, model_name: str) -> str:
    """Return the name of a model whose version 1 is in Production."""
    version = create_model_version(mlflow_server, model_name)
    transition(mlflow_server, model_name, version, STAGE_PRODUCTION)
    return model_name
