"""Mounts below our own folders: volumes, container file systems and network namespaces."""

import os
import re
from collections.abc import Iterable
from pathlib import Path

from regisseur_devcluster.commands import run

MOUNTS = Path("/proc/self/mounts")


def mounts_below(folders: Iterable[Path], table: str) -> list[str]:
    r"""Return the mount points below some folders, the latest first.

    >>> mounts_below([Path("/a")], "tmpfs /a/b tmpfs rw 0 0\ntmpfs /ab tmpfs rw 0 0\n")
    ['/a/b']
    """
    # Only plain blanks and line ends separate: other white space may be part of a path.
    points = [_unescape(line.split(" ")[1]) for line in table.split("\n") if line]
    roots = tuple(f"{folder}/" for folder in folders)
    return [point for point in reversed(points) if point.startswith(roots)]


def unmount_below(folders: Iterable[Path]) -> list[str]:
    """Unmount everything below some folders; return what is mounted there still."""
    places = list(folders)
    for point in mounts_below(places, _mounts()):
        run(["umount", "--lazy", point])
    return mounts_below(places, _mounts())


def _mounts() -> str:
    """Return the mount table; a path may be of any bytes."""
    return os.fsdecode(MOUNTS.read_bytes())


def _unescape(point: str) -> str:
    r"""Return a path of the mount table, where blanks and the like are octal, such as \040."""
    raw = re.sub(rb"\\([0-3][0-7]{2})", lambda octal: bytes([int(octal[1], 8)]), os.fsencode(point))
    return os.fsdecode(raw)
