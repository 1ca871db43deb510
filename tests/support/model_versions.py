"""Put versions into a test's MLflow registry and move them about.

Plain REST where that is enough: it takes milliseconds, while the MLflow client takes seconds to
import. Only a version with a real model in it goes through the client, as training does.
"""

import base64
import hashlib
import json
import os
import urllib.error
import urllib.parse
import urllib.request
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from regisseur_contract.digest import digest_files
from regisseur_contract.runtime import HEADER_WORKSPACE
from regisseur_contract.tags import STAGE_ARCHIVED, STAGE_NONE, TAG_DIGEST

_CALL_TIMEOUT_SECONDS = 20.0
_DEFAULT_EXPERIMENT = "0"

Json = dict[str, Any]


class Registry(Protocol):
    """An MLflow server, wherever it runs."""

    @property
    def url(self) -> str:
        """Base URL, without a slash at the end."""
        ...


class RegistryRefusedError(AssertionError):
    """MLflow answered a test's call with an error; the message is its answer."""


def create_model_version(
    server: Registry,
    name: str,
    *,
    folder: Path | None = None,
    metrics: Mapping[str, float] | None = None,
    tags: Mapping[str, str] | None = None,
    with_digest: bool = False,
) -> int:
    """Register the next version of a model, with a run behind it, and return its number.

    Args:
        server: Where to.
        name: Registered model; made when it is missing.
        folder: Files to upload as the model; none by default (a version that points at nothing).
        metrics: Metrics of the run.
        tags: Tags of the version.
        with_digest: Tag it with the digest of the folder, as training does.
    """
    own = {TAG_DIGEST: digest_folder(folder)} if with_digest and folder is not None else {}
    run_id = _create_run(server, metrics or {})
    model = call(
        server,
        "POST",
        "/api/2.0/mlflow/logged-models",
        {"experiment_id": _experiment_of(server), "name": "model", "source_run_id": run_id},
    )["model"]["info"]
    if folder is not None:
        _upload(server, folder, model["artifact_uri"])
    call(
        server,
        "PATCH",
        f"/api/2.0/mlflow/logged-models/{model['model_id']}",
        {"model_id": model["model_id"], "status": "LOGGED_MODEL_READY"},
    )
    create_registered_model(server, name)
    answer = call(
        server,
        "POST",
        "/api/2.0/mlflow/model-versions/create",
        {
            "name": name,
            "source": f"models:/{model['model_id']}",
            "run_id": run_id,
            "model_id": model["model_id"],
            "tags": _pairs({**own, **(tags or {})}),
        },
    )
    return int(answer["model_version"]["version"])


def register_model_version(
    server: Registry,
    name: str,
    model: object,
    *,
    input_example: object = None,
    metrics: Mapping[str, float] | None = None,
    tags: Mapping[str, str] | None = None,
) -> int:
    """Log a fitted scikit-learn model with the MLflow client, register it, return the version.

    It has no digest tag: see `support.stored_files` for the digest of what is stored.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow  # noqa: PLC0415 - takes seconds, only these tests pay
        import mlflow.sklearn  # noqa: PLC0415
        import skops.io  # noqa: PLC0415

        with _tracking_at(server), mlflow.start_run():
            mlflow.log_metrics(dict(metrics or {}))
            logged = mlflow.sklearn.log_model(
                model,
                name="model",
                registered_model_name=name,
                input_example=input_example,
                skops_trusted_types=skops.io.get_untrusted_types(data=skops.io.dumps(model)),
            )
    version = int(logged.registered_model_version)
    for key, value in (tags or {}).items():
        set_version_tag(server, name, version, key, value)
    return version


def digest_folder(folder: Path) -> str:
    """Return the canonical digest of a model folder."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return digest_files(
        {
            path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in files
        }
    )


def create_registered_model(server: Registry, name: str) -> None:
    """Create an empty registered model unless it is there."""
    try:
        call(server, "POST", "/api/2.0/mlflow/registered-models/create", {"name": name})
    except RegistryRefusedError as refusal:
        if "RESOURCE_ALREADY_EXISTS" not in str(refusal):
            raise


def transition(
    server: Registry, name: str, version: int, stage: str, *, archive: bool = True
) -> None:
    """Move a version to a stage; `archive` moves its former holders to Archived."""
    call(
        server,
        "POST",
        "/api/2.0/mlflow/model-versions/transition-stage",
        {
            "name": name,
            "version": str(version),
            "stage": stage,
            # MLflow answers 500 when asked to archive the holders of these two.
            "archive_existing_versions": archive and stage not in {STAGE_NONE, STAGE_ARCHIVED},
        },
    )


def set_alias(server: Registry, name: str, alias: str, version: int) -> None:
    """Point an alias at a version."""
    call(
        server,
        "POST",
        "/api/2.0/mlflow/registered-models/alias",
        {"name": name, "alias": alias, "version": str(version)},
    )


