"""How much the server takes on at a time.

Requests that are read, wait or are predicted take memory until they are answered. What would be too
much is refused at once, before its body is read: a client that hears so early can go elsewhere.
"""

from http import HTTPStatus
from typing import Self

from regisseur_serving.errors import InputError, Problem


class Place:
    """What one request takes of the room, from the moment when it is taken until it is left."""

    def __init__(self, room: "Room") -> None:
        self._room = room
        self.bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._room.leave(self)

    def hold(self, size_bytes: int) -> None:
        """Take room for more of the body.

        Raises:
            InputError: There is none left.
        """
        self._room.check(size_bytes)
        self.bytes += size_bytes
        self._room.bytes += size_bytes


class Room:
    """The requests that have no answer yet.

    Args:
        max_requests: How many they may be.
        max_bytes: What their bodies may have together.
    """

    def __init__(self, *, max_requests: int, max_bytes: int) -> None:
        self._max_requests = max_requests
        self._max_bytes = max_bytes
        self._requests = 0
        self.bytes = 0

    def take(self) -> Place:
        """Return a place for one request, which leaves it when it is answered.

        Raises:
            InputError: There is none left.
        """
        if self._requests >= self._max_requests:
            raise server_full()
        self._requests += 1
        return Place(self)

    def leave(self, place: Place) -> None:
        """Give a place to others."""
        self._requests -= 1
        self.bytes -= place.bytes

    def check(self, size_bytes: int) -> None:
        """Let so many bytes pass.

        Raises:
            InputError: There is no room for them.
        """
        if self.bytes + size_bytes > self._max_bytes:
            raise server_full()


def server_full() -> InputError:
    """Return the error for a request that is more than the server takes on."""
    text = "The server has as many requests as it can hold; send this one again in a moment"
    return InputError(Problem((), "too_many_requests", text), status=HTTPStatus.TOO_MANY_REQUESTS)
