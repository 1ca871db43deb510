"""Clients that differ in how they treat connections, and a Service that moves under them.

A Service pins a connection to the pod that it first reached; only new connections see a change.
Nobody retries here: what a client loses is counted.
"""

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus

_PAUSE_SECONDS = 0.01


class Kind(StrEnum):
    """How a client treats its connection."""

    SHORT = "a new connection per request"
    CHECKING = "keep-alive that looks for the end before it sends"
    TRUSTING = "keep-alive that never looks"


@dataclass
class Service:
    """Where new connections lead."""

    port: int


@dataclass
class Client:
    """One client and its count."""

    kind: Kind
    service: Service
    body: object
    answered: int = 0
    versions: set[str] = field(default_factory=set)
    failures: list[str] = field(default_factory=list)

    async def run(self, stop: asyncio.Event) -> None:
        """Send requests one after another until told to stop."""
        connection = None
        while not stop.is_set():
            try:
                if connection is None or (self.kind is Kind.CHECKING and connection[0].at_eof()):
                    connection = await asyncio.open_connection("127.0.0.1", self.service.port)
                is_reusable = await self._send(*connection)
                self.answered += 1
            except (OSError, asyncio.IncompleteReadError, ValueError) as error:
                self.failures.append(repr(error))
                is_reusable = False
            if connection is not None and not is_reusable:
                await _close(connection[1])
                connection = None
            await asyncio.sleep(_PAUSE_SECONDS)
        if connection is not None:
            await _close(connection[1])

    async def _send(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Send one request; tell whether the connection may be used again."""
        body = json.dumps(self.body).encode()
        close = "Connection: close\r\n" if self.kind is Kind.SHORT else ""
        head = (
            "POST /predict HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
            f"{close}Content-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines[1:] if line)
        await reader.readexactly(int(headers["content-length"]))
        if int(lines[0].split()[1]) != HTTPStatus.OK:
            raise ValueError(lines[0])
        self.versions.add(headers["x-model-version"])
        return headers.get("connection") != "close"


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
