"""Progress for people: what is being done, and how long it took."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def step(title: str) -> Iterator[None]:
    """Print a line for a piece of work and complete it with the time the work took."""
    started = time.monotonic()
    _write(f"  {title} … ")
    try:
        yield
    except BaseException:
        _write(f"failed after {duration(time.monotonic() - started)}\n")
        raise
    _write(f"{duration(time.monotonic() - started)}\n")


def note(text: str) -> None:
    """Print a line about something that took no time."""
    _write(f"  {text}\n")


def duration(seconds: float) -> str:
    """Return a time span as people write it.

    >>> duration(0.42), duration(7.23), duration(380)
    ('0.4s', '7.2s', '6m20s')
    """
    if seconds < 60:  # noqa: PLR2004
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest:02d}s"


def _write(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
