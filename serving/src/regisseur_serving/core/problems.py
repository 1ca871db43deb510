"""What is wrong with a request, told up to a limit.

A few megabytes can hold a million mistakes. Problems are therefore found one by one, and nobody
looks further once there are enough of them.
"""

from collections.abc import Iterable
from itertools import islice

from regisseur_serving.errors import InputError, Problem

MAX_PROBLEMS = 20

_MAX_NAME_CHARACTERS = 80


def refuse(problems: Iterable[Problem]) -> None:
    """Refuse the request when there is a problem, naming the first ones.

    Raises:
        InputError: There is at least one problem.
    """
    found = list(islice(problems, MAX_PROBLEMS + 1))
    if len(found) > MAX_PROBLEMS:
        text = f"Only the first {MAX_PROBLEMS} errors are listed"
        found[MAX_PROBLEMS] = Problem(("body",), "too_many_errors", text)
    if found:
        raise InputError(*found)


def show_name(name: str) -> str:
    """Return a name that a client chose, cut and fit for an answer.

    It can be as long as the body, and hold surrogates, which no answer can.
    """
    return name[:_MAX_NAME_CHARACTERS].encode("utf-8", "replace").decode()