def delete_alias(server: Registry, name: str, alias: str) -> None:
    """Remove an alias."""
    call(
        server,
        "DELETE",
        "/api/2.0/mlflow/registered-models/alias",
        {"name": name, "alias": alias},
    )


def set_version_tag(server: Registry, name: str, version: int, key: str, value: str) -> None:
    """Set a tag of a version, which moves no timestamp."""
    call(
        server,
        "POST",
        "/api/2.0/mlflow/model-versions/set-tag",
        {"name": name, "version": str(version), "key": key, "value": value},
    )


def delete_version(server: Registry, name: str, version: int) -> None:
    """Delete a version, whatever stage or alias it holds."""
    call(
        server,
        "DELETE",
        "/api/2.0/mlflow/model-versions/delete",
        {"name": name, "version": str(version)},
    )


def read_version(server: Registry, name: str, version: int) -> Json:
    """Return what the registry holds of a version."""
    query = urllib.parse.urlencode({"name": name, "version": version})
    found: Json = call(server, "GET", f"/api/2.0/mlflow/model-versions/get?{query}")
    return dict(found["model_version"])


def read_stages(server: Registry, name: str) -> dict[int, str]:
    """Return the stage of every version of a model."""
    quote = '"' if "'" in name else "'"  # MLflow's filters know no escape
    query = urllib.parse.urlencode({"filter": f"name={quote}{name}{quote}"})
    found = call(server, "GET", f"/api/2.0/mlflow/model-versions/search?{query}")
    return {int(v["version"]): v["current_stage"] for v in found.get("model_versions", [])}


def read_run(server: Registry, run_id: str) -> Json:
    """Return a run: its info and its data (metrics, params, tags)."""
    query = urllib.parse.urlencode({"run_id": run_id})
    return dict(call(server, "GET", f"/api/2.0/mlflow/runs/get?{query}")["run"])


def call(server: Registry, method: str, path: str, body: Json | None = None) -> Json:
    """Call MLflow's REST API.

    Raises:
        RegistryRefusedError: It answered with an error.
    """
    data = None if body is None else json.dumps(body).encode()
    return dict(json.loads(send(server, method, path, data, "application/json") or b"{}"))


def send(
    server: Registry,
    method: str,
    path: str,
    data: bytes | None = None,
    content_type: str = "application/octet-stream",
) -> bytes:
    """Send bytes to MLflow and return those that it answers.

    Raises:
        RegistryRefusedError: It answered with an error.
    """
    scheme, _, rest = server.url.partition("://")
    account, _, host = rest.rpartition("@")
    headers = {"Content-Type": content_type}
    if workspace := getattr(server, "workspace", ""):
        headers[HEADER_WORKSPACE] = workspace
    if account:
        headers["Authorization"] = f"Basic {base64.b64encode(account.encode()).decode()}"
    request = urllib.request.Request(
        f"{scheme}://{host}{path}", data=data, method=method, headers=headers
    )
    try:
        with urllib.request.urlopen(request, timeout=_CALL_TIMEOUT_SECONDS) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError as error:
        message = error.read().decode(errors="replace")[:500]
        raise RegistryRefusedError(f"{method} {path}: {error.code} {message}") from None


def _experiment_of(server: Registry) -> str:
    """Return where runs go: each workspace has experiments of its own."""
    return str(getattr(server, "experiment", _DEFAULT_EXPERIMENT))


def _create_run(server: Registry, metrics: Mapping[str, float]) -> str:
    run = call(
        server,
        "POST",
        "/api/2.0/mlflow/runs/create",
        {"experiment_id": _experiment_of(server), "start_time": 1},
    )["run"]["info"]
    run_id: str = run["run_id"]
    entries = [{"key": k, "value": v, "timestamp": 1, "step": 0} for k, v in metrics.items()]
    if entries:
        call(
            server,
            "POST",
            "/api/2.0/mlflow/runs/log-batch",
            {"run_id": run_id, "metrics": entries},
        )
    return run_id


@contextmanager
def _tracking_at(server: Registry) -> Iterator[None]:
    """Point MLflow at a server; it keeps the address in the environment, so put that back."""
    import mlflow  # noqa: PLC0415 - see `register_model_version`

    before = os.environ.get("MLFLOW_TRACKING_URI")
    mlflow.set_tracking_uri(server.url)
    mlflow.set_registry_uri(server.url)
    try:
        yield
    finally:
        mlflow.set_registry_uri("")
        mlflow.set_tracking_uri(before or "")
        if before is None:
            os.environ.pop("MLFLOW_TRACKING_URI", None)


def _upload(server: Registry, folder: Path, artifact_uri: str) -> None:
    place = artifact_uri.removeprefix("mlflow-artifacts:/")
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        target = urllib.parse.quote(f"{place}/{file.relative_to(folder).as_posix()}")
        send(server, "PUT", f"/api/2.0/mlflow-artifacts/artifacts/{target}", file.read_bytes())


def _pairs(tags: Mapping[str, str]) -> list[Json]:
    return [{"key": key, "value": value} for key, value in tags.items()]
