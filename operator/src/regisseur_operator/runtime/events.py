"""Events about ModelDeployments: aggregated, sent in the background, never waited for.

The same Event again counts the first one up instead of making another. How often is limited, so
that a resource that flaps writes a handful of times a minute at most.
"""

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, Protocol

from regisseur_operator.adapters.kubernetes_errors import NotFoundError
from regisseur_operator.errors import OperatorError
from regisseur_operator.ports import Clock, Manifest
from regisseur_operator.telemetry import Metrics, Repeated

log = logging.getLogger(__name__)

WAITING: Final = 1000
REMEMBERED: Final = 5000
REPEAT_SECONDS: Final = 20.0

Identity = tuple[str, str, str, str]


class EventStore(Protocol):
    """Where Events are kept; each call raises an `OperatorError`."""

    async def create(
        self, about: Manifest, kind: str, reason: str, message: str, at: datetime
    ) -> str:
        """Create one and return its name."""
        ...

    async def count_up(self, namespace: str, name: str, count: int, at: datetime) -> None:
        """Say that one has happened again; `NotFoundError` when it has expired."""
        ...


@dataclass
class Series:
    """One Event and how often it happened.

    Attributes:
        about: The object as it was when it happened last.
        name: Name of the Event on the API server; empty until it is there.
        is_waiting: Whether it is in the queue.
    """

    about: Manifest
    kind: str
    reason: str
    message: str
    name: str = ""
    count: int = 0
    is_waiting: bool = False


class EventSender:
    """The port `Events`.

    Args:
        events: Where they go.
        clock: Tells when something happened.
        metrics: Told how many were sent and dropped.
        repeat_seconds: How soon the same Event may be counted up again.
    """

    def __init__(
        self,
        events: EventStore,
        clock: Clock,
        metrics: Metrics,
        *,
        repeat_seconds: float = REPEAT_SECONDS,
    ) -> None:
        self._events = events
        self._clock = clock
        self._metrics = metrics
        self._repeat_seconds = repeat_seconds
        self._known: OrderedDict[Identity, Series] = OrderedDict()
        self._waiting: asyncio.Queue[Series] = asyncio.Queue(WAITING)
        self._trouble = Repeated(log)

    def publish(
        self, about: Manifest, kind: Literal["Normal", "Warning"], reason: str, message: str
    ) -> None:
        """Queue one Event."""
        identity = (about["metadata"]["uid"], kind, reason, message)
        series = self._known.get(identity)
        if series is None:
            series = self._known[identity] = Series(about, kind, reason, message)
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        self._known.move_to_end(identity)
        series.about = about
        series.count += 1
        if not series.is_waiting:
            self._enqueue(series, after_seconds=self._repeat_seconds if series.name else 0.0)

    async def run(self) -> None:
        """Send what is queued, until cancelled."""
        while True:
            await self._send(await self._waiting.get())

    async def flush(self, limit_seconds: float) -> None:
        """Send what is still queued, as far as the time goes."""
        try:
            async with asyncio.timeout(limit_seconds):
                while not self._waiting.empty():
                    await self._send(self._waiting.get_nowait())
        except TimeoutError:
            return

    def _enqueue(self, series: Series, *, after_seconds: float) -> None:
        series.is_waiting = True
        if after_seconds:
            loop = asyncio.get_running_loop()
            loop.call_later(after_seconds, self._put, series)
        else:
            self._put(series)

    def _put(self, series: Series) -> None:
        try:
            self._waiting.put_nowait(series)
        except asyncio.QueueFull:
            series.is_waiting = False
            self._metrics.events.labels("dropped").inc()

    async def _send(self, series: Series) -> None:
        series.is_waiting = False
        count = series.count
        try:
            await self._write(series, count)
        except OperatorError as error:
            self._trouble.warn("Events", str(error))
            self._metrics.events.labels("dropped").inc()
        else:
            self._trouble.clear("Events", "are written again")
            self._metrics.events.labels("sent").inc()

    async def _write(self, series: Series, count: int) -> None:
        now = self._clock.now()
        if series.name:
            namespace = series.about["metadata"]["namespace"]
            try:
                await self._events.count_up(namespace, series.name, count, now)
            except NotFoundError:
                series.name, series.count = "", 1
            else:
                return
        series.name = await self._events.create(
            series.about, series.kind, series.reason, series.message, now
        )
