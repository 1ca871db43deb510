"""Small real HTTP servers that behave as no server should."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from regisseur_operator.adapters.kubernetes_session import Connection

Behaviour = Callable[[asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serve(behaviour: Behaviour, *, address: str = "127.0.0.1") -> AsyncIterator[str]:
    """Answer every request on a free port by a behaviour; give the base URL."""
    connections: set[asyncio.Task[None]] = set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        try:
            await reader.readuntil(b"\r\n\r\n")
            await behaviour(writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, address, 0)
    try:
        host, port = server.sockets[0].getsockname()[:2]
        yield f"http://{host}:{port}"
    finally:
        for task in connections:
            task.cancel()
        server.close()
        await server.wait_closed()


def build_answer(
    body: bytes, *, status: str = "200 OK", content_type: str = "application/json"
) -> bytes:
    """Return the bytes of a whole answer."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}"
    return f"{head}\r\nConnection: close\r\n\r\n".encode() + body


def say(answer: bytes) -> Behaviour:
    """Answer these bytes and close."""

    async def behave(writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()

    return behave


async def stay_silent(_: asyncio.StreamWriter) -> None:
    """Accept the request and never answer."""
    await asyncio.Event().wait()


async def drip(writer: asyncio.StreamWriter) -> None:
    """Answer a byte now and then, so that no time-out between two bytes is ever reached."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.02)


async def flood(writer: asyncio.StreamWriter) -> None:
    """Answer without end."""
    writer.write(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"registered_models":"')
    while True:
        writer.write(b"x" * 1_000_000)
        await writer.drain()


class _OneToken:
    """Credentials as the `kubernetes` library would have loaded them."""

    ssl_ca_cert = None
    cert_file = None
    key_file = None
    verify_ssl = True
    token = "example-token"

    def get_api_key_with_prefix(self, name: str) -> str:
        """Return the token."""
        return self.token if name == "BearerToken" else ""


def connect_to(url: str) -> Connection:
    """Return the way to a server that pretends to be an API server."""
    return Connection(server=url, configuration=_OneToken())
