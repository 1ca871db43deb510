"""A limit for what Amazon's client reads whole: listings and errors.

The client knows none, and would fill the memory from a server that never ends an answer. Objects
are read in pieces by who asked for them.
"""

from collections.abc import Iterator
from typing import Any

from regisseur_serving.errors import TransientFetchError

_LIMIT_BYTES = 8 << 20


def bound_answers(client: Any) -> None:  # noqa: ANN401 - of an untyped library
    """Make a client give up an answer that goes beyond the limit."""
    endpoint = client._endpoint  # noqa: SLF001 - the library lets nobody choose its session
    endpoint.http_session = _BoundedSession(endpoint.http_session)


class _BoundedSession:
    """Sends requests, and leaves the reading of all answers to their bodies."""

    def __init__(self, session: Any) -> None:  # noqa: ANN401
        self._session = session

    def send(self, request: Any) -> Any:  # noqa: ANN401
        """Return the answer, unread."""
        request.stream_output = True
        answer = self._session.send(request)
        answer.raw = _BoundedBody(answer.raw)
        return answer

    def close(self) -> None:
        """Close the connections."""
        self._session.close()


class _BoundedBody:
    """The body of an answer; what is read whole is read by `stream`."""

    def __init__(self, body: Any) -> None:  # noqa: ANN401
        self._body = body

    def stream(self) -> Iterator[bytes]:
        """Give the body in pieces, up to the limit."""
        received = 0
        for piece in self._body.stream():
            received += len(piece)
            if received > _LIMIT_BYTES:
                self._body.close()
                raise TransientFetchError(
                    f"the server of the bucket answers more than the {_LIMIT_BYTES} bytes it may"
                )
            yield piece

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._body, name)
