"""The route `/predict`, as an ASGI application of its own.

It is the route that everything is about, so it stands in front of FastAPI's router and does
without models of the body: the signature is known only when the model is loaded, and one object
a row costs more than most predictions.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar

import orjson
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from regisseur_serving.api.answers import send_detail, send_json, send_problems
from regisseur_serving.api.bodies import BodyReader, parse_json
from regisseur_serving.api.lifecycle import Lifecycle, Served
from regisseur_serving.core.problems import refuse, show_name
from regisseur_serving.core.tables import COLUMNS, RECORDS
from regisseur_serving.errors import InputError, Problem
from regisseur_serving.ports.predictor import Prediction, Table
from regisseur_serving.telemetry import Metrics

WITH_PROBABILITIES = "probabilities"

_LOGGER = logging.getLogger("regisseur_serving.predict")
_QUICK_CALL_SECONDS = 0.001
_QUICK_ROWS = 256
"""Below both, handing the call to a thread costs more than it gains."""
_LARGE_BODY_BYTES = 256 * 1024
"""Up to here a body is parsed and read within a few milliseconds, which probes can wait; all of
the largest body takes so long that the server would look dead."""
_KEYS = {RECORDS, COLUMNS, WITH_PROBABILITIES}

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Request:
    """A body that has been read."""

    table: Table
    rows: int
    wants_probabilities: bool


class PredictRoute:
    """Answers `POST /predict`."""

    def __init__(self, lifecycle: Lifecycle, metrics: Metrics, bodies: BodyReader) -> None:
        self._lifecycle = lifecycle
        self._metrics = metrics
        self._bodies = bodies
        # One thread: the process has one core, and two predictions at once would share it.
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="predict")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["method"] != "POST":
            allow = [(b"allow", b"POST")]
            await send_detail(send, HTTPStatus.METHOD_NOT_ALLOWED, "Method Not Allowed", allow)
            return
        served = self._lifecycle.served
        if served is None:
            later = [(b"retry-after", b"1")]
            await send_detail(
                send, HTTPStatus.SERVICE_UNAVAILABLE, "The model is being loaded", later
            )
            return
        try:
            body = await self._bodies.read(scope, receive)
            await send_json(send, HTTPStatus.OK, await self._answer(served, body))
        except InputError as error:
            await send_problems(send, error)
        except ClientDisconnect:
            return

    async def _answer(self, served: Served, body: bytes) -> bytes:
        if len(body) > _LARGE_BODY_BYTES:
            request = await self._run(lambda: _read(served, body))
        else:
            request = _read(served, body)
        prediction = await self._predict(served, request)
        self._metrics.count_rows(request.rows)
        return _render(served, prediction)

    async def _run(self, call: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, call)

    async def _predict(self, served: Served, request: _Request) -> Prediction:
        def call() -> Prediction:
            return served.loaded.predictor.predict(
                request.table, with_probabilities=request.wants_probabilities
            )

        try:
            if served.loaded.call_seconds < _QUICK_CALL_SECONDS and request.rows <= _QUICK_ROWS:
                return call()
            return await self._run(call)
        except ValueError as error:
            # What scikit-learn says here quotes the data, so it goes neither out nor to the log.
            _LOGGER.warning("the model refused a request (%s)", type(error).__name__)
            raise InputError(
                Problem(("body",), "model_refused", "The model cannot predict these values")
            ) from None


def _read(served: Served, body: bytes) -> _Request:
    document = parse_json(body)
    if isinstance(document, dict):
        refuse(
            Problem(("body", show_name(key)), "extra_forbidden", "Extra inputs are not permitted")
            for key in document
            if key not in _KEYS
        )
    table, rows = served.loaded.reader.read(document)
    return _Request(table, rows, _wants_probabilities(served, document))


def _wants_probabilities(served: Served, document: object) -> bool:
    wanted = document.get(WITH_PROBABILITIES, False) if isinstance(document, dict) else False
    if not isinstance(wanted, bool):
        raise InputError(
            Problem(("body", WITH_PROBABILITIES), "bool_type", "Input should be a valid boolean")
        )
    if wanted and served.loaded.predictor.classes is None:
        raise InputError(
            Problem(("body", WITH_PROBABILITIES), "value_error", "The model has no probabilities")
        )
    return wanted


def _render(served: Served, prediction: Prediction) -> bytes:
    answer = {"predictions": prediction.values}
    if prediction.probabilities is not None:
        answer[WITH_PROBABILITIES] = prediction.probabilities
        answer["classes"] = served.loaded.predictor.classes
    answer["model"] = served.identity
    return orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)
