"""The way to the MLflow server: its address, whether it answers, and errors in one line.

By itself MLflow's client tries a dead server for four minutes and ends in a traceback, so the
address is asked first, with a short time-out, and the client may retry once.
"""

import logging
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.client import HTTPException
from typing import TYPE_CHECKING, Final

from regisseur_training.errors import TrainingError

if TYPE_CHECKING:
    from mlflow import MlflowClient

DEFAULT_TRACKING_URI: Final = "sqlite:///mlflow.db"
"""A file beside params.yaml: training works without any server."""

_PROBE_SECONDS = 5.0
_CLIENT_SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "GIT_PYTHON_REFRESH": "quiet",
}


def tracking_uri() -> str:
    """Return the address of the registry: MLFLOW_TRACKING_URI, else a file in this folder."""
    return os.environ.get("MLFLOW_TRACKING_URI", "").strip() or DEFAULT_TRACKING_URI


def without_credentials(uri: str) -> str:
    """Return an address that may be shown and stored."""
    parts = urllib.parse.urlsplit(uri)
    if "@" not in parts.netloc:
        return uri
    return urllib.parse.urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def check_reachable(uri: str) -> None:
    """Ask a server whether it is there; a file needs no asking.

    Other addresses than these two are refused: MLflow would try a database that is not there for
    minutes, and the operator follows a server, not a database.

    Raises:
        TrainingError: It does not answer, or not as a healthy server, or is no such address.
    """
    address = without_credentials(uri)
    if address.startswith("sqlite:///"):
        return
    if not address.startswith(("http://", "https://")):
        raise TrainingError(
            f"MLFLOW_TRACKING_URI is {address}; it must be http(s)://… of a server or sqlite:///…"
        )
    try:
        with urllib.request.urlopen(f"{address.rstrip('/')}/health", timeout=_PROBE_SECONDS):  # noqa: S310
            return
    except urllib.error.HTTPError as error:
        if error.code < HTTPStatus.INTERNAL_SERVER_ERROR:
            return  # it is there; whether it lets us in is seen by the first call
        reason = f"it answers {error.code}"
    except (OSError, ValueError, HTTPException) as error:
        reason = str(getattr(error, "reason", error))
    raise TrainingError(
        f"MLflow at {address} does not answer ({reason}); start it or set MLFLOW_TRACKING_URI"
    )


def connect(uri: str) -> "MlflowClient":
    """Return a client of a registry that answers.

    Raises:
        TrainingError: The registry does not answer.
    """
    check_reachable(uri)
    for name, value in _CLIENT_SETTINGS.items():
        os.environ.setdefault(name, value)
    import mlflow  # noqa: PLC0415 - it takes seconds and reads the settings above

    logging.getLogger("mlflow").setLevel(logging.ERROR)  # programs say themselves what they do
    return mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)


@contextmanager
def errors_in_one_line(uri: str, doing: str) -> Iterator[None]:
    """Turn what MLflow raises into one line.

    Raises:
        TrainingError: MLflow refused or went away.
    """
    from mlflow.exceptions import MlflowException  # noqa: PLC0415 - see `connect`

    try:
        yield
    except (MlflowException, OSError) as error:
        reason = " ".join(str(error).split())[:300]
        raise TrainingError(
            f"MLflow at {without_credentials(uri)} failed to {doing}: {reason}"
        ) from None
