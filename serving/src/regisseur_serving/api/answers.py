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
    # A body that is too large is not read to its end: the connection cannot be used again.
    is_cut = error.status in {HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.REQUEST_TIMEOUT}
    headers = [(b"connection", b"close")] if is_cut else []
    await send_json(send, error.status, orjson.dumps({"detail": detail}), headers)
