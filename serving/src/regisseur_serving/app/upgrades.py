"""Answer requests that offer another protocol, such as HTTP/2, in the one that they came in.

Java's own client and `curl --http2` offer HTTP/2 with each request (`Upgrade: h2c`), and a server
may pass that over. httptools does not: it stops behind the head, as if the body were in the other
protocol, and uvicorn then answers a request without a body and takes the body for a bad request.
"""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Final

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_OF_HEADS: Final = ("on_message_begin", "on_url", "on_header", "on_headers_complete", "on_body")
_FRAMING: Final = frozenset({b"content-length", b"transfer-encoding"})


class PlainParser:
    """httptools' parser, which goes on behind a head that offers another protocol.

    What follows is read by a new parser, which is given a head without the offer first.

    Args:
        connection: Is told what was read.
    """

    def __init__(self, connection: HttpToolsProtocol) -> None:
        self._connection = connection
        self._is_repeating = False
        self._begin({name: getattr(connection, name) for name in _OF_HEADS})

    def feed_data(self, data: bytes) -> None:
        """Read what has arrived.

        Raises:
            HttpParserError: It is no HTTP.
        """
        while True:
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade as offer:
                data = data[offer.args[0] :]
                self._pass_over()
            else:
                return

    def should_upgrade(self) -> bool:
        """Say no."""
        return False

    def _begin(self, callbacks: dict[str, Callable[..., None]]) -> None:
        end = self._end_message
        self._parser = httptools.HttpRequestParser(
            SimpleNamespace(**callbacks, on_message_complete=end)
        )
        # As uvicorn sets it: a client may have sent the next request already.
        self._parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self.get_method = self._parser.get_method
        self.get_http_version = self._parser.get_http_version
        self.should_keep_alive = self._parser.should_keep_alive

    def _end_message(self) -> None:
        # Behind an offer the message seems to be at its end, and its body is still to come.
        if not self._parser.should_upgrade():
            self._connection.on_message_complete()

    def _pass_over(self) -> None:
        framing = [
            name + b": " + value + b"\r\n"
            for name, value in self._connection.headers
            if name in _FRAMING
        ]
        self._begin({name: self._tell_once(name) for name in _OF_HEADS})
        self._is_repeating = True
        self._parser.feed_data(b"POST / HTTP/1.1\r\n" + b"".join(framing) + b"\r\n")
        self._is_repeating = False

    def _tell_once(self, name: str) -> Callable[..., None]:
        """Return a callback that tells the connection nothing of a head that it knows."""
        told = getattr(self._connection, name)

        def tell(*found: bytes) -> None:
            if not self._is_repeating:
                told(*found)

        return tell
