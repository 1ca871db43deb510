"""Lengths of time in Go's notation, such as 300ms, 90s, 5m or 1h30m."""

import re
from typing import Final

PATTERN: Final = (
    r"(?:[0-9]{1,6}(?:\.[0-9]{1,3})?h)?"
    r"(?:[0-9]{1,6}(?:\.[0-9]{1,3})?m)?"
    r"(?:[0-9]{1,6}(?:\.[0-9]{1,3})?s)?"
    r"(?:[0-9]{1,6}ms)?"
)
"""Each unit at most once, the longest first; short enough numbers that no sum overflows in Go."""

_DURATION: Final = re.compile(PATTERN, re.ASCII)
_PART: Final = re.compile(r"([0-9.]+)(ms|[hms])", re.ASCII)
_SECONDS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


def parse_duration(text: str) -> float:
    """Return the seconds that a duration stands for; `1h30m` is 5400.

    Raises:
        ValueError: It is not a duration, or negative.
    """
    if not text or not _DURATION.fullmatch(text):
        raise ValueError(f"{text!r} is not a duration")
    return sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))
