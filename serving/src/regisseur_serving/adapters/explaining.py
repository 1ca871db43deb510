"""Have predictions explained by a process of its own, which is started when it is first needed.

Requests wait for each other, a few of them. Two times end what is slow: one for being heard, which
the start of the process counts to, and then the budget. The process that is over it is ended, and
the next request starts another one.
"""

import asyncio
import logging
import os
import time
from collections.abc import Coroutine
from http import HTTPStatus
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import orjson

from regisseur_contract.runtime import EXPLAIN_WAIT_SECONDS
from regisseur_serving.adapters.explaining_messages import Kind, Message
from regisseur_serving.adapters.explaining_process import EndedError, ExplainingProcess
from regisseur_serving.core.explaining import NO_LIBRARY
from regisseur_serving.errors import InputError, Problem
from regisseur_serving.ports.predictor import Table

_LIBRARY: Final = "shap"
_MOST_WAITING: Final = 8
"""Beside the one that is explained."""

_START_SECONDS: Final = 120.0
"""A start goes on when the request that it was for has been given up: the next one has it then."""

_LOGGER = logging.getLogger("regisseur_serving.explaining")


class ProcessExplainer:
    """Explains the model of a folder, by its native engine whatever predicts.

    Args:
        folder: The model's.
        budget_seconds: What the explanation of one request may take.
        trusts_pickle: Whether the model may run code while it is loaded.
        wait_seconds: How long a request waits until its explanation is begun.
    """

    def __init__(
        self,
        folder: Path,
        *,
        budget_seconds: float,
        trusts_pickle: bool,
        wait_seconds: float = EXPLAIN_WAIT_SECONDS,
    ) -> None:
        self.reason = "" if find_spec(_LIBRARY) is not None else NO_LIBRARY
        self._arguments = [str(folder), str(budget_seconds), str(trusts_pickle), str(os.getpid())]
        self._budget_seconds = budget_seconds
        self._wait_seconds = wait_seconds
        self._turn = asyncio.Lock()
        self._inside = 0
        self._start: asyncio.Task[ExplainingProcess] | None = None

    async def explain(self, table: Table) -> bytes:
        """Return the explanation of every row of a table, as a JSON object.

        Raises:
            InputError: The rows cannot be explained, or not now; its status says which.
        """
        latest = time.monotonic() + self._wait_seconds
        if self._inside > _MOST_WAITING:
            text = "Many requests wait to be explained; send this one again in a moment"
            raise _error("too_many_requests", text, HTTPStatus.TOO_MANY_REQUESTS)
        self._inside += 1
        try:
            await self._take_turn()
            try:
                process = await self._reach_process(latest - time.monotonic())
                return await self._ask(process, table)
            finally:
                self._turn.release()
        finally:
            self._inside -= 1

    async def prepare(self) -> str:
        """Have the process started, and return the method by which it explains.

        Raises:
            InputError: The model cannot be explained, or not now.
        """
        return (await self._reach_process(self._wait_seconds)).method

    async def close(self) -> None:
        """End the process."""
        if self._start is not None and (process := _find_process(self._start)) is not None:
            await process.end()

    async def _take_turn(self) -> None:
        try:
            async with asyncio.timeout(self._wait_seconds):
                await self._turn.acquire()
        except TimeoutError:
            text = f"The request waited to be explained for {self._wait_seconds:g} s, too long"
            raise _error("timeout", text, HTTPStatus.GATEWAY_TIMEOUT) from None

    async def _reach_process(self, seconds: float) -> ExplainingProcess:
        if self.reason:
            raise _not_explainable(self.reason)
        start = self._start
        if start is None or (start.done() and _find_process(start) is None):
            start = self._start = asyncio.create_task(self._begin())
            start.add_done_callback(_find_process)  # its error is nobody's where nobody waits
        await asyncio.wait([start], timeout=max(seconds, 0.0))
        if not start.done():
            text = "What explains is being started; send the request again in a moment"
            raise _error("starting", text, HTTPStatus.SERVICE_UNAVAILABLE)
        return start.result()

    async def _begin(self) -> ExplainingProcess:
        begun = time.monotonic()
        process = await ExplainingProcess.start(self._arguments)
        said = await _hear(process, process.listen(), _START_SECONDS)
        if said.kind == Kind.UNEXPLAINABLE:
            self.reason = said.content.decode()
            await process.end()
            raise _not_explainable(self.reason)
        process.method = said.content.decode()
        seconds = time.monotonic() - begun
        _LOGGER.info("explaining by %s after %.2f s", process.method, seconds)
        return process

    async def _ask(self, process: ExplainingProcess, table: Table) -> bytes:
        said = await _hear(process, process.ask(table), self._budget_seconds)
        if said.kind == Kind.ANSWER:
            return said.content
        refusal = orjson.loads(said.content)
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        raise _error(refusal["kind"], refusal["message"], status, "body")


def _find_process(start: asyncio.Task[ExplainingProcess]) -> ExplainingProcess | None:
    """Return what a start has brought, if that is still there."""
    is_there = not start.cancelled() and start.exception() is None and start.result().is_alive
    return start.result() if is_there else None


async def _hear(
    process: ExplainingProcess, words: Coroutine[Any, Any, Message], seconds: float
) -> Message:
    """Return what a process says within a time; if it does not, there is no process any more."""
    said: Message | None = None
    try:
        async with asyncio.timeout(seconds):
            said = await words
            return said
    except TimeoutError:
        _LOGGER.warning("what explains took longer than %g s and was ended", seconds)
        text = f"The explanation took longer than {seconds:g} s and was given up; send fewer rows"
        raise _error("timeout", text, HTTPStatus.GATEWAY_TIMEOUT) from None
    except EndedError as ended:
        _LOGGER.warning("what explains has ended: %s", ended)
        text = f"What explains has ended ({ended}); send the request again, or fewer rows at a time"
        raise _error("ended", text, HTTPStatus.SERVICE_UNAVAILABLE) from None
    finally:
        if said is None:
            await process.end()


def _not_explainable(reason: str) -> InputError:
    text = f"Predictions of this model are not explained: {reason}"
    return _error("not_explainable", text, HTTPStatus.NOT_IMPLEMENTED)


def _error(kind: str, message: str, status: HTTPStatus, *location: str) -> InputError:
    return InputError(Problem(location, kind, message), status=status)
