"""Rows of numbers: one look at all of them at once, where cells would be looked at one by one.

Nothing here says what is wrong: what does not fit at first sight is given back, for a closer look.
"""

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from regisseur_serving.core.cells import RANGES
from regisseur_serving.core.signature import ColumnType
from regisseur_serving.ports.predictor import Numbers

_PLAIN_NUMBERS: Final = frozenset({int, float})
_SINGLE_MAX: Final = np.finfo(np.float32).max


class NumberReader:
    """Reads rows of numbers for columns of these types."""

    def __init__(self, types: Sequence[ColumnType]) -> None:
        self._width = len(types)
        self._integral = [(i, *RANGES[kind]) for i, kind in enumerate(types) if kind in RANGES]
        self._singles = [i for i, kind in enumerate(types) if kind is ColumnType.FLOAT]

    def read_values(self, flat: Sequence[Any], rows: int) -> Numbers | None:
        """Return the values of all rows as an array; None when they need a closer look."""
        if not _PLAIN_NUMBERS.issuperset(map(type, flat)):
            return None
        try:
            numbers = np.array(flat, dtype=np.float64).reshape(rows, self._width)
        except OverflowError:
            return None
        # What is not finite makes the sum so too. One that overflows costs a closer look, no more.
        if not math.isfinite(sum(flat)) or not self._fits(numbers):
            return None
        return self.round(numbers)

    def read_array(self, numbers: NDArray[Any]) -> Numbers | None:
        """Return an array as the model takes it; None when it needs a closer look.

        A number that is none passes in a column of floats: it is how a missing one is sent.
        """
        if not len(numbers):
            return None
        rows = np.ascontiguousarray(numbers, dtype=np.float64)
        if np.isinf(rows).any() or not self._fits(np.where(np.isnan(rows), 0.5, rows)):
            return None
        return self.round(rows.copy() if rows is numbers else rows)

    def round(self, numbers: Numbers) -> Numbers:
        """Give 32-bit columns the precision that the model saw when it was trained."""
        if len(self._singles) == self._width:
            return numbers.astype(np.float32)
        for index in self._singles:
            numbers[:, index] = numbers[:, index].astype(np.float32)
        return numbers

    def _fits(self, numbers: Numbers) -> bool:
        for index, low, high in self._integral:
            values = numbers[:, index]
            # 2**63 - 1 becomes 2**63 as a float: the upper end is looked at cell by cell.
            if not ((values >= low) & (values < high) & (values == np.floor(values))).all():
                return False
        return not any((np.abs(numbers[:, i]) > _SINGLE_MAX).any() for i in self._singles)
