"""One write for an answer, where its head and its body would be two.

uvicorn writes a head as soon as it has one. The body follows at once, but each write is a call of
the system and a packet, which is what costs most in a short answer.
"""

import asyncio


class WholeAnswer:
    """The transport of one answer: its head waits for the beginning of its body.

    It does what uvicorn asks of a transport while it answers, for answers that have a body.

    Args:
        transport: Of the connection.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._head = b""
        self._is_begun = False

    def write(self, data: bytes) -> None:
        """Keep the head; send it with what comes next, and all else as it comes."""
        if self._is_begun:
            self._send(data)
        else:
            self._head = data
            self._is_begun = True

    def close(self) -> None:
        """Close the connection behind all that was written."""
        self._send(b"")
        self._transport.close()

    def is_closing(self) -> bool:
        """Tell whether nothing can be sent any more."""
        return self._transport.is_closing()

    def _send(self, data: bytes) -> None:
        head, self._head = self._head, b""
        if head or data:
            self._transport.write(head + data if head else data)
