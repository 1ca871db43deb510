"""A real MLflow server with workspaces: in each of them a model's name is another model."""

from collections.abc import Iterator

import pytest

from support.mlflow_server import MlflowServer
from support.model_versions import call


class WorkspacedMlflowServer(MlflowServer):
    """An MLflow server that is asked for a workspace with each request."""

    def _command(self) -> list[str]:
        return [*super()._command(), "--enable-workspaces"]


class Workspace:
    """One workspace of a server, as a registry that versions are put into.

    Args:
        server: Where it is.
        name: What to call it; it is made.
    """

    def __init__(self, server: MlflowServer, name: str) -> None:
        self._server = server
        self.workspace = ""
        call(self, "POST", "/api/3.0/mlflow/workspaces", {"name": name})
        self.workspace = name
        made = call(self, "POST", "/api/2.0/mlflow/experiments/create", {"name": "tests"})
        self.experiment: str = made["experiment_id"]

    @property
    def url(self) -> str:
        """Base URL, the same for all workspaces of the server."""
        return self._server.url


@pytest.fixture(scope="session")
def workspaced_mlflow_server(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[WorkspacedMlflowServer]:
    """Return the MLflow server with workspaces that all tests of the session share."""
    server = WorkspacedMlflowServer(tmp_path_factory.mktemp("workspaced-mlflow"))
    server.start()
    yield server
    server.stop()
