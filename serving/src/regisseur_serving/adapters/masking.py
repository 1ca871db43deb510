"""Rows in which some values are a row's own and others come from a background.

Values are told to the library that explains as codes: it compares them by a tolerance, which takes
points in time that are minutes apart for equal, and knows no text. Two values of a column have one
code if they are equal, so that any kind of column can be explained.
"""

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regisseur_serving.core.batching import stack
from regisseur_serving.ports.predictor import Columns, Table

Codes = NDArray[np.float64]


class Background:
    """Rows that stand for what the model usually gets.

    Args:
        table: The rows.
        names: The columns in the model's order.
    """

    def __init__(self, table: Table, names: Sequence[str]) -> None:
        self.table = table
        self.rows = count_rows(table)
        self._names = names
        self._seen: list[dict[Hashable, int]] = []
        codes = [self._code_column(values) for values in _list_columns(table)]
        self.codes: Codes = np.array(codes, np.float64).T

    def _code_column(self, values: Sequence[object]) -> list[int]:
        seen: dict[Hashable, int] = {}
        self._seen.append(seen)
        return [seen.setdefault(_key(value), place) for place, value in enumerate(values)]

    def code_row(self, row: Table) -> Codes:
        """Return a row's codes; what the background has not is of the last one."""
        pairs = zip(self._seen, _list_columns(row), strict=True)
        return np.array([seen.get(_key(values[0]), self.rows) for seen, values in pairs], float)

    @property
    def foreign_codes(self) -> Codes:
        """The codes of a row that has nothing in common with the background."""
        return np.full(len(self._seen), float(self.rows))

    def join(self, row: Table) -> Table:
        """Return the background with a row at its end: what codes are of."""
        tables = [self.table, row]
        if len({isinstance(table, np.ndarray) for table in tables}) > 1:
            return stack([_name_columns(table, self._names) for table in tables])
        return stack(tables)


def decode(joined: Table, codes: Codes) -> Table:
    """Return rows of values, from rows of codes and what these are of."""
    places = codes.astype(np.intp)
    if isinstance(joined, np.ndarray):
        return joined[places, np.arange(joined.shape[1])]
    columns = zip(joined.items(), places.T.tolist(), strict=True)
    return {name: [values[place] for place in chosen] for (name, values), chosen in columns}


def count_rows(table: Table) -> int:
    """Return how many rows a table has."""
    return len(table) if isinstance(table, np.ndarray) else len(next(iter(table.values())))


def cut(table: Table, first: int, last: int) -> Table:
    """Return some of the rows of a table, the last one left out."""
    if isinstance(table, np.ndarray):
        return table[first:last]
    return {name: values[first:last] for name, values in table.items()}


def _list_columns(table: Table) -> list[Sequence[Any]]:
    return table.T.tolist() if isinstance(table, np.ndarray) else list(table.values())


def _name_columns(table: Table, names: Sequence[str]) -> Columns:
    if isinstance(table, np.ndarray):
        return dict(zip(names, table.T.tolist(), strict=True))
    return table


def _key(value: Any) -> Hashable:  # noqa: ANN401 - of a cell
    """Tell 1 from 1.0 and from true, which estimators do as well; a number that is none is one."""
    return type(value), value if value == value else None  # noqa: PLR0124 - so is NaN told
