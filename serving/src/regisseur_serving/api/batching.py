"""Predict what waits together, in one call, without a timer.

Whatever was queued while the last call ran is the next batch. When nothing runs, the loop is given
another turn as long as each of its turns brings more, for what has arrived in the meantime is to be
read anyway. So a single client never waits for others, and a busy server makes large batches by
itself.
"""

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from regisseur_serving.api.lifecycle import Served
from regisseur_serving.core.batching import Query, split, stack
from regisseur_serving.errors import InputError, Problem
from regisseur_serving.ports.predictor import Prediction, Table
from regisseur_serving.telemetry import Metrics

_LOGGER = logging.getLogger("regisseur_serving.predict")
_QUICK_SECONDS: Final = 0.001
"""A call that takes longer is made in a thread, so that probes are answered; for a shorter one,
handing it over would cost more than it gains."""


_MOST_TURNS: Final = 8
"""Turns of the loop that a call is put off for while each of them brings more to predict."""

_FORGETTING: Final = 0.1
"""Weight of the last call in what is known of the model's pace."""


@dataclass(slots=True, eq=False)
class _Waiting:
    """A request in the queue."""

    query: Query
    done: asyncio.Future[Prediction]
    since: float


@dataclass(slots=True)
class _Outcome:
    """What became of some requests: their predictions, or the model refused the only one."""

    members: Sequence[_Waiting]
    table: Table
    found: "Prediction | _RefusedError"


class _RefusedError(Exception):
    """The model raised an error of this name."""


