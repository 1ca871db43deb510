"""What the server and the process that explains say to each other, over the latter's pipes.

The server sends pickled tables, and reads text and JSON: what has a model in it is not unpickled.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

HEAD: Final = struct.Struct(">BQ")
"""The kind of a message, and how many bytes follow."""


class Kind(IntEnum):
    """Of a message."""

    QUESTION = 0
    """The rows to explain."""

    READY = 1
    """The model can be explained; names the method."""

    UNEXPLAINABLE = 2
    """It cannot, and the process ends; a text says why."""

    ANSWER = 3
    """The explanation, as a JSON object."""

    REFUSAL = 4
    """What is wrong with the rows, as a JSON object: kind and message."""


@dataclass(frozen=True)
class Message:
    """One message."""

    kind: int
    content: bytes

    def write(self) -> bytes:
        """Return its bytes."""
        return HEAD.pack(self.kind, len(self.content)) + self.content
