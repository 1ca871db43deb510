"""What the API server wrote down: exact counts of who wrote what, and when."""

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

WRITING: Final = frozenset({"create", "update", "patch", "delete", "deletecollection"})
LEASES: Final = "leases"
_FAILED: Final = 400


@dataclass(frozen=True)
class Request:
    """One request that the API server has answered.

    Attributes:
        resource: With its subresource, such as `modeldeployments/status`.
        received: When it came, in seconds of the epoch.
        answered: When it was through.
    """

    user: str
    verb: str
    resource: str
    name: str
    received: float
    answered: float
    code: int

    @property
    def is_write(self) -> bool:
        """Whether it was a write; the Lease aside, which says who acts and nothing else."""
        return self.verb in WRITING and self.resource != LEASES

    @property
    def has_failed(self) -> bool:
        """Whether it was refused."""
        return self.code >= _FAILED


class AuditLog:
    """The log of an API server, of which each line is read once: it grows long.

    Args:
        folder: Where the log is, and the files that it was rotated to.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._offsets: dict[int, int] = {}  # by inode: a rotated file has another name
        self._requests: list[Request] = []

    def read(self) -> list[Request]:
        """Return all requests so far, by time."""
        for file in sorted(self._folder.glob("audit*.log")):
            self._requests += parse_lines(self._read_new_lines(file))
        self._requests.sort(key=lambda request: request.received)
        return self._requests

    def _read_new_lines(self, file: Path) -> list[bytes]:
        """Return the whole lines that were added; one that is half written is left for later."""
        with file.open("rb") as opened:
            inode = os.fstat(opened.fileno()).st_ino
            offset = self._offsets.get(inode, 0)
            opened.seek(offset)
            whole, end, _ = opened.read().rpartition(b"\n")
        self._offsets[inode] = offset + len(whole) + len(end)
        return whole.splitlines()


def parse_lines(lines: Iterable[str | bytes]) -> Iterator[Request]:
    """Read requests about objects that were answered."""
    for line in lines:
        entry = json.loads(line)
        if "objectRef" in entry and entry.get("stage") == "ResponseComplete":
            yield _parse(entry)


def _parse(entry: dict[str, Any]) -> Request:
    about = entry["objectRef"]
    parts = (about["resource"], about.get("subresource", ""))
    return Request(
        user=entry["user"]["username"],
        verb=entry["verb"],
        resource="/".join(filter(None, parts)),
        name=about.get("name", ""),
        received=_read_time(entry["requestReceivedTimestamp"]),
        answered=_read_time(entry["stageTimestamp"]),
        code=entry.get("responseStatus", {}).get("code", 0),
    )


def _read_time(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def list_writes(requests: Iterable[Request], user: str, since: float = 0.0) -> list[Request]:
    """Return the writes of a user from a moment on."""
    return [r for r in requests if r.user == user and r.is_write and r.received >= since]


def count_by_resource(requests: Iterable[Request]) -> Counter[str]:
    """Count requests by resource."""
    return Counter(request.resource for request in requests)