class Batcher:
    """The queue of one model.

    Args:
        served: The model.
        executor: Where slow calls are made.
        metrics: Told of batches and of the time in the queue.
        max_rows: Rows of a batch; a larger request is a batch of its own.
        longest_wait_seconds: Time in the queue after which a request is given up.
    """

    def __init__(
        self,
        served: Served,
        executor: Executor,
        metrics: Metrics,
        *,
        max_rows: int,
        longest_wait_seconds: float,
    ) -> None:
        self._predictor = served.loaded.predictor
        self._calibration = served.loaded.calibration
        self._profile = served.loaded.profile
        self._executor = executor
        self._metrics = metrics
        self._max_rows = max_rows if self._calibration.takes_batches else 1
        self._longest_wait_seconds = longest_wait_seconds
        self._loop = asyncio.get_running_loop()
        self._queue: deque[_Waiting] = deque()
        self._queued_rows = 0
        self._slowness = 1.0
        self._turns = 0
        self._seen_rows = 0
        self._is_busy = False
        self._alarm: asyncio.TimerHandle | None = None

    @property
    def expected_wait_seconds(self) -> float:
        """How long the model will be busy with what waits; 0 while nobody knows how quick it is."""
        calls = len(self._queue)
        if not calls:
            return 0.0
        if self._calibration.takes_batches:
            calls = math.ceil(self._queued_rows / self._max_rows)
        seconds = self._calibration.estimate_seconds(self._queued_rows, calls)
        return seconds * self._slowness if math.isfinite(seconds) else 0.0

    async def predict(self, query: Query) -> Prediction:
        """Predict the rows of a request.

        Raises:
            InputError: The model refuses them, or they waited for too long.
        """
        waiting = _Waiting(query, self._loop.create_future(), self._loop.time())
        self._queue.append(waiting)
        self._queued_rows += query.rows
        if self._is_busy:
            self._watch_queue()
        else:
            self._is_busy = True
            self._loop.call_soon(self._start)
        try:
            return await waiting.done
        except _RefusedError as error:
            # What scikit-learn says here quotes the data, so it goes neither out nor to the log.
            _LOGGER.warning("the model refused a request (%s)", error)
            raise _model_refused() from None

    def _start(self) -> None:
        """Make the next call, if anything waits."""
        self._give_up_late_ones()
        if self._is_growing():
            self._loop.call_soon(self._start)
            return
        batch = self._take()
        if not batch:
            self._is_busy = False
            return
        rows = sum(waiting.query.rows for waiting in batch)
        is_long = any(waiting.query.is_long for waiting in batch)
        if not is_long and self._calibration.estimate_seconds(rows) < _QUICK_SECONDS:
            self._finish(batch, self._solve_timed(batch))
        else:
            self._watch_queue()
            call = self._loop.run_in_executor(self._executor, self._solve_timed, batch)
            call.add_done_callback(lambda done: self._finish(batch, done.result()))

    def _is_growing(self) -> bool:
        """Tell whether the last turn of the loop has brought more: the next one may do so too."""
        has_grown = self._seen_rows < self._queued_rows < self._max_rows
        is_growing = has_grown and self._turns < _MOST_TURNS
        self._turns = self._turns + 1 if is_growing else 0
        self._seen_rows = self._queued_rows if is_growing else 0
        return is_growing

    def _take(self) -> list[_Waiting]:
        """Take the oldest request out of the queue, and what can go with it."""
        batch: list[_Waiting] = []
        others: deque[_Waiting] = deque()
        rows = 0
        kind = self._queue[0].query.kind if self._queue else None
        for waiting in self._queue:
            query = waiting.query
            fits = not batch or (rows + query.rows <= self._max_rows and query.kind == kind)
            if fits:
                batch.append(waiting)
                rows += query.rows
            else:
                others.append(waiting)
        self._queue = others
        self._queued_rows -= rows
        return batch

    def _finish(self, batch: Sequence[_Waiting], solved: tuple[list[_Outcome], float]) -> None:
        """Answer first and count afterwards: nobody waits for the counting."""
        outcomes, seconds = solved
        ended = self._loop.time()
        self._loop.call_soon(self._start)
        for outcome in outcomes:
            _tell(outcome.members, outcome.found)
        rows = sum(waiting.query.rows for waiting in batch)
        self._note_pace(rows, seconds)
        self._metrics.observe_batch(rows, len(batch), seconds)
        for waiting in batch:
            self._metrics.observe_queue(max(0.0, ended - seconds - waiting.since))
        for outcome in outcomes:
            if isinstance(outcome.found, Prediction):
                self._profile.observe(outcome.table, outcome.found)

    def _note_pace(self, rows: int, seconds: float) -> None:
        """Remember by how much calls are slower than when the model was loaded."""
        expected = self._calibration.estimate_seconds(rows)
        if 0 < expected < math.inf:
            self._slowness += _FORGETTING * (seconds / expected - self._slowness)

    # ---- the call ----

    def _solve_timed(self, batch: Sequence[_Waiting]) -> tuple[list[_Outcome], float]:
        started = time.perf_counter()
        outcomes = self._solve(batch)
        return outcomes, time.perf_counter() - started

    def _solve(self, batch: Sequence[_Waiting]) -> list[_Outcome]:
        """Predict a batch; of one that is refused, each half, until the culprits are alone."""
        query = batch[0].query
        table = query.table
        try:
            table = stack([waiting.query.table for waiting in batch])
            prediction = self._predictor.predict(table, with_probabilities=query.with_probabilities)
        except Exception as error:  # noqa: BLE001 - the estimator is anybody's
            if len(batch) > 1:
                middle = len(batch) // 2
                return [*self._solve(batch[:middle]), *self._solve(batch[middle:])]
            return [_Outcome(batch, table, _RefusedError(type(error).__name__))]
        return [_Outcome(batch, table, prediction)]

    # ---- too late ----

    def _watch_queue(self) -> None:
        """See to it that nobody waits for too long while a call is made elsewhere."""
        if self._alarm is None and self._queue:
            due = self._queue[0].since + self._longest_wait_seconds
            self._alarm = self._loop.call_at(due, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        self._give_up_late_ones()
        self._watch_queue()

    def _give_up_late_ones(self) -> None:
        latest = self._loop.time() - self._longest_wait_seconds
        while self._queue and self._queue[0].since <= latest:
            waiting = self._queue.popleft()
            self._queued_rows -= waiting.query.rows
            if not waiting.done.done():
                waiting.done.set_exception(_waited_too_long(self._longest_wait_seconds))


def _tell(members: Sequence[_Waiting], found: Prediction | _RefusedError) -> None:
    """Give every request its part; one whose client is gone has nobody to give it to."""
    if isinstance(found, _RefusedError):
        for waiting in members:
            if not waiting.done.done():
                waiting.done.set_exception(found)
        return
    parts = split(found, [waiting.query.rows for waiting in members])
    for waiting, part in zip(members, parts, strict=True):
        if not waiting.done.done():
            waiting.done.set_result(part)


def _model_refused() -> InputError:
    return InputError(Problem(("body",), "model_refused", "The model cannot predict these values"))


def _waited_too_long(seconds: float) -> InputError:
    text = f"The request waited for {seconds:g} s and was given up; the server has too much to do"
    return InputError(Problem((), "timeout", text), status=HTTPStatus.GATEWAY_TIMEOUT)
