"""uvicorn's connection, with limits on the head of a request, in HTTP/1 whatever is offered.

uvicorn and its parser take a head of any length, for as long as it takes to arrive. No route is
known by then, so a head that goes too far is answered like one that is no HTTP: in plain text, and
the connection is closed.
"""

import asyncio
from http import HTTPStatus
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from regisseur_serving.app.upgrades import PlainParser
from regisseur_serving.app.writing import WholeAnswer

LONGEST_HEAD_BYTES: Final = 32 * 1024
"""Of all headers together, and of everything that comes before the body."""

LONGEST_URL_BYTES: Final = 8 * 1024
HEAD_SECONDS: Final = 30.0
"""Time for the rest of a head once its beginning is there."""

_REASONS: Final = {
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: (
        f"The headers are longer than {LONGEST_HEAD_BYTES} bytes."
    ),
    HTTPStatus.REQUEST_URI_TOO_LONG: f"The URL is longer than {LONGEST_URL_BYTES} bytes.",
    HTTPStatus.REQUEST_TIMEOUT: f"The headers did not arrive within {HEAD_SECONDS:g} s.",
}


class BoundedConnection(HttpToolsProtocol):
    """Refuses a head that is too long or too slow."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.parser = PlainParser(self)  # type: ignore[assignment]  # it does what uvicorn asks for
        self._is_in_head = False
        self._is_in_body = False
        self._received = 0
        self._trailing = 0
        self._deadline: asyncio.TimerHandle | None = None
        self._refused_with: HTTPStatus | None = None

    def data_received(self, data: bytes) -> None:
        """Read what has arrived, which may be a part of a head."""
        if not self._is_in_body:
            self._received += len(data)
        super().data_received(data)
        if self._is_in_head and not self.transport.is_closing():
            # The parser keeps an unfinished header to itself, so the bytes that it got count.
            self._refused_with = self._judge(self._received)
            if self._refused_with is not None:
                self.send_400_response("")
            elif self._deadline is None:
                self._deadline = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def on_message_begin(self) -> None:
        """Begin to read a head."""
        self._is_in_head = True
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; what comes behind a body in pieces is for nobody, and is bounded too."""
        if not self._is_in_body:
            super().on_header(name, value)
            return
        self._trailing += len(name) + len(value)
        if self._trailing > LONGEST_HEAD_BYTES:
            self._refused_with = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            raise ValueError(self._refused_with.phrase)

    def on_headers_complete(self) -> None:
        """Let the head be answered, if it is short enough."""
        received, self._received = self._received, 0
        self._is_in_head, self._is_in_body = False, True
        if self._deadline is not None:
            self._forget_deadline()
        if received > LONGEST_URL_BYTES:
            self._check_head()
        super().on_headers_complete()
        # What asks to go on has an answer before the answer; one to HEAD has no body to wait for.
        if self.scope["method"] == "POST" and not self.expect_100_continue:
            self.cycle.transport = WholeAnswer(self.transport)  # type: ignore[assignment]

    def on_message_complete(self) -> None:
        """Be ready for the next head."""
        self._is_in_body = False
        self._trailing = 0
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._forget_deadline()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Send the last answer of this connection."""
        status = self._refused_with
        if status is None:
            super().send_400_response(msg)
            return
        body = _REASONS[status].encode()
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\n"
            "content-type: text/plain; charset=utf-8\r\n"
            f"content-length: {len(body)}\r\n"
            "connection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()

    def _check_head(self) -> None:
        """Measure a head exactly, as a part of the body may have come with it."""
        length = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        self._refused_with = self._judge(length)
        if self._refused_with is not None:
            # The parser stops at any error, and uvicorn then sends the answer above.
            raise ValueError(self._refused_with.phrase)

    def _judge(self, length: int) -> HTTPStatus | None:
        """Return what to refuse a head of this length with, if anything."""
        if len(self.url) > LONGEST_URL_BYTES:
            return HTTPStatus.REQUEST_URI_TOO_LONG
        if length > LONGEST_HEAD_BYTES:
            return HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        return None

    def _give_up(self) -> None:
        if not self.transport.is_closing():
            self._refused_with = HTTPStatus.REQUEST_TIMEOUT
            self.send_400_response("")

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
