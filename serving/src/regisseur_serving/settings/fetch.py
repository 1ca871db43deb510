"""Settings of `fetch`, read without a library: this command has to start at once."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from regisseur_contract.runtime import (
    ENV_ARTIFACT_URI,
    ENV_BAKED_MODEL_DIR,
    ENV_CA_FILE,
    ENV_EXPECTED_DIGEST,
    ENV_FETCH_TIMEOUT_SECONDS,
    ENV_MODEL_DIR,
    ENV_MODEL_ID,
    ENV_MODEL_SIZE_LIMIT_BYTES,
    ENV_REGISTRY_URL,
    ENV_REGISTRY_WORKSPACE,
    ENV_RUN_ID,
    ENV_SERVED_ARTIFACT_URI,
    FETCH_TIMEOUT_SECONDS,
    MODEL_DIR,
)

ENV_TERMINATION_LOG = "REGISSEUR_TERMINATION_LOG"
ENV_USERNAME = "MLFLOW_TRACKING_USERNAME"
ENV_PASSWORD = "MLFLOW_TRACKING_PASSWORD"  # noqa: S105 - the name of a variable
ENV_TOKEN = "MLFLOW_TRACKING_TOKEN"  # noqa: S105
ENV_S3_ENDPOINT_URL = "MLFLOW_S3_ENDPOINT_URL"
ENV_S3_IGNORE_TLS = "MLFLOW_S3_IGNORE_TLS"
DEFAULT_TERMINATION_LOG = "/dev/termination-log"


@dataclass(frozen=True)
class FetchSettings:
    """What to download, from where, to where, and how long that may take.

    Attributes:
        artifact_uri: Where the model is.
        registry_url: The server that has it.
        workspace: Which of its workspaces; empty for a server without.
        ca_file: PEM file with certificates to believe beside those of the system, or empty.
        model_dir: The folder to make.
        timeout_seconds: How long all of it may take.
        expected_digest: Canonical digest that the files must have; empty for any.
        served_artifact_uri: Where the served version is, in a rehearsal; empty for none.
        size_limit_bytes: What all files may have together; 0 for no limit.
        baked_model_dir: The folder in this image that holds the model; empty where none does.
        model_id: MLflow's id of the logged model, to know a model in the image by; or empty.
        run_id: Of the run that logged it, likewise.
        s3_endpoint_url: Server of the bucket; empty for what Amazon's configuration says.
        s3_ignores_tls: Whether that server's certificate is not looked at.
        username: For the server, with the password.
        password: For the server, with the user name.
        token: For the server, without the two.
    """

    artifact_uri: str
    registry_url: str
    model_dir: Path
    timeout_seconds: float
    expected_digest: str = ""
    served_artifact_uri: str = ""
    workspace: str = ""
    ca_file: str = ""
    size_limit_bytes: int = 0
    baked_model_dir: str = ""
    model_id: str = ""
    run_id: str = ""
    s3_endpoint_url: str = ""
    s3_ignores_tls: bool = False
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)


def read_fetch_settings(environment: Mapping[str, str]) -> FetchSettings:
    """Read the settings of `fetch`.

    Raises:
        ValueError: A variable is missing or senseless; the message names it.
    """
    return FetchSettings(
        artifact_uri=_required(environment, ENV_ARTIFACT_URI, "mlflow-artifacts:/1/models/m-1"),
        registry_url=_required(environment, ENV_REGISTRY_URL, "http://mlflow:5000"),
        model_dir=Path(environment.get(ENV_MODEL_DIR) or MODEL_DIR),
        timeout_seconds=read_seconds(environment, ENV_FETCH_TIMEOUT_SECONDS, FETCH_TIMEOUT_SECONDS),
        expected_digest=read_expected_digest(environment),
        workspace=environment.get(ENV_REGISTRY_WORKSPACE, "").strip(),
        ca_file=environment.get(ENV_CA_FILE, "").strip(),
        served_artifact_uri=environment.get(ENV_SERVED_ARTIFACT_URI, "").strip(),
        size_limit_bytes=read_bytes(environment, ENV_MODEL_SIZE_LIMIT_BYTES),
        baked_model_dir=environment.get(ENV_BAKED_MODEL_DIR, "").strip(),
        model_id=environment.get(ENV_MODEL_ID, "").strip(),
        run_id=environment.get(ENV_RUN_ID, "").strip(),
        s3_endpoint_url=environment.get(ENV_S3_ENDPOINT_URL, "").strip(),
        s3_ignores_tls=environment.get(ENV_S3_IGNORE_TLS, "").strip().lower() in {"true", "1"},
        # Files that Secrets are made from end in a line break, which is no part of them.
        username=environment.get(ENV_USERNAME, "").rstrip("\r\n"),
        password=environment.get(ENV_PASSWORD, "").rstrip("\r\n"),
        token=environment.get(ENV_TOKEN, "").strip(),
    )


def read_termination_log(environment: Mapping[str, str]) -> Path:
    """Return the file that tells the kubelet why a container ended."""
    return Path(environment.get(ENV_TERMINATION_LOG) or DEFAULT_TERMINATION_LOG)


def read_expected_digest(environment: Mapping[str, str]) -> str:
    """Return the canonical digest that the model's files must have; empty for any."""
    return environment.get(ENV_EXPECTED_DIGEST, "").strip().lower()


def _required(environment: Mapping[str, str], name: str, example: str) -> str:
    value = environment.get(name, "").strip()
    if not value:
        raise ValueError(f"{name} is not set; set it, e.g. to {example}")
    return value


def read_seconds(environment: Mapping[str, str], name: str, default: float) -> float:
    """Read a number of seconds above 0.

    Raises:
        ValueError: It is none; the message names the variable.
    """
    text = environment.get(name, "").strip()
    if not text:
        return default
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not (math.isfinite(seconds) and seconds > 0):
        raise ValueError(f"{name} is {text!r}; set it to a number of seconds above 0")
    return seconds


def read_bytes(environment: Mapping[str, str], name: str) -> int:
    """Read a number of bytes; 0 where there is none.

    Raises:
        ValueError: It is no whole number; the message names the variable.
    """
    text = environment.get(name, "").strip() or "0"
    if not (text.isascii() and text.isdecimal()):
        raise ValueError(f"{name} is {text[:40]!r}; set it to a number of bytes")
    return int(text)
