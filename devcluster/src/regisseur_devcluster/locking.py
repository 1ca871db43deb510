"""Locks between processes: two checkouts must not do the same long work at once."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from regisseur_devcluster.steps import note


@contextmanager
def exclusive(path: Path, *, waiting_for: str) -> Iterator[None]:
    """Hold a lock file; when somebody else holds it, say what is waited for."""
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except FileNotFoundError:  # its holder has just removed the folder
            continue
        try:
            if not _try(descriptor):
                note(f"waiting for another {waiting_for} on this machine")
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            if _lies_at(descriptor, path):
                yield
                return
        finally:
            os.close(descriptor)


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lies_at(descriptor: int, path: Path) -> bool:
    """Return whether the locked file is still the one at the path: its holder may remove it."""
    return path.exists() and path.stat().st_ino == os.fstat(descriptor).st_ino
