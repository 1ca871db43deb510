"""What the API server's refusals mean to the operator."""

import json
from collections.abc import Mapping
from http import HTTPStatus

from regisseur_operator.api.reasons import Reason
from regisseur_operator.errors import ConflictError, OperatorError, TerminalError, TransientError

_LONGEST_MESSAGE = 1000
_INVALID = {
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
}
_UNTYPED = "failed to create typed patch object"
"""The API server says 500 to an apply with a field that it does not know; it will say so again."""

_DENIED = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.METHOD_NOT_ALLOWED}


class NotFoundError(TransientError):
    """The object, its namespace or its kind does not exist."""


class GoneError(TransientError):
    """The resourceVersion is too old to go on from: list again."""


def translate_answer(
    status: int, body: bytes, *, retry_after_seconds: float | None = None
) -> OperatorError:
    """Turn an answer that is no success into the error that says what to do about it."""
    message = read_message(status, body)
    if status == HTTPStatus.NOT_FOUND:
        return NotFoundError(message)
    if status == HTTPStatus.CONFLICT:
        return ConflictError(message)
    if status == HTTPStatus.GONE:
        return GoneError(message)
    if status in _DENIED:
        return TerminalError(Reason.FORBIDDEN, message)
    if status in _INVALID or message.startswith(_UNTYPED):
        return TerminalError(Reason.INVALID_SPEC, message)
    return TransientError(message, retry_after_seconds=retry_after_seconds)


def read_message(status: int, body: bytes) -> str:
    """Return what the API server said, in its own words where it found any."""
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    said = document.get("message") if isinstance(document, Mapping) else None
    text = said if isinstance(said, str) and said else body.decode(errors="replace").strip()
    return (text or f"the API server answered {status}")[:_LONGEST_MESSAGE]
