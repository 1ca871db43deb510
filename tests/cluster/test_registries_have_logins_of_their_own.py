"""Several registries at once, each with its own log-in and workspace."""

from collections.abc import Callable
from pathlib import Path

import pytest

from regisseur_contract.tags import STAGE_PRODUCTION
from regisseur_operator.settings import RegistrySettings
from support.guarded_mlflow_server import OPERATOR, GuardedMlflowServer
from support.model_versions import create_model_version, transition
from support.modeldeployments import Subject
from support.running_operator import RunningOperator
from support.workspaced_mlflow_server import Workspace, WorkspacedMlflowServer

Start = Callable[..., RunningOperator]
Registry = GuardedMlflowServer | Workspace


def promote(server: Registry, name: str) -> None:
    version = create_model_version(server, name)
    transition(server, name, version, STAGE_PRODUCTION)


@pytest.fixture
def log_in(tmp_path: Path) -> Path:
    """Return a folder as of a mounted Secret, with the password of yesterday."""
    (tmp_path / "username").write_text(OPERATOR.split(":")[0])
    (tmp_path / "password").write_text("example-of-yesterday")
    return tmp_path


@pytest.fixture
def registries(
    guarded_mlflow_server: GuardedMlflowServer,
    workspaced_mlflow_server: WorkspacedMlflowServer,
    model_name: str,
    log_in: Path,
) -> tuple[RegistrySettings, ...]:
    """Return one registry with a log-in, and one with a workspace; both have the test's model."""
    guarded_mlflow_server.permit("experiment", "0")
    promote(guarded_mlflow_server, model_name)
    guarded_mlflow_server.permit("registered_model", model_name)
    promote(Workspace(workspaced_mlflow_server, "cellar"), model_name)
    return (
        RegistrySettings(
            name="guarded",
            url=guarded_mlflow_server.address,
            poll_interval_seconds=0.5,
            credentials_directory=log_in,
        ),
        RegistrySettings(
            name="divided",
            url=workspaced_mlflow_server.url,
            poll_interval_seconds=0.5,
            workspace="cellar",
        ),
    )


@pytest.mark.usefixtures("kubelet")
def test_each_is_asked_in_its_own_way_and_a_new_password_is_enough(
    start_operator: Start,
    registries: tuple[RegistrySettings, ...],
    subject: Subject,
    model_name: str,
) -> None:
    divided = Subject(subject.kube, "beer")
    start_operator(changes={"registries": registries})

    divided.create(model_name, registry="divided")
    subject.create(model_name, registry="guarded")

    divided.wait_until_served(1)
    denied = subject.wait_for_condition("Resolved", "Unknown", "RegistryDenied")
    assert "example-of-yesterday" not in str(denied)
    folder = registries[0].credentials_directory
    assert folder is not None
    (folder / "password").write_text(OPERATOR.split(":")[1])
    subject.wait_until_served(1)
    fetch = divided.kube.read("deployments", "beer")["spec"]["template"]["spec"]["initContainers"]
    told = {entry["name"]: entry.get("value") for entry in fetch[0]["env"]}
    assert told["REGISSEUR_REGISTRY_WORKSPACE"] == "cellar"
