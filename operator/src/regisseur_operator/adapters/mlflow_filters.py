"""MLflow's filters, which know no escape: how each name can be spelled in one.

A filter puts a name between quotes. A name that has both kinds of quotes stands in none, and in a
list of names MLflow reads quotes, backslashes and line breaks as its own.
"""

from collections.abc import Iterable
from typing import Final
from urllib.parse import quote_plus

LONGEST_FILTER: Final = 3800
"""Of an encoded filter: proxies take addresses of 4 kB and more."""

MOST_NAMES: Final = 100

_ANY_LETTER: Final = "_"


def list_names(names: Iterable[str]) -> str:
    """Return the filter that finds models by name; of plain names only."""
    listed = ",".join(f"'{name}'" for name in names)
    return f"name IN ({listed})"


def match_name(name: str) -> str:
    """Return a filter that finds the versions of a model, and perhaps those of others.

    Where a name has both kinds of quotes, any letter may stand for one kind.
    """
    if "'" not in name:
        return f"name='{name}'"
    if '"' not in name:
        return f'name="{name}"'
    pattern = name.replace("'", _ANY_LETTER)
    return f"name LIKE '{pattern}'"


def is_plain(name: str) -> bool:
    """Tell whether a name can stand between quotes in a list of MLflow's filters."""
    return name.isprintable() and not {"'", '"', "\\"} & set(name)


def split_into_batches(names: Iterable[str]) -> list[list[str]]:
    """Split names so that no request's address becomes too long."""
    batches: list[list[str]] = []
    length = LONGEST_FILTER + 1
    for name in names:
        needed = len(quote_plus(f"'{name}',"))
        if length + needed > LONGEST_FILTER or len(batches[-1]) == MOST_NAMES:
            batches.append([])
            length = 0
        batches[-1].append(name)
        length += needed
    return batches
