"""Workers take keys from the queue and reconcile them."""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable

from regisseur_operator.api.status import HistoryEntry
from regisseur_operator.errors import ConflictError, TerminalError, TransientError
from regisseur_operator.ports import Key
from regisseur_operator.reconcile import Outcome
from regisseur_operator.runtime.queue import KeyedQueue
from regisseur_operator.telemetry import Metrics, Repeated

log = logging.getLogger(__name__)

Reconcile = Callable[[Key], Awaitable[Outcome]]
TERMINAL_BACKOFF_SECONDS = 30.0
STUCK_SECONDS = 300.0
"""No reconcile takes as long: each call in it has a time limit of its own."""


class Workers:
    """A fixed number of workers on one queue.

    Args:
        queue: Where keys come from.
        reconcile: What is done with one.
        count: How many are worked on at once.
        metrics: Told of every reconcile.
    """

    def __init__(
        self, queue: KeyedQueue, reconcile: Reconcile, count: int, metrics: Metrics
    ) -> None:
        self._queue = queue
        self._reconcile = reconcile
        self._count = count
        self._metrics = metrics
        self._trouble = Repeated(log)
        self._is_stopping = False
        self._tasks: list[asyncio.Task[None]] = []
        self._begun: dict[Key, float] = {}
        self._idle = asyncio.Event()
        self._idle.set()

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._tasks = [group.create_task(self._work()) for _ in range(self._count)]

    async def drain(self, grace_seconds: float) -> None:
        """Begin nothing new and give what was begun a while to end, then cut it short.

        Once this returns nobody here writes any more: the next leader may begin.
        """
        self._is_stopping = True
        try:
            async with asyncio.timeout(grace_seconds):
                await self._idle.wait()
        except TimeoutError:
            text = "%d reconciles are cut short; the next leader goes on"
            log.warning(text, len(self._begun))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def why_stuck(self) -> str:
        """Say which reconcile does not end; empty while all do, however many there are."""
        key, begun = min(self._begun.items(), key=lambda item: item[1], default=(None, math.inf))
        seconds = time.monotonic() - begun
        if key is None or seconds < STUCK_SECONDS:
            return ""
        return f"the reconcile of {_name(key)} has not ended for {seconds:.0f} s"

    async def _work(self) -> None:
        while True:
            key = await self._queue.get()
            if self._is_stopping:
                return
            self._begun[key] = time.monotonic()
            self._idle.clear()
            try:
                await self._take(key)
            finally:
                del self._begun[key]
                if not self._begun:
                    self._idle.set()

    async def _take(self, key: Key) -> None:
        started = time.monotonic()
        try:
            outcome = await self._reconcile(key)
        except TransientError as error:
            self._hold_back(key, error)
        except TerminalError as error:
            self._trouble.warn(_name(key), str(error))
            self._queue.fail(key, at_least_seconds=TERMINAL_BACKOFF_SECONDS)
            self._metrics.reconciles.labels("terminal").inc()
        except Exception:
            again = self._queue.fail(key)
            log.exception("%s: reconcile failed, tried again in %.1f s", _name(key), again)
            self._metrics.reconciles.labels("error").inc()
        else:
            self._tell(key, outcome)
            # The next step may rest on what was just written, and that wakes nobody: the answer to
            # a write is in the cache before its event is.
            again_after = 0.0 if outcome.writes else outcome.requeue_after_seconds
            self._queue.done(key, again_after_seconds=again_after)
        self._metrics.reconcile_seconds.observe(time.monotonic() - started)

    def _hold_back(self, key: Key, error: TransientError) -> None:
        self._queue.fail(key, at_least_seconds=error.retry_after_seconds)
        if isinstance(error, ConflictError):  # everyday life: read again, decide again
            log.debug("%s: %s", _name(key), error)
            self._metrics.reconciles.labels("conflict").inc()
            return
        self._trouble.warn(_name(key), str(error))
        self._metrics.reconciles.labels("transient").inc()

    def _tell(self, key: Key, outcome: Outcome) -> None:
        self._trouble.clear(_name(key), "goes on")
        self._metrics.reconciles.labels("done" if outcome.writes else "nothing_to_do").inc()
        for write in outcome.writes:
            self._metrics.writes.labels(write.verb, write.kind, write.reason).inc()
        for entry in outcome.rollouts:
            self._count_rollout(entry)
        for note in outcome.notes:
            extra = {"modeldeployment": _name(key), "reason": str(note.reason)}
            level = logging.WARNING if note.kind == "Warning" else logging.INFO
            log.log(level, "%s: %s", note.reason, note.message, extra=extra)

    def _count_rollout(self, rollout: HistoryEntry) -> None:
        self._metrics.rollouts.labels(rollout.outcome).inc()
        if rollout.started_at is not None and rollout.finished_at is not None:
            seconds = (rollout.finished_at - rollout.started_at).total_seconds()
            self._metrics.rollout_seconds.labels(rollout.outcome).observe(seconds)


def _name(key: Key) -> str:
    return f"{key.namespace}/{key.name}"
