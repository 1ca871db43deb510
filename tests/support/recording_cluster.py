"""Stands between the operator and what it writes with: counts, and ends lives at a chosen write."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from regisseur_operator.ports import Cluster, Kind, Manifest

FOREVER = 3600.0

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Written:
    """One write that was begun, on the monotonic clock."""

    verb: str
    kind: str
    name: str
    begun_at: float


class RecordingCluster:
    """The port `Cluster` around another one; reads pass through.

    Args:
        inner: What really writes.
        namespace: Writes elsewhere pass through uncounted.
    """

    def __init__(self, inner: Cluster, namespace: str) -> None:
        self._inner = inner
        self._namespace = namespace
        self.written: list[Written] = []

    async def read(self, kind: Kind, namespace: str, name: str) -> Manifest | None:
        """Pass through."""
        return await self._inner.read(kind, namespace, name)

    async def create(self, kind: Kind, manifest: Manifest) -> Manifest:
        """Count and pass through."""
        return await self._write(
            "create", kind.kind, manifest, lambda: self._inner.create(kind, manifest)
        )

    async def apply(self, kind: Kind, manifest: Manifest) -> Manifest:
        """Count and pass through."""
        return await self._write(
            "apply", kind.kind, manifest, lambda: self._inner.apply(kind, manifest)
        )

    async def delete(self, kind: Kind, namespace: str, name: str, uid: str) -> None:
        """Count and pass through."""
        named = {"metadata": {"namespace": namespace, "name": name}}
        await self._write(
            "delete", kind.kind, named, lambda: self._inner.delete(kind, namespace, name, uid)
        )

    async def write_status(self, manifest: Manifest) -> Manifest:
        """Count and pass through."""
        return await self._write(
            "status", "ModelDeployment", manifest, lambda: self._inner.write_status(manifest)
        )

    async def _write(
        self, verb: str, kind: str, manifest: Manifest, write: Callable[[], Awaitable[Answer]]
    ) -> Answer:
        metadata = manifest["metadata"]
        if metadata["namespace"] == self._namespace:
            self.written.append(Written(verb, kind, metadata["name"], time.monotonic()))
            await self.on_write(len(self.written))
        answer = await write()
        if metadata["namespace"] == self._namespace:
            await self.on_written(len(self.written))
        return answer

    async def on_write(self, number: int) -> None:
        """Do nothing before a write; `number` counts from 1."""

    async def on_written(self, number: int) -> None:
        """Do nothing after a write."""


class DeadlyCluster(RecordingCluster):
    """Ends the operator's life at its n-th write, before or after it is done.

    Attributes:
        has_struck: Set when the life is to end; nothing is written from then on.
    """

    def __init__(self, inner: Cluster, namespace: str, *, at: int, after: bool) -> None:
        super().__init__(inner, namespace)
        self._at = at
        self._after = after
        self.has_struck = threading.Event()

    async def on_write(self, number: int) -> None:
        """Strike before the write, and let nothing through afterwards."""
        if self.has_struck.is_set() or (not self._after and number >= self._at):
            await self._strike()

    async def on_written(self, number: int) -> None:
        """Strike after the write: it is done, but the operator never hears of it."""
        if self._after and number >= self._at:
            await self._strike()

    async def _strike(self) -> None:
        self.has_struck.set()
        await asyncio.sleep(FOREVER)
