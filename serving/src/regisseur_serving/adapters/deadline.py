"""A deadline that holds whatever the program is doing.

A server that sends one byte every few seconds never trips a time-out between two reads. The
alarm of the operating system interrupts every read. It comes again, as a library or the end of an
object's life may swallow what it raises. Only for the main thread of a program that uses no other
alarm.
"""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from regisseur_serving.errors import DeadlineError

_AGAIN_SECONDS = 1.0


@contextmanager
def deadline(seconds: float, describe: Callable[[], str]) -> Iterator[None]:
    """Interrupt the block when the time is over.

    Args:
        seconds: The time that the block may take.
        describe: Says what was reached by then; its answer is the message of the error.

    Raises:
        DeadlineError: The time is over.
    """

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise DeadlineError(describe())

    previous = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
