"""HTTP as bytes over a real socket, for what no client would send."""

import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass

_TIMEOUT_SECONDS = 10
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")


@dataclass(frozen=True)
class Talk:
    """Everything that a server sent until it closed the connection."""

    received: bytes

    @property
    def statuses(self) -> list[int]:
        """The codes of all answers, interim ones too."""
        return [int(code) for code in _STATUS.findall(self.received)]

    @property
    def body(self) -> bytes:
        """What came behind the last head."""
        return self.received.rpartition(b"\r\n\r\n")[2]


def talk(port: int, *pieces: bytes) -> Talk:
    """Send pieces one after the other and read until the server closes.

    Raises:
        TimeoutError: It does not close.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT_SECONDS) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _send(connection, pieces)
        received = bytearray()
        while piece := _receive(connection):
            received += piece
    return Talk(bytes(received))


def request(
    path: str, body: bytes = b"", *lines: str, method: str = "POST", version: str = "1.1"
) -> bytes:
    """Return a request that is in order, with more lines in its head, for one connection."""
    head = [
        f"{method} {path} HTTP/{version}",
        "Host: x",
        f"Content-Length: {len(body)}",
        "Connection: close",
        *lines,
    ]
    return "\r\n".join([*head, "", ""]).encode("latin-1") + body


def _send(connection: socket.socket, pieces: Iterable[bytes]) -> None:
    try:
        for piece in pieces:
            connection.sendall(piece)
    except (BrokenPipeError, ConnectionResetError):
        return  # it has answered before everything was sent


def _receive(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except ConnectionResetError:
        return b""  # it closed with something unread
