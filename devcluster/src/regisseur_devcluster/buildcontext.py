"""What goes into an image: the files that its Dockerfile copies, and nothing else.

They are copied into a folder of their own with one fixed time stamp, so that a fresh checkout of
the same files finds the layers that another one built, and their hash is the image's tag.
"""

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from regisseur_devcluster.errors import DevclusterError

FIXED_TIME = 1_600_000_000
LEFT_OUT = frozenset({"__pycache__", ".venv", ".mypy_cache", ".ruff_cache", "dist"})
HASH_LENGTH = 12


def parse_copied(dockerfile: str) -> list[str]:
    r"""Return the paths that a Dockerfile takes from its context.

    >>> parse_copied("COPY a.txt b/ /x/\nCOPY --from=build /v /v\nADD base.tar /\n")
    ['a.txt', 'b/', 'base.tar']
    """
    found: dict[str, None] = {}
    for line in dockerfile.replace("\\\n", " ").splitlines():
        verb, *words = line.split() or [""]
        is_from_elsewhere = any(word.startswith("--from") for word in words)
        if verb.upper() in {"COPY", "ADD"} and not is_from_elsewhere:
            paths = [word for word in words if not word.startswith("--")]
            found |= dict.fromkeys(paths[:-1])
    return list(found)


def stage(paths: Iterable[str], *, sources: Path, target: Path) -> None:
    """Copy files and folders from below one folder to the same place below another.

    Raises:
        DevclusterError: One of them does not exist.
    """
    for path in paths:
        source, copy = sources / path, target / path
        if not source.exists():
            raise DevclusterError(f"the Dockerfile copies {path}, which is not in {sources}")
        copy.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            leave_out = shutil.ignore_patterns(*LEFT_OUT)
            shutil.copytree(source, copy, ignore=leave_out, dirs_exist_ok=True)
        else:
            shutil.copy(source, copy)
    for entry in [target, *_walk(target)]:
        os.utime(entry, (FIXED_TIME, FIXED_TIME))


def content_hash(folder: Path, *others: str) -> str:
    """Return a short hash of everything in a folder, and of some texts besides."""
    digest = hashlib.sha256("\n".join(others).encode())
    for path in _walk(folder):
        if path.is_file():
            is_program = bool(path.stat().st_mode & 0o100)
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"\n{path.relative_to(folder)} {is_program} {content}".encode())
    return digest.hexdigest()[:HASH_LENGTH]


def text_hash(*texts: str) -> str:
    """Return a short hash of some texts."""
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:HASH_LENGTH]


def _walk(folder: Path) -> Iterator[Path]:
    """Yield everything below a folder, what lies inside a folder before the folder itself."""
    for entry in sorted(folder.iterdir()):
        if entry.is_dir() and not entry.is_symlink():
            yield from _walk(entry)
        yield entry
