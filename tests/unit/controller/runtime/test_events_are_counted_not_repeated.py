"""Events are aggregated, sent in the background and dropped rather than waited for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from regisseur_operator.adapters.kubernetes_errors import NotFoundError
from regisseur_operator.errors import UnreachableError
from regisseur_operator.ports import Manifest
from regisseur_operator.runtime.events import EventSender
from regisseur_operator.telemetry import Metrics
from support.virtual_time import run_in_virtual_time

ABOUT: Manifest = {"metadata": {"uid": "u1", "namespace": "ml", "name": "wine"}}
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class FixedClock:
    """The port `Clock`, standing still."""

    def now(self) -> datetime:
        """Return noon."""
        return NOON


class EventsInMemory:
    """The port `EventStore`.

    Attributes:
        created: Messages, by the names that were given.
        counts: What was counted up, in order.
        fault: What every call ends in, if anything.
    """

    def __init__(self) -> None:
        self.created: dict[str, str] = {}
        self.counts: list[tuple[str, int]] = []
        self.fault: Exception | None = None

    async def create(
        self, about: Manifest, kind: str, reason: str, message: str, at: datetime
    ) -> str:
        """Keep one."""
        del about, kind, reason, at
        await self._pass()
        name = f"event-{len(self.created) + 1}"
        self.created[name] = message
        return name

    async def count_up(self, namespace: str, name: str, count: int, at: datetime) -> None:
        """Count one up."""
        del namespace, at
        await self._pass()
        if name not in self.created:
            raise NotFoundError("expired")
        self.counts.append((name, count))

    async def _pass(self) -> None:
        await asyncio.sleep(0.01)
        if self.fault is not None:
            raise self.fault


@asynccontextmanager
async def sending(store: EventsInMemory, metrics: Metrics) -> AsyncIterator[EventSender]:
    sender = EventSender(store, FixedClock(), metrics)
    task = asyncio.create_task(sender.run())
    try:
        yield sender
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def publish(sender: EventSender, message: str = "back again") -> None:
    sender.publish(ABOUT, "Warning", "ChildRestored", message)


def test_the_same_event_is_counted_up_and_not_too_often() -> None:
    async def story() -> None:
        store = EventsInMemory()
        async with sending(store, Metrics()) as sender:
            publish(sender)
            await asyncio.sleep(1)
            for _ in range(50):
                publish(sender)
                await asyncio.sleep(1)
            await asyncio.sleep(60)
        assert store.created == {"event-1": "back again"}
        assert len(store.counts) <= 4
        assert store.counts[-1] == ("event-1", 51)

    run_in_virtual_time(story())


def test_other_news_are_another_event() -> None:
    async def story() -> None:
        store = EventsInMemory()
        async with sending(store, Metrics()) as sender:
            publish(sender, "one")
            publish(sender, "two")
            await asyncio.sleep(1)
        assert sorted(store.created.values()) == ["one", "two"]

    run_in_virtual_time(story())


def test_an_expired_event_is_made_again() -> None:
    async def story() -> None:
        store = EventsInMemory()
        async with sending(store, Metrics()) as sender:
            publish(sender)
            await asyncio.sleep(1)
            store.created.clear()
            publish(sender)
            await asyncio.sleep(60)
        assert store.created == {"event-1": "back again"}

    run_in_virtual_time(story())


def test_what_cannot_be_sent_is_dropped_and_the_next_one_is_sent() -> None:
    async def story() -> None:
        store, metrics = EventsInMemory(), Metrics()
        async with sending(store, metrics) as sender:
            store.fault = UnreachableError("connection refused")
            publish(sender, "lost")
            await asyncio.sleep(1)
            store.fault = None
            publish(sender, "kept")
            await asyncio.sleep(1)
        assert list(store.created.values()) == ["kept"]
        name = "regisseur_operator_events_total"
        assert metrics.registry.get_sample_value(name, {"fate": "dropped"}) == 1.0

    run_in_virtual_time(story())


def test_a_full_queue_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regisseur_operator.runtime.events.WAITING", 3)

    async def story() -> None:
        store = EventsInMemory()
        async with sending(store, Metrics()) as sender:
            for number in range(10):
                publish(sender, f"message {number}")
            await asyncio.sleep(1)
        assert len(store.created) == 3

    run_in_virtual_time(story())


def test_what_waits_is_sent_at_the_end_as_far_as_time_goes() -> None:
    async def story() -> None:
        store = EventsInMemory()
        sender = EventSender(store, FixedClock(), Metrics())
        for number in range(5):
            publish(sender, f"message {number}")

        await sender.flush(0.035)

        assert 1 <= len(store.created) < 5

    run_in_virtual_time(story())
