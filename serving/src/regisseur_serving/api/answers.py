"""JSON answers of the raw ASGI routes."""

from collections.abc import Iterable
from http import HTTPStatus

import orjson
from starlette.types import Send

from regisseur_serving.errors import InputError

Headers = Iterable[tuple[bytes, bytes]]

_JSON = (b"content-type", b"application/json")


async def send_json(send: Send, status: int, body: bytes, headers: Headers = ()) -> None:
    """Send a whole answer."""
    length = (b"content-length", str(len(body)).encode())
    await send(
        {"type": "http.response.start", "status": status, "headers": [_JSON, length, *headers]}
    )
    await send({"type": "http.response.body", "body": body})


async def send_detail(send: Send, status: HTTPStatus, detail: str, headers: Headers = ()) -> None:
    """Send an error in FastAPI's shape."""
    await send_json(send, status, orjson.dumps({"detail": detail}), headers)


async def send_problems(send: Send, error: InputError) -> None:
    """Send what is wrong with a request, in FastAPI's shape but without the data."""
    detail = [
        {"loc": problem.location, "msg": problem.message, "type": problem.kind}
        for problem in error.problems
    ]
    body = orjson.dumps({"detail": detail})
    await send_json(send, error.status, body, advise(error.status))


def advise(status: HTTPStatus) -> Headers:
    """Return the headers that tell a refused client how to go on.

    The connection of a body that was not read cannot go on; what is not there now is in a moment.
    """
    if status in {HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.REQUEST_TIMEOUT}:
        return [(b"connection", b"close")]
    is_later = status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
    return [(b"retry-after", b"1")] if is_later else []


def lower_status(error: InputError) -> HTTPStatus:
    """Return the status in protocols that know 400 only for whatever is wrong with contents."""
    is_content = error.status == HTTPStatus.UNPROCESSABLE_ENTITY
    return HTTPStatus.BAD_REQUEST if is_content else error.status
