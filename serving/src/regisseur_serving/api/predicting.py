"""What all protocols share between a request that was received and a prediction."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Final, TypeVar

from regisseur_serving.api.batching import Batcher
from regisseur_serving.api.bodies import BodyReader
from regisseur_serving.api.lifecycle import Served
from regisseur_serving.api.room import Place, Room, server_full
from regisseur_serving.core.batching import Query
from regisseur_serving.errors import InputError, Problem
from regisseur_serving.ports.predictor import Prediction, Table
from regisseur_serving.settings.limits import Limits
from regisseur_serving.telemetry import Metrics

_LARGE_BODY_BYTES: Final = 256 * 1024
"""Up to here a body is parsed and read within a few milliseconds, which probes can wait; all of
the largest body takes so long that the server would look dead."""

_T = TypeVar("_T")


class Predicting:
    """Takes requests in, within limits, and makes their predictions."""

    def __init__(self, metrics: Metrics, limits: Limits) -> None:
        self.bodies = BodyReader(
            max_bytes=limits.max_body_bytes, timeout_seconds=limits.body_timeout_seconds
        )
        self._room = Room(max_requests=limits.max_requests, max_bytes=limits.max_held_bytes)
        self._metrics = metrics
        self._limits = limits
        # One thread: the process has one core, and two predictions at once would share it.
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="predict")
        # What is read for long does not keep what is read from being predicted.
        self._reading = ThreadPoolExecutor(max_workers=1, thread_name_prefix="read")
        self._batcher: Batcher | None = None

    def take(self) -> Place:
        """Take a request in until it is answered; it is to leave its place then.

        Raises:
            InputError: The server has as much to do as it can.
        """
        if self._batcher is not None and (
            self._batcher.expected_wait_seconds > self._limits.max_queue_seconds
        ):
            raise server_full()
        return self._room.take()

    async def read(self, size_bytes: int, call: Callable[[], _T]) -> _T:
        """Return what reading a body gives, without keeping the loop for long."""
        return call() if size_bytes <= _LARGE_BODY_BYTES else await self.read_apart(call)

    async def read_apart(self, call: Callable[[], _T]) -> _T:
        """Return what reading a body gives whose size does not tell how long that takes."""
        return await asyncio.get_running_loop().run_in_executor(self._reading, call)

    def check_rows(self, rows: int) -> None:
        """Let so many rows of a request pass.

        Raises:
            InputError: They are more than one may have.
        """
        if rows > self._limits.max_rows:
            raise _too_many_rows(self._limits.max_rows)

    async def predict(
        self,
        served: Served,
        table: Table,
        rows: int,
        place: Place,
        *,
        with_probabilities: bool = False,
    ) -> Prediction:
        """Predict every row.

        Args:
            served: The model.
            table: What to predict.
            rows: How many they are.
            place: What the request takes of the room.
            with_probabilities: Whether the probabilities of classes are asked for.

        Raises:
            InputError: The model cannot predict these values, they are too many, or the server has
                too much to do.
        """
        self.check_rows(rows)
        if self._batcher is None:
            self._batcher = self._build_batcher(served)
        query = Query(table, rows, with_probabilities, place.bytes)
        return await self._batcher.predict(query)

    def _build_batcher(self, served: Served) -> Batcher:
        """Return the queue of the one model that this server ever has."""
        return Batcher(
            served,
            self._executor,
            self._metrics,
            max_rows=self._limits.batch_max_rows,
            longest_wait_seconds=self._limits.queue_timeout_seconds,
        )


def _too_many_rows(most: int) -> InputError:
    text = f"A request may have {most} rows at most; send fewer rows at a time"
    problem = Problem(("body",), "too_many_rows", text)
    return InputError(problem, status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
