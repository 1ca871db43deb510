"""Count what a model is sent and what it answers, on the bins that come with it.

Counts are whole numbers since the start of the server, so that those of several pods add up
exactly. Rows are kept until there is a block of them: counting a block costs little more than
counting one row.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from regisseur_contract.drift import Bins, Categories, DriftReference, Edges, describe_bins
from regisseur_serving.core.signature import ColumnType, Signature
from regisseur_serving.ports.predictor import Prediction, Table

BLOCK_ROWS: Final = 128

_MAGNITUDES: Final = tuple(float(f"{10 ** (step / 10):.4g}") for step in range(-60, 91))
DEFAULT_EDGES: Final = Edges((*(-value for value in reversed(_MAGNITUDES)), 0.0, *_MAGNITUDES))
"""For numbers of which nothing is known: from 10⁻⁶ to 10⁹ in steps of a quarter, either sign.
Coarse for a model whose answers lie close together; a reference has better ones."""

_MOST_LETTERS: Final = 1 << 20
"""Texts of more than these do not wait for a whole block: rows can be as long as a body."""

Values = Any
"""One value a row: an array of numbers, or a list."""

Columns = NDArray[Any] | Sequence[Values] | Mapping[int, Values]
"""Values by the place of their column."""


class Profile:
    """What one model was sent and has answered.

    Args:
        signature: The model's inputs.
        reference: The bins; each of its features is one of the inputs.
    """

    def __init__(self, signature: Signature, reference: DriftReference) -> None:
        self.edge_hash = reference.edge_hash
        self._names = tuple(reference.features)
        self._width = len(signature.names)
        self._places = [signature.names.index(name) for name in self._names]
        self._features = _Tallies(reference.features.values(), self._places)
        self._outputs = len(reference.predictions)
        self._predictions = _Tallies(reference.predictions, range(self._outputs))
        self._tables: list[Table] = []
        self._answers: list[Values] = []
        self._waiting_rows = 0
        self._waiting_letters = 0
        self._rows = 0
        self._unknown_rows = 0

    def observe(self, table: Table, prediction: Prediction) -> None:
        """Count the rows of a table and what they were answered; neither may change afterwards."""
        values = prediction.values
        rows = len(values)
        if not rows:
            return
        self._rows += rows
        if not self._knows(table, values):
            self._unknown_rows += rows
            return
        if self._names:
            picked = self._pick(table)
            self._tables.append(picked)
            self._waiting_letters += _count_letters(picked)
        self._answers.append(values)
        self._waiting_rows += rows
        if self._waiting_rows >= BLOCK_ROWS or self._waiting_letters >= _MOST_LETTERS:
            self._count()

    def describe(self) -> dict[str, Any]:
        """Return all counts of this moment.

        `rows` are all rows, `unknown_rows` those of them whose shape has no bins.
        """
        self._count()
        return {
            "rows": self._rows,
            "unknown_rows": self._unknown_rows,
            "features": dict(zip(self._names, self._features.describe(), strict=True)),
            "predictions": self._predictions.describe(),
        }

    def _knows(self, table: Table, values: Values) -> bool:
        if count_outputs(values) != self._outputs:
            return False
        if not self._names:
            return True
        if isinstance(table, np.ndarray):
            return table.ndim == 2 and table.shape[1] == self._width  # noqa: PLR2004
        return isinstance(table, Mapping)

    def _pick(self, table: Table) -> Table:
        """Return what of a table is counted: nothing else of it is to be kept."""
        if isinstance(table, np.ndarray):
            return table
        return {name: table[name] for name in self._names}

    def _count(self) -> None:
        """Count the rows that wait, those of each shape together."""
        tables, answers = self._tables, self._answers
        self._tables, self._answers, self._waiting_rows = [], [], 0
        self._waiting_letters = 0
        if self._names:
            for columns in _join_arrays(tables):
                self._features.count(columns)
            others = [table for table in tables if isinstance(table, Mapping)]
            if others:
                self._features.count(self._join_tables(others))
        for columns in _join_arrays(answers):
            self._predictions.count(columns)
        rows = [row for values in answers if isinstance(values, list) for row in values]
        if rows:
            is_nested = isinstance(rows[0], list)
            self._predictions.count(list(zip(*rows, strict=True)) if is_nested else [rows])

    def _join_tables(self, tables: list[Mapping[str, Sequence[object]]]) -> Columns:
        return {
            place: list(chain.from_iterable(table[name] for table in tables))
            for place, name in zip(self._places, self._names, strict=True)
        }


def _count_letters(table: Table) -> int:
    if isinstance(table, np.ndarray):
        return 0
    texts = (value for values in table.values() for value in values if isinstance(value, str))
    return sum(map(len, texts))


def choose_predictions(sample: Values, classes: Sequence[object] | None) -> tuple[Bins, ...]:
    """Return bins for the answers of a model that came without any.

    Args:
        sample: What it answered to some rows; None where nothing is known.
        classes: What a classifier can answer.
    """
    if sample is None or len(sample) == 0:
        return (DEFAULT_EDGES if classes is None else _categorize(classes),)
    if classes is not None and count_outputs(sample) == 1:
        return (_categorize(classes),)
    # Of texts none is known: all will be other ones.
    is_text = not isinstance(sample, np.ndarray)
    return (Categories(()) if is_text else DEFAULT_EDGES,) * count_outputs(sample)


def _categorize(classes: Sequence[object]) -> Categories:
    return Categories(tuple(value for value in classes if isinstance(value, str | int | float)))


def find_misfit(signature: Signature, reference: DriftReference) -> str:
    """Say why a reference cannot be of a model with this signature; nothing if it can."""
    types = {column.name: column.type for column in signature.columns}
    for name, bins in reference.features.items():
        if name not in types:
            return f"it has a feature {name[:80]!r}, which the model has not"
        if isinstance(bins, Edges) and types[name] is ColumnType.STRING:
            return f"it has edges for the text {name[:80]!r}"
    return ""


def count_outputs(values: Values) -> int:
    """Return how many values each row was answered with; 0 for a shape that has no bins."""
    if isinstance(values, np.ndarray):
        return 1 if values.ndim == 1 else values.shape[1] if values.ndim == 2 else 0  # noqa: PLR2004
    first = values[0] if values else None
    if not isinstance(first, list):
        return 1
    return 0 if any(isinstance(value, list) for value in first) else len(first)


def _join_arrays(found: Sequence[object]) -> Iterator[Columns]:
    """Yield the columns of all arrays; a single one may be told without a dimension of its own."""
    arrays = [one for one in found if isinstance(one, np.ndarray)]
    for dimensions in (1, 2):
        alike = [array for array in arrays if array.ndim == dimensions]
        if alike:
            together = np.concatenate(alike)
            yield together[np.newaxis] if dimensions == 1 else together.T


# ---- counting ----------------------------------------------------------------------------------


class _Tallies:
    """Counts of several columns.

    Args:
        bins: Of each.
        places: Which of all columns each is.
    """

    def __init__(self, bins: Iterable[Bins], places: Iterable[int]) -> None:
        placed = list(zip(bins, places, strict=True))
        self._order = [place for _, place in placed]
        self._edges = _EdgeTallies({place: of for of, place in placed if isinstance(of, Edges)})
        self._categories = {
            place: _CategoryTally(of) for of, place in placed if isinstance(of, Categories)
        }

    def count(self, columns: Columns) -> None:
        """Count each value of each column."""
        self._edges.count(columns)
        for place, tally in self._categories.items():
            tally.count(columns[place])

    def describe(self) -> list[dict[str, Any]]:
        """Return bins and counts, in the order of the bins."""
        told = self._edges.describe() | {
            place: tally.describe() for place, tally in self._categories.items()
        }
        return [told[place] for place in self._order]


class _EdgeTallies:
    """Counts numbers between edges, those of all columns in one array."""

    def __init__(self, bins: Mapping[int, Edges]) -> None:
        self._bins = bins
        self._places = list(bins)
        self._edges = [np.array(of.values) for of in bins.values()]
        ends = np.cumsum([0, *(len(edges) + 1 for edges in self._edges)])
        self._firsts, self._lasts = ends[:-1, np.newaxis], ends[1:] - 1
        self._counts = np.zeros(ends[-1], np.int64)
        self._missing = np.zeros(len(self._edges), np.int64)

    def count(self, columns: Columns) -> None:
        """Count each value; NaN is a missing one."""
        if not self._edges:
            return
        numbers = self._select(columns)
        places = np.empty(numbers.shape, np.intp)
        for edges, column, found in zip(self._edges, numbers, places, strict=True):
            found[:] = edges.searchsorted(column, side="right")
        places += self._firsts
        self._counts += np.bincount(places.ravel(), minlength=len(self._counts))
        missing = np.isnan(numbers)
        if missing.any():  # they were taken for greater than all edges
            found = missing.sum(axis=1)
            self._missing += found
            self._counts[self._lasts] -= found

    def _select(self, columns: Columns) -> NDArray[Any]:
        if isinstance(columns, np.ndarray):
            return np.ascontiguousarray(columns[self._places])
        return np.array([_to_numbers(columns[place]) for place in self._bins])

    def describe(self) -> dict[int, dict[str, Any]]:
        """Return edges and a count for each bin, by column."""
        counts = np.split(self._counts, self._lasts + 1)
        return {
            place: {**describe_bins(of), "counts": own.tolist(), "missing": int(missing)}
            for (place, of), own, missing in zip(
                self._bins.items(), counts, self._missing, strict=False
            )
        }


class _CategoryTally:
    """Counts the values of a column one by one."""

    def __init__(self, bins: Categories) -> None:
        self._bins = bins
        self._counts = dict.fromkeys(bins.values, 0)
        self._missing = 0
        self._other = 0

    def count(self, values: Values) -> None:
        """Count each value; None and NaN are missing ones."""
        listed = values.tolist() if isinstance(values, np.ndarray) else values
        for value, count in Counter(listed).items():
            if value in self._counts:
                self._counts[value] += count
            elif value is None or value != value:  # noqa: PLR0124 - so is NaN
                self._missing += count
            else:
                self._other += count

    def describe(self) -> dict[str, Any]:
        """Return the categories and a count for each."""
        counts = list(self._counts.values())
        rest = {"other": self._other, "missing": self._missing}
        return {**describe_bins(self._bins), "counts": counts, **rest}


def _to_numbers(values: Values) -> NDArray[np.float64]:
    """Return values as numbers; what is none of them is missing."""
    return np.array([value if isinstance(value, int | float) else None for value in values], float)
