"""Try a request to the artifact store again while there is hope."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from regisseur_serving.errors import TransientFetchError

_PAUSES_SECONDS = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Waits between attempts at one request: an MLflow server that restarts is back by then. For
anything longer the container ends with the reason, and whoever started it tries again."""

T = TypeVar("T")


@dataclass
class Retrying:
    """Repeats what fails for a moment, and remembers why.

    Args:
        say: Told of every failure that is tried again.
    """

    say: Callable[[str], None]
    trouble: str = ""

    def run(self, attempt: Callable[[], T]) -> T:
        """Return what the first good attempt returns.

        Raises:
            FetchError: Every attempt failed, or one that is not worth another.
        """
        for pause_seconds in _PAUSES_SECONDS:
            try:
                return attempt()
            except TransientFetchError as error:
                self.trouble = str(error)
                self.say(f"{error}; trying again in {pause_seconds:g} s")
            time.sleep(pause_seconds)
        return attempt()
