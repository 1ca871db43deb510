"""Settings of `fetch`, read without a library: this command has to start at once."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from regisseur_contract.runtime import (
    ENV_ARTIFACT_URI,
    ENV_FETCH_TIMEOUT_SECONDS,
    ENV_MODEL_DIR,
    ENV_REGISTRY_URL,
    MODEL_DIR,
)

ENV_TERMINATION_LOG = "REGISSEUR_TERMINATION_LOG"
DEFAULT_TERMINATION_LOG = "/dev/termination-log"
DEFAULT_TIMEOUT_SECONDS = 300.0


@dataclass(frozen=True)
class FetchSettings:
    """What to download, from where, to where, and how long that may take."""

    artifact_uri: str
    registry_url: str
    model_dir: Path
    timeout_seconds: float


def read_fetch_settings(environment: Mapping[str, str]) -> FetchSettings:
    """Read the settings of `fetch`.

    Raises:
        ValueError: A variable is missing or senseless; the message names it.
    """
    return FetchSettings(
        artifact_uri=_required(environment, ENV_ARTIFACT_URI, "mlflow-artifacts:/1/models/m-1"),
        registry_url=_required(environment, ENV_REGISTRY_URL, "http://mlflow:5000"),
        model_dir=Path(environment.get(ENV_MODEL_DIR) or MODEL_DIR),
        timeout_seconds=_seconds(environment, ENV_FETCH_TIMEOUT_SECONDS, DEFAULT_TIMEOUT_SECONDS),
    )


def read_termination_log(environment: Mapping[str, str]) -> Path:
    """Return the file that tells the kubelet why a container ended."""
    return Path(environment.get(ENV_TERMINATION_LOG) or DEFAULT_TERMINATION_LOG)


def _required(environment: Mapping[str, str], name: str, example: str) -> str:
    value = environment.get(name, "").strip()
    if not value:
        raise ValueError(f"{name} is not set; set it, e.g. to {example}")
    return value


def _seconds(environment: Mapping[str, str], name: str, default: float) -> float:
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
