"""A real MLflow server with accounts: what an account may not see looks as if it were gone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from support.mlflow_server import MlflowServer
from support.model_versions import Json, RegistryRefusedError, call

ADMIN: Final = "admin:example-admin-password"
OPERATOR_NAME: Final = "operator"
OPERATOR: Final = f"{OPERATOR_NAME}:example-operator-password"


class GuardedMlflowServer(MlflowServer):
    """An MLflow server that asks for a name and a password; nobody but the admin may do anything.

    Its `url` is the admin's.
    """

    @property
    def url(self) -> str:
        """Base URL for the admin."""
        return self.url_of(ADMIN)

    @property
    def operator_url(self) -> str:
        """Base URL for the operator's account."""
        return self.url_of(OPERATOR)

    def url_of(self, account: str) -> str:
        """Return the base URL for an account."""
        return self.address.replace("://", f"://{account}@", 1)

    def start(self) -> None:
        """Start the server with its two accounts."""
        name, password = ADMIN.split(":")
        self.directory.mkdir(parents=True, exist_ok=True)
        self._settings.write_text(
            "[mlflow]\n"
            "default_permission = NO_PERMISSIONS\n"
            f"database_uri = sqlite:///{self.directory / 'accounts.db'}\n"
            f"admin_username = {name}\n"
            f"admin_password = {password}\n"
            "authorization_function = mlflow.server.auth:authenticate_request_basic_auth\n"
            "auth_cache_ttl_seconds = 600\n"  # a check of a password takes a quarter of a second
        )
        super().start()
        name, password = OPERATOR.split(":")
        body = {"username": name, "password": password}
        call(self, "POST", "/api/2.0/mlflow/users/create", body)

    def permit(self, kind: str, name: str) -> None:
        """Let the operator's account read a `registered_model` or an `experiment`."""
        body = {**_permission(kind, name), "permission": "READ"}
        try:
            call(self, "POST", "/api/3.0/mlflow/users/permissions/grant", body)
        except RegistryRefusedError as refusal:
            if "RESOURCE_ALREADY_EXISTS" not in str(refusal):
                raise

    def forbid(self, kind: str, name: str) -> None:
        """Take that permission away."""
        call(self, "POST", "/api/3.0/mlflow/users/permissions/revoke", _permission(kind, name))

    @property
    def _settings(self) -> Path:
        return self.directory / "basic_auth.ini"

    def _command(self) -> list[str]:
        return [*super()._command(), "--app-name", "basic-auth"]

    def _environment(self) -> dict[str, str]:
        return super()._environment() | {
            "MLFLOW_AUTH_CONFIG_PATH": str(self._settings),
            "MLFLOW_FLASK_SERVER_SECRET_KEY": "example-secret-key",
        }


def _permission(kind: str, name: str) -> Json:
    return {"username": OPERATOR_NAME, "resource_type": kind, "resource_id": name}


@pytest.fixture(scope="session")
def guarded_mlflow_server(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[GuardedMlflowServer]:
    """Return the MLflow server with accounts that all tests of the session share."""
    server = GuardedMlflowServer(tmp_path_factory.mktemp("guarded-mlflow"))
    server.start()
    yield server
    server.stop()
