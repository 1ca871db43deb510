"""The load of the demo against servers that end connections rightly, wrongly and not at all."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from regisseur_devcluster.demo.load import Load, Plan
from regisseur_devcluster.demo.outcomes import Kind, Summary
from regisseur_devcluster.demo.wire import Target

REQUESTS = 30


@asynccontextmanager
async def answering(head: str, *, then_close: bool) -> AsyncIterator[int]:
    """Serve every request with the same answer; yield the port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n{}")
                writer.write(f"HTTP/1.1 {head}\r\nContent-Length: 2\r\n\r\n{{}}".encode())
                if then_close:
                    return
        except asyncio.IncompleteReadError:
            return
        finally:
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def load(kind: Kind, port: int) -> Summary:
    plan = Plan(
        target=Target("127.0.0.1", port, "/predict", b"{}"),
        clients={kind: 2},
        requests_per_second=500,
        pause_seconds=None,
        most_requests=REQUESTS,
        most_seconds=10,
    )
    running = Load(plan)
    await running.run()
    return running.tally.summary()


ANSWER = "200 OK\r\nX-Model-Version: 7"
SAYS_CLOSE = f"{ANSWER}\r\nConnection: close"


@pytest.mark.parametrize("kind", ["short", "keepalive", "keepalive_blind"])
@pytest.mark.parametrize(
    ("head", "then_close"),
    [
        pytest.param(ANSWER, False, id="the server keeps connections"),
        pytest.param(SAYS_CLOSE, True, id="the server says that it closes"),
    ],
)
async def test_a_server_that_keeps_its_word_loses_nothing(
    kind: Kind, head: str, then_close: bool
) -> None:
    async with answering(head, then_close=then_close) as port:
        summary = await load(kind, port)

    assert summary.failed == 0, summary.describe()
    assert summary.requests == {kind: REQUESTS}
    assert summary.versions["7"].requests == REQUESTS


async def test_a_silent_close_hits_the_client_that_never_checks() -> None:
    async with answering(ANSWER, then_close=True) as port:
        blind, careful = await load("keepalive_blind", port), await load("keepalive", port)

    assert blind.failed >= REQUESTS // 3
    assert careful.failed == 0, careful.describe()


@pytest.mark.parametrize(
    ("head", "cause"),
    [
        pytest.param("503 Service Unavailable", "short: status 503", id="a refusal"),
        pytest.param("nonsense", "short: not HTTP", id="something that is not HTTP"),
    ],
)
async def test_an_answer_that_is_none_is_a_failure(head: str, cause: str) -> None:
    async with answering(head, then_close=False) as port:
        summary = await load("short", port)

    assert summary.causes == {cause: REQUESTS}


async def test_nobody_listening_is_a_failure(unused_tcp_port_factory: Callable[[], int]) -> None:
    summary = await load("short", unused_tcp_port_factory())

    assert summary.causes == {"short: refused": REQUESTS}
