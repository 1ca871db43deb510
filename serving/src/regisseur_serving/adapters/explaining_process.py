"""The process that explains, as the server sees it."""

import asyncio
import pickle
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from regisseur_serving.adapters.explaining_messages import HEAD, Kind, Message
from regisseur_serving.ports.predictor import Table

_COMMAND: Final = (sys.executable, "-m", "regisseur_serving.adapters.explaining_child")
_LONGEST_BYTES: Final = 256 << 20
_END_SECONDS: Final = 1.0
"""For a process that has closed its output."""


class EndedError(Exception):
    """The process has ended; the message says how."""


class ExplainingProcess:
    """A process with one model in it.

    Args:
        process: That has been started.
    """

    def __init__(self, process: Process) -> None:
        self._process = process
        self.method = ""

    @classmethod
    async def start(cls, arguments: Sequence[str]) -> "ExplainingProcess":
        """Start one; what it says first tells what has become of it."""
        return cls(
            await asyncio.create_subprocess_exec(*_COMMAND, *arguments, stdin=PIPE, stdout=PIPE)
        )

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended, as far as is known."""
        return self._process.returncode is None

    async def ask(self, table: Table) -> Message:
        """Send rows and return what is said of them.

        Raises:
            EndedError: The process has ended.
        """
        stream = self._process.stdin
        assert stream is not None  # noqa: S101 - for the type checker
        with suppress(ConnectionError):  # what there is to know comes out of the other pipe
            stream.write(Message(Kind.QUESTION, pickle.dumps(table)).write())
            await stream.drain()
        return await self.listen()

    async def listen(self) -> Message:
        """Return what the process says next.

        Raises:
            EndedError: It has ended.
        """
        stream = self._process.stdout
        assert stream is not None  # noqa: S101 - for the type checker
        try:
            kind, size = HEAD.unpack(await stream.readexactly(HEAD.size))
            if size <= _LONGEST_BYTES:
                return Message(kind, await stream.readexactly(size))
        except EOFError:
            pass
        with suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), _END_SECONDS)
        raise EndedError(self._describe_end())

    def _describe_end(self) -> str:
        code = self._process.returncode
        if code is None:
            return "it said nothing that can be read"
        return f"signal {-code}" if code < 0 else f"exit code {code}"

    async def end(self) -> None:
        """End it, whatever it is doing."""
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
