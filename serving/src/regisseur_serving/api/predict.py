"""The route `/predict`, as an ASGI application of its own.

It is the route that everything is about, so it stands in front of FastAPI's router and does
without models of the body: the signature is known only when the model is loaded, and one object
a row costs more than most predictions.
"""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus

import orjson
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from regisseur_serving.api.answers import send_detail, send_json, send_problems
from regisseur_serving.api.bodies import BodyReader
from regisseur_serving.api.lifecycle import Lifecycle, Served
from regisseur_serving.errors import InputError, Problem
from regisseur_serving.ports.predictor import Prediction, Table
from regisseur_serving.telemetry import Metrics

WITH_PROBABILITIES = "probabilities"

_LOGGER = logging.getLogger("regisseur_serving.predict")
_QUICK_CALL_SECONDS = 0.001
_QUICK_ROWS = 256
"""Below both, handing the call to a thread costs more than it gains."""


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
            document = await self._bodies.read_json(scope, receive)
            await send_json(send, HTTPStatus.OK, await self._answer(served, document))
        except InputError as error:
            await send_problems(send, error)
        except ClientDisconnect:
            return

    async def _answer(self, served: Served, document: object) -> bytes:
        table, rows = served.loaded.reader.read(document)
        wants_probabilities = _wants_probabilities(served, document)
        prediction = await self._predict(
            served, table, rows=rows, with_probabilities=wants_probabilities
        )
        self._metrics.count_rows(rows)
        return _render(served, prediction)

    async def _predict(
        self, served: Served, table: Table, *, rows: int, with_probabilities: bool
    ) -> Prediction:
        def call() -> Prediction:
            return served.loaded.predictor.predict(table, with_probabilities=with_probabilities)

        try:
            if served.loaded.call_seconds < _QUICK_CALL_SECONDS and rows <= _QUICK_ROWS:
                return call()
            return await asyncio.get_running_loop().run_in_executor(self._executor, call)
        except ValueError as error:
            # What scikit-learn says here quotes the data, so it goes neither out nor to the log.
            _LOGGER.warning("the model refused a request (%s)", type(error).__name__)
            raise InputError(
                Problem(("body",), "model_refused", "The model cannot predict these values")
            ) from None


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
