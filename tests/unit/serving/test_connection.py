"""The head of a request has limits, whatever pieces it arrives in."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from regisseur_serving.app import connection
from regisseur_serving.app.connection import (
    LONGEST_HEAD_BYTES,
    LONGEST_URL_BYTES,
    BoundedConnection,
)
from regisseur_serving.app.server import build_config
from support.eventually import eventually_async

REST = b"Host: test\r\nContent-Length: 0\r\n\r\n"


class FakeTransport(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.is_closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep it."""
        assert not self.is_closed
        self.written += data

    def close(self) -> None:
        """Close."""
        self.is_closed = True

    def is_closing(self) -> bool:
        """Tell whether it was closed."""
        return self.is_closed

    def get_extra_info(self, name: str, default: Any = None) -> Any:  # noqa: ANN401, ARG002
        """Know nothing."""
        return default

    def pause_reading(self) -> None:
        """Go on."""

    def resume_reading(self) -> None:
        """Go on."""


class Client:
    """One connection to an application that answers with what it got."""

    def __init__(self) -> None:
        self.transport = FakeTransport()
        self.bodies: list[bytes] = []
        config = build_config(self, host="127.0.0.1", port=0)
        config.load()
        self.connection = BoundedConnection(config, ServerState(), {})
        self.connection.connection_made(self.transport)

    def send(self, *pieces: bytes) -> None:
        """Send pieces, until the server has enough."""
        for piece in pieces:
            if not self.transport.is_closed:
                self.connection.data_received(piece)

    async def statuses(self, count: int) -> list[int]:
        """Return the statuses of all answers, once there are so many."""

        def read() -> list[int]:
            return [int(part[:3]) for part in self.transport.written.split(b"HTTP/1.1 ")[1:]]

        await eventually_async(lambda: len(read()) == count, deadline_seconds=1)
        return read()

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Keep the body."""
        body, has_more = b"", True
        while has_more:
            message = await receive()
            body += message["body"]
            has_more = message["more_body"]
        self.bodies.append(body)
        headers = [(b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})


def whole(head: bytes) -> list[bytes]:
    return [head]


def cut(head: bytes) -> list[bytes]:
    return [head[start : start + 1000] for start in range(0, len(head), 1000)]


def header(length: int) -> bytes:
    return b"GET / HTTP/1.1\r\nX-Long: " + b"x" * length + b"\r\n" + REST


def headers(length: int) -> bytes:
    return b"GET / HTTP/1.1\r\n" + b"X-N: 123456\r\n" * (length // 13) + REST


def url(length: int) -> bytes:
    return b"GET /" + b"u" * (length - 1) + b" HTTP/1.1\r\n" + REST


LIMITS: list[Any] = [
    pytest.param(header, LONGEST_HEAD_BYTES, 431, id="one header"),
    pytest.param(headers, 2 * LONGEST_HEAD_BYTES, 431, id="many headers"),
    pytest.param(url, LONGEST_URL_BYTES, 414, id="the URL"),
]


@pytest.mark.parametrize("pieces", [whole, cut])
@pytest.mark.parametrize(("build", "limit", "status"), LIMITS)
async def test_a_head_that_is_too_long_is_refused(
    build: Callable[[int], bytes], limit: int, status: int, pieces: Callable[[bytes], list[bytes]]
) -> None:
    client = Client()
    client.send(*pieces(build(limit + 1)))
    assert await client.statuses(1) == [status]
    assert client.transport.is_closed
    assert b"\r\nconnection: close\r\n" in client.transport.written
    assert b"xxx" not in client.transport.written


@pytest.mark.parametrize("pieces", [whole, cut])
@pytest.mark.parametrize("build", [lambda: header(LONGEST_HEAD_BYTES - 200), lambda: url(8192)])
async def test_a_head_within_the_limits_is_answered(
    build: Callable[[], bytes], pieces: Callable[[bytes], list[bytes]]
) -> None:
    client = Client()
    client.send(*pieces(build()))
    assert await client.statuses(1) == [200]
    assert not client.transport.is_closed


async def test_a_header_without_an_end_is_refused_before_it_ends() -> None:
    client = Client()
    client.send(b"GET / HTTP/1.1\r\nX-Long: ")
    sent = 0
    while not client.transport.is_closed:
        client.send(b"x" * 1000)
        sent += 1000
    assert sent <= LONGEST_HEAD_BYTES + 1000
    assert await client.statuses(1) == [431]


async def test_a_body_is_no_part_of_the_head() -> None:
    client = Client()
    body = b"x" * 3 * LONGEST_HEAD_BYTES
    head = b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n\r\n" % len(body)
    client.send(head + body)
    assert await client.statuses(1) == [200]
    client.send(head, body[:10], body[10:])
    assert await client.statuses(2) == [200, 200]
    assert client.bodies == [body, body]


async def test_each_request_of_a_connection_has_the_whole_limit() -> None:
    client = Client()
    for count in range(1, 5):
        client.send(*cut(header(LONGEST_HEAD_BYTES // 2)))
        assert await client.statuses(count) == [200] * count


async def test_what_is_no_http_is_refused_as_ever(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    client = Client()
    client.send(b"SECRET\r\n\r\n")
    assert await client.statuses(1) == [400]
    assert "SECRET" not in caplog.text


async def test_a_head_that_does_not_arrive_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.01)
    client = Client()
    client.send(b"GET / HTTP/1.1\r\n")
    assert await client.statuses(1) == [408]
    assert client.transport.is_closed


async def test_between_requests_a_connection_may_be_silent() -> None:
    client = Client()
    assert client.connection._deadline is None
    client.send(*cut(header(2000)))
    assert await client.statuses(1) == [200]
    assert client.connection._deadline is None
