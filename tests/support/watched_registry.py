"""A registry in memory, its watcher and those who are woken, in virtual time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from regisseur_operator.errors import UnreachableError
from regisseur_operator.ports import Key, Reference, RegistryAnswer
from regisseur_operator.runtime.registry_watcher import RegistryWatcher
from regisseur_operator.telemetry import Metrics
from support.registry_in_memory import RegistryInMemory
from support.virtual_time import now, run_in_virtual_time

INTERVAL = 5.0
WINE, BEER = Key("ml", "wine"), Key("ml", "beer")
DOWN = UnreachableError("connection refused")


class VirtualClock:
    """The port `Clock` in virtual time."""

    def now(self) -> datetime:
        """Count from a fixed day."""
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=now())


@dataclass
class World:
    """A registry, its watcher, and who was woken."""

    registry: RegistryInMemory
    watcher: RegistryWatcher
    woken: list[Key] = field(default_factory=list)

    def follow(self, key: Key, model: str, **reference: str | int) -> Reference:
        """Follow something, Production by default."""
        wanted = reference or {"stage": "Production"}
        found = Reference("default", model, **wanted)  # type: ignore[arg-type]
        self.watcher.follow(key, found)
        return found

    async def tick(self) -> None:
        """Let a tick pass; forget who was woken before."""
        self.woken.clear()
        self.registry.calls.clear()
        await asyncio.sleep(INTERVAL)


@asynccontextmanager
async def watched() -> AsyncIterator[World]:
    """Run a watcher for as long as the block lasts."""
    registry = RegistryInMemory()
    woken: list[Key] = []
    watcher = RegistryWatcher(
        "default",
        registry,
        interval_seconds=INTERVAL,
        wake=woken.append,
        clock=VirtualClock(),
        metrics=Metrics(),
    )
    task = asyncio.create_task(watcher.run())
    await asyncio.sleep(0.1)
    try:
        yield World(registry, watcher, woken)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def play(story: Callable[[World], Awaitable[None]]) -> None:
    """Let a story happen to a world."""

    async def run() -> None:
        async with watched() as world:
            await story(world)

    run_in_virtual_time(run())


def numbers(answer: RegistryAnswer) -> list[int]:
    """Return the numbers of the holders."""
    return [holder.version for holder in answer.holders]
