"""The command `fetch`: bring the model folder, then end.

It runs in an init container and decides how soon a pod can start, so it imports nothing heavy.
"""

import os
import sys
import time

from regisseur_serving.adapters.deadline import deadline
from regisseur_serving.adapters.download import Download
from regisseur_serving.adapters.mlflow_artifacts import MlflowArtifacts
from regisseur_serving.adapters.termination_log import write_termination_log
from regisseur_serving.core.artifact_uri import parse_artifact_uri
from regisseur_serving.errors import FetchError
from regisseur_serving.settings.fetch import (
    FetchSettings,
    read_fetch_settings,
    read_termination_log,
)

_READ_TIMEOUT_SECONDS = 10.0


def main() -> int:
    """Run the command and return its exit code."""
    try:
        settings = read_fetch_settings(os.environ)
        sys.stdout.write(f"{fetch(settings)}\n")
    except (FetchError, ValueError) as error:
        _say(f"error: {error}")
        write_termination_log(read_termination_log(os.environ), f"fetch: {error}")
        return 1
    return 0


def fetch(settings: FetchSettings) -> str:
    """Bring the model folder and return a line that says what was done.

    Raises:
        FetchError: The model cannot be downloaded.
    """
    started = time.monotonic()
    path = parse_artifact_uri(settings.artifact_uri)
    timeout_seconds = min(_READ_TIMEOUT_SECONDS, settings.timeout_seconds)
    with MlflowArtifacts(settings.registry_url, read_timeout_seconds=timeout_seconds) as store:
        download = Download(
            store=store,
            path=path,
            source=settings.artifact_uri,
            destination=settings.model_dir,
            on_retry=_say,
        )
        if download.is_done():
            return f"{settings.model_dir} holds the model already"
        _run(download, settings.timeout_seconds)
    progress = download.progress
    seconds = time.monotonic() - started
    return f"fetched {progress.files} files, {progress.bytes} bytes in {seconds:.2f} s"


def _run(download: Download, timeout_seconds: float) -> None:
    def describe() -> str:
        return (
            f"the download of {download.source} took longer than {timeout_seconds:g} s; "
            f"stopped {download.progress}"
        )

    with download.workspace() as folder:
        with deadline(timeout_seconds, describe):
            files = download.collect(folder)
        download.put_in_place(folder, files)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
