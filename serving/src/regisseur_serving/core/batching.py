"""Several requests, one call of the model: which go together, and whose answer is whose.

A call costs scikit-learn about the same for one row as for a hundred, so rows that wait at the same
time are predicted together. That is right for models that look at each row alone, as nearly all do;
whether one does is found out when it is loaded.
"""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from regisseur_serving.ports.predictor import Prediction, Table

DOUBLE_TOLERANCE: Final = 1e-12
"""How far an answer may be from the one that the row gets alone: matrix products add up in another
order when there are more rows."""

SINGLE_TOLERANCE: Final = 1e-5
"""The same for answers of 32 bits."""


_LONG_TEXT_BYTES: Final = 64 * 1024


@dataclass(slots=True)
class Query:
    """The rows of one request.

    Attributes:
        with_probabilities: Whether it asks for the probabilities of classes.
        size_bytes: Of the body that it came in.
    """

    table: Table
    rows: int
    with_probabilities: bool = False
    size_bytes: int = 0

    @property
    def is_long(self) -> bool:
        """Whether its texts may be so long that the number of rows tells little of the time."""
        return self.size_bytes > _LONG_TEXT_BYTES and not isinstance(self.table, np.ndarray)

    @property
    def kind(self) -> Hashable:
        """What two queries must have in common to be one call."""
        table = self.table
        if isinstance(table, np.ndarray):
            return table.dtype, table.shape[1:], self.with_probabilities
        return tuple(table), self.with_probabilities


def stack(tables: Sequence[Table]) -> Table:
    """Return all rows of tables of one kind, in their order."""
    first = tables[0]
    if len(tables) == 1:
        return first
    if isinstance(first, np.ndarray):
        return np.concatenate([table for table in tables if isinstance(table, np.ndarray)])
    columns = [table for table in tables if not isinstance(table, np.ndarray)]
    return {name: list(chain.from_iterable(c[name] for c in columns)) for name in first}


def split(prediction: Prediction, sizes: Sequence[int]) -> Iterator[Prediction]:
    """Return what each of several queries gets of an answer to all of them.

    Args:
        prediction: The answer; one value a row.
        sizes: The rows of each query, in the order in which they were stacked.
    """
    if len(sizes) == 1:
        yield prediction
        return
    values, probabilities = prediction.values, prediction.probabilities
    ends = np.cumsum([0, *sizes]).tolist()
    for start, end in pairwise(ends):
        some = None if probabilities is None else probabilities[start:end]
        yield Prediction(values[start:end], some)


def is_same(one: Prediction, other: Prediction) -> bool:
    """Tell whether two answers are equal: labels exactly, numbers within the tolerance."""
    pairs = [(one.values, other.values), (one.probabilities, other.probabilities)]
    return all(_is_close(a, b) for a, b in pairs if a is not None and b is not None)


def _is_close(one: object, other: object) -> bool:
    a, b = np.asarray(one), np.asarray(other)
    if a.shape != b.shape or a.dtype.kind != b.dtype.kind:
        return False
    if a.dtype.kind != "f":
        return bool(np.array_equal(a, b))
    tolerance = _tolerance_of(a)
    return np.allclose(a, b, rtol=tolerance, atol=tolerance, equal_nan=True)


def _tolerance_of(values: NDArray[Any]) -> float:
    return (
        DOUBLE_TOLERANCE
        if values.dtype.itemsize > np.dtype(np.float32).itemsize
        else SINGLE_TOLERANCE
    )
