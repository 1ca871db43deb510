"""MLflow may be killed, hang or talk nonsense: pods serve on, the resource says so, it heals."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from regisseur_contract.tags import STAGE_PRODUCTION
from support.mlflow_server import MlflowServer
from support.model_versions import create_model_version, transition
from support.modeldeployments import Subject
from support.running_operator import RunningOperator

Start = Callable[..., RunningOperator]

OUTAGE_SECONDS = 30.0
"""For so long a registry may be silent before it is told."""


@pytest.fixture
def own_mlflow(tmp_path: Path) -> Iterator[MlflowServer]:
    """Return an MLflow server that the test may kill."""
    server = MlflowServer(tmp_path / "mlflow")
    server.start()
    yield server
    server.kill()


@pytest.mark.usefixtures("kubelet")
@pytest.mark.timeout(200)
def test_it_is_told_and_healed_and_nothing_is_taken_away(
    start_operator: Start, subject: Subject, own_mlflow: MlflowServer, model_name: str
) -> None:
    version = create_model_version(own_mlflow, model_name)
    transition(own_mlflow, model_name, version, STAGE_PRODUCTION)
    start_operator(url=own_mlflow.url)
    subject.create(model_name)
    subject.wait_until_served(1)
    before = subject.children()["deployments"]["spec"]

    own_mlflow.kill()

    told = subject.wait_for_condition(
        "RegistryReachable", "False", "RegistryUnreachable", deadline_seconds=OUTAGE_SECONDS + 20
    )
    assert own_mlflow.url in told["message"]
    assert subject.children()["deployments"]["spec"] == before
    assert subject.condition("Available")["status"] == "True"
    assert subject.status["stable"]["version"] == 1

    own_mlflow.start()
    version = create_model_version(own_mlflow, model_name)
    transition(own_mlflow, model_name, version, STAGE_PRODUCTION)

    subject.wait_for_condition("RegistryReachable", "True", "RegistryAnswers")
    subject.wait_until_served(2)


@pytest.mark.usefixtures("kubelet")
@pytest.mark.timeout(120)
def test_a_registry_that_was_never_there_is_told(
    start_operator: Start, subject: Subject, model_name: str
) -> None:
    start_operator(url="http://127.0.0.1:9")

    subject.create(model_name)

    subject.wait_for_condition(
        "RegistryReachable", "False", "RegistryUnreachable", deadline_seconds=OUTAGE_SECONDS + 20
    )
    assert subject.children() == {}
