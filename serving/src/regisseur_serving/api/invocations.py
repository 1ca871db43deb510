"""The route `/invocations`: MLflow's scoring protocol, for clients of `mlflow models serve`."""

from http import HTTPStatus
from typing import Any, Final

import orjson
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from regisseur_contract.http import ROUTE_INVOCATIONS
from regisseur_serving.adapters.parquet import has_parquet, read_parquet
from regisseur_serving.api.answers import Headers, advise, lower_status, send_json
from regisseur_serving.api.bodies import JSON_TYPE, parse_json, read_media_type
from regisseur_serving.api.lifecycle import Lifecycle, Served
from regisseur_serving.api.predicting import Predicting
from regisseur_serving.core.invocations import (
    FRAME_RECORDS,
    INPUTS,
    describe_error,
    describe_unavailable,
    malformed,
)
from regisseur_serving.errors import InputError, Problem
from regisseur_serving.ports.predictor import Table

CSV_TYPE: Final = "text/csv"
PARQUET_TYPE: Final = "application/vnd.apache.parquet"

Json = dict[str, Any]


class InvocationsRoute:
    """Answers `POST /invocations`."""

    def __init__(self, lifecycle: Lifecycle, predicting: Predicting) -> None:
        self._lifecycle = lifecycle
        self._predicting = predicting

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        served = self._lifecycle.served
        if scope["method"] != "POST":
            problem = Problem(("body",), "method", "Method Not Allowed")
            body = describe_error([problem], HTTPStatus.METHOD_NOT_ALLOWED)
            await _send(send, HTTPStatus.METHOD_NOT_ALLOWED, body, [(b"allow", b"POST")])
        elif served is None:
            body = describe_unavailable("The model is being loaded")
            await _send(send, HTTPStatus.SERVICE_UNAVAILABLE, body, [(b"retry-after", b"1")])
        else:
            await self._answer(served, scope, receive, send)

    async def _answer(self, served: Served, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            media_type = read_media_type(scope)
            _check_type(media_type)
            with self._predicting.take() as place:
                body = await self._predicting.bodies.read(scope, receive, place)
                table, rows = await self._read(served, media_type, body)
                prediction = await self._predicting.predict(served, table, rows, place)
        except InputError as error:
            await _refuse(send, error)
        except ClientDisconnect:
            return
        else:
            await _send(send, HTTPStatus.OK, {"predictions": prediction.values})

    async def _read(self, served: Served, media_type: str, body: bytes) -> tuple[Table, int]:
        if media_type == PARQUET_TYPE:
            # A few bytes of it can hold millions of values.
            return await self._predicting.read_apart(lambda: _read_parquet(served, body))
        return await self._predicting.read(len(body), lambda: _read_text(served, media_type, body))


def _check_type(media_type: str) -> None:
    if media_type == PARQUET_TYPE and not has_parquet():
        raise _refuse_type(f"This image has no pyarrow: send {JSON_TYPE} or {CSV_TYPE}")
    if media_type not in {"", JSON_TYPE, CSV_TYPE, PARQUET_TYPE}:
        raise _refuse_type(f"Content-Type should be {JSON_TYPE}, {CSV_TYPE} or {PARQUET_TYPE}")


def _refuse_type(text: str) -> InputError:
    problem = Problem(("body",), "content_type", text)
    return InputError(problem, status=HTTPStatus.UNSUPPORTED_MEDIA_TYPE)


def _read_parquet(served: Served, body: bytes) -> tuple[Table, int]:
    return served.loaded.invocations.read_typed(read_parquet(body))


def _read_text(served: Served, media_type: str, body: bytes) -> tuple[Table, int]:
    reader = served.loaded.invocations
    if media_type != CSV_TYPE:
        return reader.read_json(parse_json(body.removeprefix(b"\xef\xbb\xbf")))
    try:
        return reader.read_csv(body.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise malformed("Ensure that input is a valid UTF-8 encoded string") from None


async def _refuse(send: Send, error: InputError) -> None:
    """Answer as MLflow does: 400 for whatever is wrong with the contents."""
    body = describe_error(error.problems, error.status)
    await _send(send, lower_status(error), body, advise(error.status))


async def _send(send: Send, status: HTTPStatus, body: Json, headers: Headers = ()) -> None:
    await send_json(send, status, orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY), headers)


def describe_invocations(served: Served | None) -> Json:
    """Return the OpenAPI of the route, with the example of the model."""
    properties = {
        "dataframe_split": {"type": "object"},
        "dataframe_records": {"type": "array", "items": {"type": "object"}},
        "instances": {"type": "array"},
        "inputs": {},
        "params": {"type": ["object", "null"]},
    }
    error = {"type": "object", "required": ["error_code", "message"]}
    refusals = {
        str(status.value): {
            "description": status.phrase,
            "content": {JSON_TYPE: {"schema": error}},
        }
        for status in _REFUSALS
    }
    answer = {"type": "object", "required": ["predictions"]}
    content: Json = {
        JSON_TYPE: {"schema": {"type": "object", "properties": properties}},
        CSV_TYPE: {"schema": {"type": "string"}},
    }
    if served is not None and served.loaded.example:
        content[JSON_TYPE]["example"] = _build_example(served)
    if has_parquet():
        content[PARQUET_TYPE] = {"schema": {"type": "string", "format": "binary"}}
    return {
        ROUTE_INVOCATIONS: {
            "post": {
                "summary": "Predict, in MLflow's scoring protocol",
                "operationId": "invocations",
                "requestBody": {"required": True, "content": content},
                "responses": {
                    "200": {
                        "description": "One prediction a row.",
                        "content": {JSON_TYPE: {"schema": answer}},
                    },
                    **refusals,
                },
            }
        }
    }


def _build_example(served: Served) -> Json:
    has_names = served.loaded.mlmodel.signature.has_names
    return {FRAME_RECORDS if has_names else INPUTS: served.loaded.example}


_REFUSALS: Final = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
)
