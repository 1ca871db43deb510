"""Read the JSON body of a request, within limits."""

import asyncio
import json
import zlib
from collections.abc import Iterable
from http import HTTPStatus

import orjson
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from regisseur_serving.api.room import Place
from regisseur_serving.errors import InputError, Problem

JSON_TYPE = "application/json"
_PLAIN_JSON = JSON_TYPE.encode()

_LITERALS = (b"NaN", b"Infinity")
_COMPRESSED = frozenset({b"gzip", b"deflate"})
_ENCODINGS = frozenset({b"", b"identity"}) | _COMPRESSED
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
"""Tells zlib to find out which of the two it is; clients send deflate in zlib's wrapper."""


class BodyReader:
    """Reads bodies of at most so many bytes in at most so much time."""

    def __init__(self, *, max_bytes: int, timeout_seconds: float) -> None:
        self._max_bytes = max_bytes
        self._timeout_seconds = timeout_seconds

    async def read(self, scope: Scope, receive: Receive, place: Place) -> bytes:
        """Return the body.

        Args:
            scope: Of the request.
            receive: Brings the body, piece by piece.
            place: Holds the body until the request is answered.

        Raises:
            InputError: It is encoded, too large or too slow, or there is no room for it.
            ClientDisconnect: The client went away.
        """
        encoding = find_header(scope, b"content-encoding").lower()
        if encoding not in _ENCODINGS:
            text = "Send the body without a content encoding, or as gzip or deflate"
            raise _refusal(text, "encoding", _UNSUPPORTED)
        length = find_header(scope, b"content-length")
        if length.isdigit() and int(length) > self._max_bytes:
            raise self._too_large()
        body = await self._receive(receive, place)
        if encoding not in _COMPRESSED:
            return body
        unpacked = self._decompress(body)
        place.hold(len(unpacked))
        return unpacked

    def _decompress(self, body: bytes) -> bytes:
        """Unpack a body, and not a byte more than a plain one may have: a bomb is not unpacked."""
        stream = zlib.decompressobj(_GZIP_OR_ZLIB)
        try:
            unpacked = stream.decompress(body, self._max_bytes + 1)
        except zlib.error:
            unpacked = b""
        if len(unpacked) > self._max_bytes:
            raise self._too_large()
        if not stream.eof or stream.unused_data:
            text = "The body is no whole gzip or deflate stream"
            raise _refusal(text, "encoding", HTTPStatus.BAD_REQUEST)
        return unpacked

    async def _receive(self, receive: Receive, place: Place) -> bytes:
        try:
            with _Deadline(self._timeout_seconds):
                return await self._join(receive, place)
        except TimeoutError:
            raise _refusal(
                f"The body did not arrive within {self._timeout_seconds:g} s",
                "body_timeout",
                HTTPStatus.REQUEST_TIMEOUT,
            ) from None

    async def _join(self, receive: Receive, place: Place) -> bytes:
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            piece: bytes = message.get("body", b"")
            if len(body) + len(piece) > self._max_bytes:
                raise self._too_large()
            place.hold(len(piece))
            if not message.get("more_body", False):
                return bytes(body + piece) if body else piece
            body += piece

    def _too_large(self) -> InputError:
        return _refusal(
            f"The body is larger than {self._max_bytes} bytes; send fewer rows at a time",
            "body_too_large",
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        )


class _Deadline:
    """Ends what is done within it after a time, as asyncio.timeout does at five times the cost."""

    def __init__(self, seconds: float) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - for the type checker
        self._task = task
        self._cancellations = task.cancelling()
        self._is_over = False
        self._alarm = task.get_loop().call_later(seconds, self._ring)

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._alarm.cancel()
        if not self._is_over:
            return
        # Somebody else may have cancelled the task as well.
        others = self._task.uncancel() > self._cancellations
        if kind is asyncio.CancelledError and not others:
            raise TimeoutError

    def _ring(self) -> None:
        self._is_over = True
        self._task.cancel()


def parse_json(body: bytes) -> object:
    """Parse a body.

    NaN and Infinity are not JSON, but Python's writers send them, and 1e999 is one that no float
    holds; they get through here so that the answer can name the row and the field instead of a
    position in the text.

    Raises:
        InputError: It is no JSON; says where.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        position, is_infinite = error.pos, "infinity" in error.msg
    if is_infinite or any(literal in body for literal in _LITERALS):
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            pass
    raise InputError(
        Problem(("body", position), "json_invalid", "JSON decode error"),
        status=HTTPStatus.BAD_REQUEST,
    )


_UNSUPPORTED = HTTPStatus.UNSUPPORTED_MEDIA_TYPE


def check_json(scope: Scope) -> None:
    """Look at what the body is sent as; without a type it can be nothing but JSON.

    Raises:
        InputError: It is not sent as JSON in UTF-8.
    """
    if read_media_type(scope) not in {"", JSON_TYPE}:
        raise _refusal("Content-Type should be application/json", "content_type", _UNSUPPORTED)


def read_media_type(scope: Scope) -> str:
    """Return what the body is sent as, empty where the client does not say.

    Raises:
        InputError: It is not sent as UTF-8.
    """
    content_type = find_header(scope, b"content-type").lower()
    if content_type == _PLAIN_JSON:  # as nearly all clients send it
        return JSON_TYPE
    media_type, _, parameters = content_type.partition(b";")
    charset = parameters.replace(b" ", b"").replace(b'"', b"")
    if charset not in {b"", b"charset=utf-8", b"charset=utf8"}:
        raise _refusal("The body should be UTF-8", "content_type", _UNSUPPORTED)
    return media_type.strip().decode("latin-1")


def _refusal(message: str, kind: str, status: HTTPStatus) -> InputError:
    return InputError(Problem(("body",), kind, message), status=status)


def find_header(scope: Scope, name: bytes) -> bytes:
    """Return the value of a header, empty where there is none; its name is lower case."""
    headers: Iterable[tuple[bytes, bytes]] = scope["headers"]
    for key, value in headers:
        if key == name:
            return value
    return b""
