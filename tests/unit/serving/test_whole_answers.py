"""An answer to a POST is one write, and whatever happens on the way it is the same bytes."""

import asyncio

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.server import ServerState

from regisseur_serving.app.connection import BoundedConnection
from regisseur_serving.app.server import build_config
from support.eventually import eventually_async

START: Message = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-length", b"5")],
}
LENGTHLESS: Message = {"type": "http.response.start", "status": 200, "headers": []}
HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n"
POST = b"POST /predict HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n"


class Writes(asyncio.Transport):
    """Keeps each write."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[bytes] = []
        self.is_closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep it."""
        assert not self.is_closed
        self.kept.append(bytes(data))

    def close(self) -> None:
        """Close."""
        self.is_closed = True

    def is_closing(self) -> bool:
        """Tell whether it was closed."""
        return self.is_closed

    def pause_reading(self) -> None:
        """Go on."""

    def resume_reading(self) -> None:
        """Go on."""


async def read(receive: Receive) -> bytes:
    body, has_more = b"", True
    while has_more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return body
        body += message["body"]
        has_more = message["more_body"]
    return body


async def echo(_scope: Scope, receive: Receive, send: Send) -> None:
    body = await read(receive)
    await send(dict(START))
    await send({"type": "http.response.body", "body": body})


async def fail_behind_the_head(_scope: Scope, receive: Receive, send: Send) -> None:
    await read(receive)
    await send(dict(START))
    raise RuntimeError


async def answer_in_pieces(_scope: Scope, receive: Receive, send: Send) -> None:
    await read(receive)
    await send(dict(LENGTHLESS))
    for piece in (b"one", b"two"):
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


class Gate:
    """Echoes once it is opened."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.opened = asyncio.Event()
        self.ended = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, later."""
        self.reached.set()
        await self.opened.wait()
        await echo(scope, receive, send)
        self.ended.set()


def connect(application: ASGIApp) -> tuple[BoundedConnection, Writes]:
    config = build_config(application, host="127.0.0.1", port=0)
    config.load()
    connection, writes = BoundedConnection(config, ServerState(), {}), Writes()
    connection.connection_made(writes)
    return connection, writes


async def wait_for(writes: Writes, count: int) -> None:
    await eventually_async(lambda: len(writes.kept) >= count, deadline_seconds=1)


async def test_an_answer_is_one_write() -> None:
    connection, writes = connect(echo)
    connection.data_received(POST + b"\r\nhello")
    await wait_for(writes, 1)
    assert writes.kept == [HEAD + b"\r\nhello"]
    assert not writes.is_closed


async def test_a_body_may_come_byte_by_byte() -> None:
    connection, writes = connect(echo)
    for byte in POST + b"\r\nhello":
        connection.data_received(bytes([byte]))
        await asyncio.sleep(0)
    await wait_for(writes, 1)
    assert writes.kept == [HEAD + b"\r\nhello"]


async def test_requests_that_come_together_are_answered_in_their_order() -> None:
    connection, writes = connect(echo)
    connection.data_received(b"".join(POST + b"\r\n" + body for body in (b"first", b"other")))
    connection.data_received(POST + b"\r\nthird")
    await wait_for(writes, 3)
    assert writes.kept == [HEAD + b"\r\n" + body for body in (b"first", b"other", b"third")]


async def test_a_connection_is_closed_behind_the_answer() -> None:
    connection, writes = connect(echo)
    connection.data_received(POST + b"Connection: close\r\n\r\nhello")
    await wait_for(writes, 1)
    assert writes.kept == [HEAD + b"connection: close\r\n\r\nhello"]
    assert writes.is_closed


async def test_an_end_of_the_server_waits_for_the_answer_in_flight() -> None:
    gate = Gate()
    connection, writes = connect(gate)
    connection.data_received(POST + b"\r\nhello")
    await gate.reached.wait()
    connection.shutdown()
    assert not writes.is_closed
    gate.opened.set()
    await gate.ended.wait()
    assert writes.kept == [HEAD + b"connection: close\r\n\r\nhello"]
    assert writes.is_closed


async def test_a_client_that_does_not_read_is_waited_for() -> None:
    gate = Gate()
    connection, writes = connect(gate)
    connection.data_received(POST + b"\r\nhello")
    connection.pause_writing()
    gate.opened.set()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(gate.ended.wait(), 0.02)
    assert writes.kept == []
    connection.resume_writing()
    await wait_for(writes, 1)
    assert writes.kept == [HEAD + b"\r\nhello"]


async def test_a_client_that_is_gone_is_sent_nothing() -> None:
    gate = Gate()
    connection, writes = connect(gate)
    connection.data_received(POST + b"\r\nhello")
    await gate.reached.wait()
    connection.connection_lost(None)
    gate.opened.set()
    await gate.ended.wait()
    assert writes.kept == []


async def test_who_asks_whether_to_go_on_hears_it_before_the_answer() -> None:
    connection, writes = connect(echo)
    connection.data_received(POST + b"Expect: 100-continue\r\n\r\n")
    await wait_for(writes, 1)
    assert writes.kept == [b"HTTP/1.1 100 Continue\r\n\r\n"]
    connection.data_received(b"hello")
    await wait_for(writes, 3)
    assert b"".join(writes.kept[1:]) == HEAD + b"\r\nhello"


async def test_a_head_that_no_body_follows_is_sent_all_the_same() -> None:
    connection, writes = connect(echo)
    connection.data_received(b"HEAD / HTTP/1.1\r\nHost: test\r\n\r\n")
    await wait_for(writes, 1)
    assert writes.kept == [HEAD + b"\r\n"]


async def test_a_fault_behind_the_head_ends_the_connection() -> None:
    connection, writes = connect(fail_behind_the_head)
    connection.data_received(POST + b"\r\nhello")
    await wait_for(writes, 1)
    assert writes.kept == [HEAD + b"\r\n"]
    assert writes.is_closed


async def test_an_answer_in_pieces_goes_out_as_they_come() -> None:
    connection, writes = connect(answer_in_pieces)
    connection.data_received(POST + b"\r\nhello")
    await wait_for(writes, 3)
    head, chunk = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"3\r\n%b\r\n"
    assert writes.kept == [head + chunk % b"one", chunk % b"two", b"0\r\n\r\n"]
