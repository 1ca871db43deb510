"""Tells a person who waits what was done, and when."""

import sys
import time


class Clock:
    """Counts from its making on."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def say(self, line: str) -> None:
        """Write a line."""
        sys.stderr.write(f"[{time.monotonic() - self._started:5.0f} s] {line}\n")
