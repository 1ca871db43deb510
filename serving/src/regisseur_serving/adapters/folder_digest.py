"""The canonical digest of a folder, read from the disk."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from regisseur_contract.digest import ALGORITHM, digest_files
from regisseur_serving.errors import ModelError


@dataclass(frozen=True)
class FolderDigest:
    """What a folder holds, as one value, and how much of it."""

    digest: str
    files: int
    bytes: int


def digest_folder(folder: Path) -> FolderDigest:
    """Read all files of a folder.

    Raises:
        ModelError: There is no such folder, or it cannot be read.
    """
    if not folder.is_dir():
        raise ModelError(f"there is no folder {folder}; fetch the model first")
    contents: dict[str, str] = {}
    size_bytes = 0
    try:
        for path in folder.rglob("*"):
            if path.is_file():
                with path.open("rb") as file:
                    content = hashlib.file_digest(file, ALGORITHM)
                contents[path.relative_to(folder).as_posix()] = content.hexdigest()
                size_bytes += path.stat().st_size
    except OSError as error:
        raise ModelError(f"cannot read {folder}: {error.strerror or error}") from None
    return FolderDigest(digest_files(contents), len(contents), size_bytes)
