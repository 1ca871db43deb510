"""Progress for people: what is being done, and how long it took."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class _Screen:
    """Standard error, shared by pieces of work that run side by side.

    A line waits for the time of its work. When another piece of work has something to say
    meanwhile, the line ends there and is written again with the time.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: object = None

    def begin(self, work: object, title: str) -> None:
        """Begin the line of a piece of work."""
        with self._lock:
            self._write(f"{self._break()}  {title} … ")
            self._waiting = work

    def end(self, work: object, title: str, result: str) -> None:
        """Complete the line of a piece of work."""
        with self._lock:
            again = "" if self._waiting is work else f"{self._break()}  {title} … "
            self._write(f"{again}{result}\n")
            self._waiting = None

    def line(self, text: str) -> None:
        """Write a whole line."""
        with self._lock:
            self._write(f"{self._break()}{text}\n")
            self._waiting = None

    def _break(self) -> str:
        return "\n" if self._waiting is not None else ""

    def _write(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()


_screen = _Screen()


@contextmanager
def step(title: str) -> Iterator[None]:
    """Print a line for a piece of work and complete it with the time the work took."""
    started, work = time.monotonic(), object()
    _screen.begin(work, title)
    try:
        yield
    except BaseException:
        _screen.end(work, title, f"failed after {duration(time.monotonic() - started)}")
        raise
    _screen.end(work, title, duration(time.monotonic() - started))


def note(text: str) -> None:
    """Print a line about something that took no time."""
    _screen.line(f"  {text}")


def duration(seconds: float) -> str:
    """Return a time span as people write it.

    >>> duration(0.42), duration(7.23), duration(380)
    ('0.4s', '7.2s', '6m20s')
    """
    if seconds < 60:  # noqa: PLR2004
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest:02d}s"
