"""The command `fetch`: bring the model folder, then end.

It runs in an init container and decides how soon a pod can start, so it imports nothing heavy.
"""

import os
import sys
import time
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

from regisseur_contract.exits import CONFIGURATION
from regisseur_serving.adapters.deadline import deadline
from regisseur_serving.adapters.download import Download
from regisseur_serving.adapters.mlflow_artifacts import MlflowArtifacts
from regisseur_serving.adapters.retrying import Retrying
from regisseur_serving.adapters.served_mlmodel import (
    GONE,
    bring_served,
    forget_served,
    served_folder,
)
from regisseur_serving.adapters.termination_log import write_termination_log
from regisseur_serving.app.exit_codes import exit_code
from regisseur_serving.core.artifact_uri import Place, parse_artifact_uri
from regisseur_serving.core.authorization import authorize
from regisseur_serving.core.baked_model import check_baked
from regisseur_serving.errors import ServingError
from regisseur_serving.ports.artifacts import ArtifactStore
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
    except ValueError as error:
        return _fail(str(error), CONFIGURATION)
    try:
        for line in fetch(settings):
            sys.stdout.write(f"{line}\n")
    except ServingError as error:
        return _fail(str(error), exit_code(error))
    return 0


def fetch(settings: FetchSettings) -> list[str]:
    """Bring the model folder and return what was done, a line each.

    Raises:
        SettingsError: The environment is senseless.
        FetchError: The model cannot be downloaded.
    """
    retrying = Retrying(say=_say)
    lines = [_bring_model(settings, retrying)]
    if settings.served_artifact_uri:
        lines.append(_bring_served(settings, retrying))
    return lines


def _bring_model(settings: FetchSettings, retrying: Retrying) -> str:
    if settings.baked_model_dir:
        return _run(_plan_copy(settings, retrying), settings.timeout_seconds)
    place = parse_artifact_uri(settings.artifact_uri)
    with _open_store(settings, place) as store:
        download = _plan(settings, retrying, store, place.path, settings.artifact_uri)
        return _run(download, settings.timeout_seconds)


def _plan_copy(settings: FetchSettings, retrying: Retrying) -> Download:
    """Return what brings the model of the image, which has to be the version's own."""
    from regisseur_serving.adapters import baked_model  # noqa: PLC0415 - few images need it

    folder = Path(settings.baked_model_dir)
    check_baked(
        baked_model.read_baked_mlmodel(folder),
        model_id=settings.model_id,
        run_id=settings.run_id,
        is_digest_expected=bool(settings.expected_digest),
        place=folder,
    )
    store = baked_model.BakedModel()
    return _plan(settings, retrying, store, str(folder), f"{folder} in the image")


def _open_store(settings: FetchSettings, place: Place) -> AbstractContextManager[ArtifactStore]:
    read_timeout_seconds = min(_READ_TIMEOUT_SECONDS, settings.timeout_seconds)
    if place.bucket:
        from regisseur_serving.adapters import s3_artifacts  # noqa: PLC0415 - takes half a second

        return s3_artifacts.S3Artifacts(
            place.bucket,
            read_timeout_seconds=read_timeout_seconds,
            endpoint_url=settings.s3_endpoint_url,
            ignores_tls=settings.s3_ignores_tls,
        )
    return MlflowArtifacts(
        settings.registry_url,
        read_timeout_seconds=read_timeout_seconds,
        authorization=authorize(settings.username, settings.password, settings.token),
        workspace=settings.workspace,
        ca_file=settings.ca_file,
    )


def _plan(
    settings: FetchSettings, retrying: Retrying, store: ArtifactStore, path: str, source: str
) -> Download:
    return Download(
        store=store,
        path=path,
        source=source,
        destination=settings.model_dir,
        retrying=retrying,
        expected_digest=settings.expected_digest,
        size_limit_bytes=settings.size_limit_bytes,
    )


def _run(download: Download, timeout_seconds: float) -> str:
    if download.is_done():
        return f"{download.destination} holds the model already"

    def describe() -> str:
        return (
            f"the download of {download.source} took longer than {timeout_seconds:g} s; "
            f"stopped {download.progress}{_trouble(download.retrying)}"
        )

    started = time.monotonic()
    with download.workspace() as folder:
        with deadline(timeout_seconds, describe):
            collected = download.collect(folder)
        download.put_in_place(folder, collected)
    progress = download.progress
    seconds = time.monotonic() - started
    return (
        f"fetched {progress.files} files, {progress.bytes} bytes in {seconds:.2f} s, "
        f"{collected.digest}"
    )


def _bring_served(settings: FetchSettings, retrying: Retrying) -> str:
    def describe() -> str:
        return (
            f"the download of MLmodel from {settings.served_artifact_uri} took longer than "
            f"{settings.timeout_seconds:g} s{_trouble(retrying)}"
        )

    folder = served_folder(settings.model_dir)
    forget_served(folder)
    # A pod whose model is in its image needs no store: without one, nothing is compared.
    excused = (ServingError,) if settings.baked_model_dir else GONE
    open_store = partial(_open_store, settings)
    with deadline(settings.timeout_seconds, describe):
        return bring_served(open_store, settings.served_artifact_uri, folder, retrying, excused)


def _trouble(retrying: Retrying) -> str:
    return f"; last trouble: {retrying.trouble}" if retrying.trouble else ""


def _fail(reason: str, code: int) -> int:
    _say(f"error: {reason}")
    write_termination_log(read_termination_log(os.environ), f"fetch: {reason}")
    return code


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
