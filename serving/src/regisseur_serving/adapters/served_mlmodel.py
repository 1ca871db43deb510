"""Bring the MLmodel file of the served version, so that a new version can be compared with it.

Nothing of it may be blamed on the new version: a served version whose file is gone leaves a
note, and the rehearsal says that there was nothing to compare.
"""

import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

from regisseur_contract.runtime import SERVED_DIR
from regisseur_serving.adapters.disk import on_disk
from regisseur_serving.adapters.download import MODEL_FILE
from regisseur_serving.adapters.retrying import Retrying
from regisseur_serving.core.artifact_uri import Place, parse_artifact_uri
from regisseur_serving.errors import MissingError, ServingError, UnservableError
from regisseur_serving.ports.artifacts import ArtifactStore

GONE_SUFFIX = ".gone"
OpenStore = Callable[[Place], AbstractContextManager[ArtifactStore]]
GONE: tuple[type[ServingError], ...] = (MissingError, UnservableError)
_MAX_BYTES = 8 << 20


def served_folder(model_dir: Path) -> Path:
    """Return the folder of the served version's MLmodel: it lies beside the new version's."""
    return model_dir.with_name(Path(SERVED_DIR).name)


def gone_marker(folder: Path) -> Path:
    """Return the file that says, instead of the folder, why there is none."""
    return folder.with_name(folder.name + GONE_SUFFIX)


def forget_served(folder: Path) -> None:
    """Remove what an earlier attempt left.

    Raises:
        DiskError: The volume cannot be written.
    """
    with on_disk(folder):
        gone_marker(folder).unlink(missing_ok=True)
        if folder.exists():
            shutil.rmtree(folder)


def bring_served(
    open_store: OpenStore,
    uri: str,
    folder: Path,
    retrying: Retrying,
    excused: tuple[type[ServingError], ...] = GONE,
) -> str:
    """Download the served version's MLmodel and return a line that says what was done.

    Args:
        open_store: Gives the store that a place is in.
        uri: Where the served version is.
        folder: The folder to make.
        retrying: Repeats requests that fail for a moment.
        excused: What counts as an MLmodel that is gone.

    Raises:
        FetchError: The store is down or refuses, or the volume cannot be written.
    """
    try:
        content = _read(open_store, uri, retrying)
    except excused as error:
        with on_disk(folder):
            gone_marker(folder).write_text(str(error))
        return f"the served version's {MODEL_FILE} is gone: {error}"
    with on_disk(folder):
        folder.mkdir()
        (folder / MODEL_FILE).write_bytes(content)
    return f"fetched the served version's {MODEL_FILE}, {len(content)} bytes"


def _read(open_store: OpenStore, uri: str, retrying: Retrying) -> bytes:
    place = parse_artifact_uri(uri)
    with open_store(place) as store:
        return _read_file(store, place.path, uri, retrying)


def _read_file(store: ArtifactStore, path: str, uri: str, retrying: Retrying) -> bytes:
    entries = retrying.run(partial(store.list_folder, path))
    sizes = [e.size_bytes for e in entries if e.name == MODEL_FILE and not e.is_folder]
    if not sizes:
        raise MissingError(f"there is no file {MODEL_FILE} at {uri}")
    if sizes[0] > _MAX_BYTES:
        raise UnservableError(f"the file {MODEL_FILE} at {uri} is larger than {_MAX_BYTES} bytes")

    def attempt() -> bytes:
        content = bytearray()
        store.read_file(f"{path}/{MODEL_FILE}", sizes[0], content.extend)
        return bytes(content)

    return retrying.run(attempt)
