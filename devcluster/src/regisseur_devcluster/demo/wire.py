"""One HTTP/1.1 connection without retries, spoken over a plain stream.

HTTP libraries retry or re-check connections in ways of their own; the load has to see every
request that a rollout loses, so nothing here is done twice.
"""

import asyncio
import contextlib
import select
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

CONNECT_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 40.0


@dataclass(frozen=True)
class Target:
    """Where requests go and what each of them sends.

    Attributes:
        host: Address of the server.
        port: Port of the server.
        path: Route of the request.
        body: The JSON document that is posted.
    """

    host: str
    port: int
    path: str
    body: bytes

    def request(self, *, is_last: bool) -> bytes:
        """Return the bytes of a request; the last one on a connection says so."""
        head = (
            f"POST {self.path} HTTP/1.1\r\n"
            f"Host: {self.host}:{self.port}\r\n"
            "Content-Type: application/json\r\n"
            f"Content-Length: {len(self.body)}\r\n"
            f"Connection: {'close' if is_last else 'keep-alive'}\r\n\r\n"
        )
        return head.encode() + self.body


@dataclass(frozen=True)
class Answer:
    """What matters of an answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ends_connection(self) -> bool:
        """Whether the server asked not to use the connection again."""
        return self.headers.get("connection", "").lower() == "close"


class LostRequestError(Exception):
    """A request without an answer; the message is the cause in one or two words."""


class Connection:
    """A connection to the target.

    Raises of every method: `LostRequestError`.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, target: Target) -> Self:
        """Connect once."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                return cls(*await asyncio.open_connection(target.host, target.port))
        except TimeoutError:
            raise LostRequestError("connect timeout") from None
        except ConnectionRefusedError:
            raise LostRequestError("refused") from None
        except OSError as error:
            raise LostRequestError(f"connect: {error.strerror or error}") from None

    async def exchange(self, request: bytes) -> Answer:
        """Send a request and read its answer."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                self._writer.write(request)
                return await self._read_answer()
        except TimeoutError:
            raise LostRequestError("answer timeout") from None
        except asyncio.IncompleteReadError:
            raise LostRequestError("closed without an answer") from None
        except (asyncio.LimitOverrunError, ValueError):
            raise LostRequestError("not HTTP") from None
        except OSError as error:
            raise LostRequestError(f"reset: {error.strerror or error}") from None

    def is_dropped(self) -> bool:
        """Tell whether the server has closed the connection, as careful clients ask first."""
        if self._reader.at_eof() or self._writer.is_closing():
            return True
        poll = select.poll()
        poll.register(self._writer.get_extra_info("socket").fileno(), select.POLLIN)
        return bool(poll.poll(0))

    def close(self) -> None:
        """Close the connection without waiting for the other side."""
        with contextlib.suppress(OSError):
            self._writer.close()

    async def _read_answer(self) -> Answer:
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status_line, *lines = head.rstrip().split("\r\n")
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines)
        }
        body = await self._reader.readexactly(int(headers.get("content-length", "0")))
        return Answer(int(status_line.split(" ", 2)[1]), headers, body)
