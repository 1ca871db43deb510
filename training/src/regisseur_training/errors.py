"""The one error of training, and how it ends a program.

`TrainingError` carries one line that says what is wrong and what to do about it: a person's
mistake or a part that does not answer never shows a traceback.
"""

import sys
from collections.abc import Callable
from typing import NoReturn


class TrainingError(Exception):
    """What a person can mend; the message is one line."""


def run_to_exit(program: Callable[[], int]) -> NoReturn:
    """End the process with the program's exit code, or with 1 and the line of its error."""
    try:
        code = program()
    except TrainingError as error:
        sys.exit(f"error: {error}")
    sys.exit(code)
