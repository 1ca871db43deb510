"""Download a model folder: all of it or nothing, as often as one likes.

Files go into a folder beside the final one, which then takes its place by rename. A small file
beside it remembers where the folder came from and its digest, so that a restarted container has
nothing to do, and is checked all the same.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from regisseur_contract.digest import EXCLUDED, digest_files
from regisseur_serving.adapters.disk import on_disk
from regisseur_serving.adapters.retrying import Retrying
from regisseur_serving.core.expected_digest import check_digest
from regisseur_serving.errors import MissingError, UnservableError
from regisseur_serving.ports.artifacts import ArtifactStore

MARKER_SUFFIX = ".fetched"
MODEL_FILE = "MLmodel"
_MAX_FILES = 10_000
_MAX_DEPTH = 16


@dataclass
class Progress:
    """How far a download is."""

    files: int = 0
    bytes: int = 0
    total_files: int = 0
    total_bytes: int = 0

    def __str__(self) -> str:
        if not self.total_files:
            return "before the list of files was complete"
        return (
            f"after {self.files} of {self.total_files} files, "
            f"{self.bytes} of {self.total_bytes} bytes"
        )


@dataclass(frozen=True)
class Collected:
    """What was downloaded: sizes and the digest of it all."""

    size_by_name: dict[str, int]
    digest: str


@dataclass(frozen=True)
class Download:
    """A download of one model to one place.

    Args:
        store: Where the files are.
        path: The model folder in the store.
        source: What the folder is remembered by; another source means another download.
        destination: The folder to make.
        retrying: Repeats requests that fail for a moment.
        expected_digest: The canonical digest that the files must have; empty for any.
        size_limit_bytes: What all files may have together; 0 for no limit.
    """

    store: ArtifactStore
    path: str
    source: str
    destination: Path
    retrying: Retrying
    expected_digest: str = ""
    size_limit_bytes: int = 0
    progress: Progress = field(default_factory=Progress)

    def is_done(self) -> bool:
        """Tell whether the destination holds all files of this source already."""
        try:
            marker: Any = json.loads(self._marker.read_text())
            return (
                marker["source"] == self.source
                and self.expected_digest in {"", marker["digest"]}
                and all(
                    (self.destination / name).stat().st_size == size
                    for name, size in marker["files"].items()
                )
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return False

    def collect(self, folder: Path) -> Collected:
        """Download all files into a folder.

        Raises:
            FetchError: Something cannot be downloaded, is no model, or is not what was expected.
        """
        files = self._list_files()
        if MODEL_FILE not in files:
            raise MissingError(
                f"there is no file {MODEL_FILE} at {self.source}; "
                "the version does not point at a model (any more): register it again"
            )
        self.progress.total_files = len(files)
        self.progress.total_bytes = sum(files.values())
        self._check_size()
        contents: dict[str, str] = {}
        for name, size_bytes in files.items():
            contents[name] = self._download_file(name, size_bytes, folder / name)
            self.progress.files += 1
            self.progress.bytes += size_bytes
        digest = digest_files(contents)
        check_digest(digest, self.expected_digest, self.source)
        return Collected(files, digest)

    def put_in_place(self, folder: Path, collected: Collected) -> None:
        """Make the downloaded folder the destination.

        The marker goes first and comes back last: without it a folder counts for nothing.
        """
        marker = {
            "source": self.source,
            "digest": collected.digest,
            "files": collected.size_by_name,
        }
        with on_disk(self.destination):
            self._marker.unlink(missing_ok=True)
            if self.destination.exists():
                shutil.rmtree(self.destination)
            folder.rename(self.destination)
            self._marker.write_text(json.dumps(marker))

    @contextmanager
    def workspace(self) -> Iterator[Path]:
        """Give an empty folder beside the destination, and leave nothing of it behind."""
        with on_disk(self.destination):
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
            for entry in self.retrying.run(partial(self.store.list_folder, place)):
                name = f"{folder}/{entry.name}" if folder else entry.name
                if entry.is_folder:
                    folders.append(name)
                elif name not in EXCLUDED:  # no digest covers it, so nothing may read it
                    files[name] = entry.size_bytes
                if len(files) + len(folders) > _MAX_FILES or name.count("/") > _MAX_DEPTH:
                    raise UnservableError(
                        f"the model at {self.source} has more than {_MAX_FILES} files "
                        f"or folders deeper than {_MAX_DEPTH}; that is no model folder"
                    )
        return files

    def _check_size(self) -> None:
        """Refuse at once what the pod would be thrown out for in the end, again and again."""
        size, limit = self.progress.total_bytes, self.size_limit_bytes
        if limit and size > limit:
            raise UnservableError(
                f"the model at {self.source} has {size} bytes ({size / 2**20:.0f} MiB), and a pod "
                f"takes {limit} bytes ({limit / 2**20:.0f} MiB) at most; log a smaller model"
            )

    def _download_file(self, name: str, size_bytes: int, target: Path) -> str:
        """Write one file and return the digest of its content, taken on its way to the disk."""
        with on_disk(self.destination):
            target.parent.mkdir(parents=True, exist_ok=True)

        def attempt() -> str:
            content = hashlib.sha256()
            with on_disk(self.destination), target.open("wb") as file:

                def write(piece: bytes) -> None:
                    content.update(piece)
                    with on_disk(self.destination):
                        file.write(piece)

                self.store.read_file(f"{self.path}/{name}", size_bytes, write)
            return content.hexdigest()

        return self.retrying.run(attempt)
