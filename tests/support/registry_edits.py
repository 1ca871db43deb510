"""What else people do to a model registry: rename, describe, delete, overwrite, note.

Every edit is a call of MLflow's REST API, but for the two that it has no call for: those go into
its database.
"""

import sqlite3
import time
import urllib.parse

from support.mlflow_server import MlflowServer
from support.model_versions import (
    Registry,
    call,
    create_registered_model,
    read_version,
    send,
)

_MODELS = "/api/2.0/mlflow/registered-models"
_VERSIONS = "/api/2.0/mlflow/model-versions"
_RUNS = "/api/2.0/mlflow/runs"


def create_version_from(server: Registry, name: str, source: str) -> int:
    """Register the next version of a model from any address, without a run; return its number."""
    create_registered_model(server, name)
    answer = call(server, "POST", f"{_VERSIONS}/create", {"name": name, "source": source})
    return int(answer["model_version"]["version"])


def delete_model(server: Registry, name: str) -> None:
    """Delete a registered model with all its versions."""
    call(server, "DELETE", f"{_MODELS}/delete", {"name": name})


def rename_model(server: Registry, name: str, new_name: str) -> None:
    """Give a registered model another name."""
    call(server, "POST", f"{_MODELS}/rename", {"name": name, "new_name": new_name})


def describe_model(server: Registry, name: str, text: str) -> None:
    """Write a description of a registered model."""
    call(server, "PATCH", f"{_MODELS}/update", {"name": name, "description": text})


def describe_version(server: Registry, name: str, version: int, text: str) -> None:
    """Write a description of a version."""
    body = {"name": name, "version": str(version), "description": text}
    call(server, "PATCH", f"{_VERSIONS}/update", body)


def set_model_tag(server: Registry, name: str, key: str, value: str) -> None:
    """Set a tag of a registered model."""
    call(server, "POST", f"{_MODELS}/set-tag", {"name": name, "key": key, "value": value})


def set_run_tag(server: Registry, run_id: str, key: str, value: str) -> None:
    """Set a tag of a run."""
    call(server, "POST", f"{_RUNS}/set-tag", {"run_id": run_id, "key": key, "value": value})


def log_metric(server: Registry, run_id: str, key: str, value: float | str) -> None:
    """Log a metric; text says what JSON has no number for, such as NaN."""
    moment = time.time_ns() // 1_000_000
    body = {"run_id": run_id, "key": key, "value": value, "timestamp": moment, "step": 1}
    call(server, "POST", f"{_RUNS}/log-metric", body)


def overwrite_artifact(server: Registry, name: str, version: int, file: str, data: bytes) -> None:
    """Replace a file of a version in place, as the artifact proxy lets anybody do."""
    query = urllib.parse.urlencode({"name": name, "version": version})
    answer = call(server, "GET", f"{_VERSIONS}/get-download-uri?{query}")
    place = answer["artifact_uri"].removeprefix("mlflow-artifacts:/")
    target = urllib.parse.quote(f"{place}/{file}")
    send(server, "PUT", f"/api/2.0/mlflow-artifacts/artifacts/{target}", data)


def read_run_id(server: Registry, name: str, version: int) -> str:
    """Return the run that made a version."""
    return str(read_version(server, name, version)["run_id"])


def write_status(server: MlflowServer, name: str, version: int, status: str) -> None:
    """Give a version a status that MLflow knows and only other stores than SQL ever set."""
    edit = "UPDATE model_versions SET status = ? WHERE name = ? AND version = ?"
    _execute(server, (edit, (status, name, version)))


def erase_run(server: MlflowServer, run_id: str) -> None:
    """Take a run out of the database for good, as MLflow's garbage collection does."""
    _execute(
        server,
        ("DELETE FROM metrics WHERE run_uuid = ?", (run_id,)),
        ("DELETE FROM latest_metrics WHERE run_uuid = ?", (run_id,)),
        ("DELETE FROM tags WHERE run_uuid = ?", (run_id,)),
        ("DELETE FROM runs WHERE run_uuid = ?", (run_id,)),
    )


def _execute(server: MlflowServer, *statements: tuple[str, tuple[str | int, ...]]) -> None:
    database = sqlite3.connect(server.directory / "mlflow.db", timeout=10.0)
    try:
        with database:
            for statement, values in statements:
                database.execute(statement, values)
    finally:
        database.close()
