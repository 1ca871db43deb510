"""Download a model folder: all of it or nothing, as often as one likes.

Files go into a folder beside the final one, which then takes its place by rename. A small file
beside it remembers where the folder came from, so that a restarted container has nothing to do.
"""

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from regisseur_serving.errors import FetchError, TransientFetchError
from regisseur_serving.ports.artifacts import ArtifactStore

MARKER_SUFFIX = ".fetched"
_MODEL_FILE = "MLmodel"
_MAX_FILES = 10_000
_MAX_DEPTH = 16
_PAUSES_SECONDS = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Waits between attempts at one request: an MLflow server that restarts is back by then. For
anything longer the container ends with the reason, and the kubelet tries again."""

T = TypeVar("T")


@dataclass
class Progress:
    """How far a download is."""

    files: int = 0
    bytes: int = 0
    total_files: int = 0
    total_bytes: int = 0
    trouble: str = ""

    def __str__(self) -> str:
        trouble = f"; last trouble: {self.trouble}" if self.trouble else ""
        if not self.total_files:
            return f"before the list of files was complete{trouble}"
        return (
            f"after {self.files} of {self.total_files} files, "
            f"{self.bytes} of {self.total_bytes} bytes{trouble}"
        )


@dataclass(frozen=True)
class Download:
    """A download of one model to one place.

    Args:
        store: Where the files are.
        path: The model folder in the store.
        source: What the folder is remembered by; another source means another download.
        destination: The folder to make.
        on_retry: Told of every failure that is tried again.
    """

    store: ArtifactStore
    path: str
    source: str
    destination: Path
    on_retry: Callable[[str], None]
    progress: Progress = field(default_factory=Progress)

    def is_done(self) -> bool:
        """Tell whether the destination holds all files of this source already."""
        try:
            marker: Any = json.loads(self._marker.read_text())
            return marker["source"] == self.source and all(
                (self.destination / name).stat().st_size == size
                for name, size in marker["files"].items()
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return False

    def collect(self, folder: Path) -> dict[str, int]:
        """Download all files into a folder and return their sizes.

        Raises:
            FetchError: Something cannot be downloaded, or it is no model.
        """
        files = self._list_files()
        if _MODEL_FILE not in files:
            raise FetchError(
                f"there is no file {_MODEL_FILE} at {self.source}; "
                "the version does not point at a model (any more): register it again"
            )
        self.progress.total_files = len(files)
        self.progress.total_bytes = sum(files.values())
        for name, size_bytes in files.items():
            self._download_file(name, size_bytes, folder / name)
            self.progress.files += 1
            self.progress.bytes += size_bytes
        return files

    def put_in_place(self, folder: Path, files: dict[str, int]) -> None:
        """Make the downloaded folder the destination.

        The marker goes first and comes back last: without it a folder counts for nothing.
        """
        with _disk(self.destination):
            self._marker.unlink(missing_ok=True)
            if self.destination.exists():
                shutil.rmtree(self.destination)
            folder.rename(self.destination)
            self._marker.write_text(json.dumps({"source": self.source, "files": files}))

    @contextmanager
    def workspace(self) -> Iterator[Path]:
        """Give an empty folder beside the destination, and leave nothing of it behind."""
        with _disk(self.destination):
            parent = self.destination.parent
            parent.mkdir(parents=True, exist_ok=True)
            prefix = f".{self.destination.name}.fetch-"
            for leftover in parent.glob(f"{prefix}*"):
                shutil.rmtree(leftover, ignore_errors=True)
            folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
            folder.chmod(0o755)  # the server may run as another user than the download
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @property
    def _marker(self) -> Path:
        return self.destination.with_name(self.destination.name + MARKER_SUFFIX)

    def _list_files(self) -> dict[str, int]:
        files: dict[str, int] = {}
        folders = [""]
        while folders:
            folder = folders.pop()
            place = f"{self.path}/{folder}" if folder else self.path
            for entry in self._retry(partial(self.store.list_folder, place)):
                name = f"{folder}/{entry.name}" if folder else entry.name
                if entry.is_folder:
                    folders.append(name)
                else:
                    files[name] = entry.size_bytes
                if len(files) + len(folders) > _MAX_FILES or name.count("/") > _MAX_DEPTH:
                    raise FetchError(
                        f"the model at {self.source} has more than {_MAX_FILES} files "
                        f"or folders deeper than {_MAX_DEPTH}; that is no model folder"
                    )
        return files

    def _download_file(self, name: str, size_bytes: int, target: Path) -> None:
        with _disk(self.destination):
            target.parent.mkdir(parents=True, exist_ok=True)

        def attempt() -> None:
            with _disk(self.destination), target.open("wb") as file:

                def write(piece: bytes) -> None:
                    with _disk(self.destination):
                        file.write(piece)

                self.store.read_file(f"{self.path}/{name}", size_bytes, write)

        self._retry(attempt)

    def _retry(self, attempt: Callable[[], T]) -> T:
        for pause_seconds in _PAUSES_SECONDS:
            try:
                return attempt()
            except TransientFetchError as error:
                self.progress.trouble = str(error)
                self.on_retry(f"{error}; trying again in {pause_seconds:g} s")
            time.sleep(pause_seconds)
        return attempt()


@contextmanager
def _disk(place: Path) -> Iterator[None]:
    """Tell trouble with our own disk from trouble with the store; both are OSErrors."""
    try:
        yield
    except OSError as error:
        raise FetchError(
            f"cannot write below {place.parent}: {error.strerror or error}; "
            "the volume must be writable and large enough"
        ) from None
