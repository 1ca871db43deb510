"""The route `/predict`, as an ASGI application of its own.

It is the route that everything is about, so it stands in front of FastAPI's router and does
without models of the body: the signature is known only when the model is loaded, and one object
a row costs more than most predictions.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from http import HTTPStatus

import orjson
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from regisseur_serving.api.answers import send_detail, send_json, send_problems
from regisseur_serving.api.bodies import check_json, parse_json
from regisseur_serving.api.lifecycle import Lifecycle, Served
from regisseur_serving.api.predicting import Predicting
from regisseur_serving.api.room import Place
from regisseur_serving.core.problems import refuse, show_name
from regisseur_serving.core.tables import COLUMNS, RECORDS, ROWS
from regisseur_serving.errors import InputError, Problem
from regisseur_serving.ports.predictor import Prediction, Table

WITH_PROBABILITIES = "probabilities"

TABLE_KEYS = frozenset({RECORDS, COLUMNS, ROWS})

_KEYS = TABLE_KEYS | {WITH_PROBABILITIES}


@dataclass(slots=True)
class _Request:
    """A body that has been read."""

    table: Table
    rows: int
    wants_probabilities: bool


class PredictRoute:
    """Answers `POST /predict`."""

    def __init__(self, lifecycle: Lifecycle, predicting: Predicting) -> None:
        self._lifecycle = lifecycle
        self._predicting = predicting

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        served = await find_served(self._lifecycle, scope, send)
        if served is None:
            return
        try:
            check_json(scope)
            with self._predicting.take() as place:
                body = await self._predicting.bodies.read(scope, receive, place)
                answer = await self._answer(served, body, place)
            await send_json(send, HTTPStatus.OK, answer)
        except InputError as error:
            await send_problems(send, error)
        except ClientDisconnect:
            return

    async def _answer(self, served: Served, body: bytes, place: Place) -> bytes:
        request = await self._predicting.read(len(body), lambda: _read(served, body))
        prediction = await self._predicting.predict(
            served,
            request.table,
            request.rows,
            place,
            with_probabilities=request.wants_probabilities,
        )
        return _render(served, prediction)


async def find_served(lifecycle: Lifecycle, scope: Scope, send: Send) -> Served | None:
    """Return the model that is to answer a POST; None where the request has its answer by that."""
    if scope["method"] != "POST":
        allow = [(b"allow", b"POST")]
        await send_detail(send, HTTPStatus.METHOD_NOT_ALLOWED, "Method Not Allowed", allow)
        return None
    if lifecycle.served is None:
        later = [(b"retry-after", b"1")]
        await send_detail(send, HTTPStatus.SERVICE_UNAVAILABLE, "The model is being loaded", later)
    return lifecycle.served


def parse_body(body: bytes, keys: Set[str]) -> object:
    """Parse a body whose object may have some keys.

    Raises:
        InputError: It is no JSON, or has others.
    """
    document = parse_json(body)
    if isinstance(document, dict):
        _refuse_unknown(document, keys)
    return document


def _read(served: Served, body: bytes) -> _Request:
    document = parse_body(body, _KEYS)
    table, rows = served.loaded.reader.read(document)
    return _Request(table, rows, _wants_probabilities(served, document))


def _refuse_unknown(document: Mapping[str, object], keys: Set[str]) -> None:
    if document.keys() <= keys:
        return
    refuse(
        Problem(("body", show_name(key)), "extra_forbidden", "Extra inputs are not permitted")
        for key in document
        if key not in keys
    )


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
