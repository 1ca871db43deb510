"""Rows on which a converted model is compared with itself.

All of them could be requests: whole numbers in columns of whole numbers, 32 bits in columns of 32
bits. The converted model sees 32 bits of everything, so what tells the two apart lies where an
answer changes: around thresholds, and on the border between two answers.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from regisseur_serving.core.cells import RANGES
from regisseur_serving.core.signature import ColumnType, Signature

Rows = NDArray[np.float64]
Answers = NDArray[Any]

SEED: Final = 20240229
RANDOM_ROWS: Final = 512
BORDERS: Final = 64
THRESHOLDS: Final = 512
_HALVINGS: Final = 60
_STEPS_FROM_BORDER: Final = (0.0, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2)
_WAYS: Final = (-np.inf, np.inf)
_FAR: Final = 10.0
"""Extremes lie this many spans of the example away from it."""


class Probes:
    """Makes rows like those of an example.

    Args:
        signature: The columns; all of them numbers.
        example: At least one row that the model is known to predict.
    """

    def __init__(self, signature: Signature, example: Rows) -> None:
        self._columns = signature.columns
        self._example = example
        self._random = np.random.default_rng(SEED)
        low, high = np.nanmin(example, axis=0), np.nanmax(example, axis=0)
        size = np.maximum(np.abs(low), np.abs(high))
        self._low, self._high = low, high
        self._span = np.where(high > low, high - low, np.where(size > 0, size, 1.0))

    def near(self) -> Rows:
        """Return the example, and random rows around it: close by and, ever fewer, farther off."""
        count, width = RANDOM_ROWS // 2, len(self._columns)
        uniform = self._random.uniform(
            self._low - self._span, self._high + self._span, (count, width)
        )
        reach = 2.0 ** self._random.uniform(-4, 2, (count, 1))
        steps = self._random.standard_normal((count, width)) * reach * self._span
        return self._fit(np.concatenate([self._example, uniform, self._pick(count) + steps]))

    def extremes(self) -> Rows:
        """Return rows far off, one column at a time and all at once, and a row of zeros."""
        width = len(self._columns)
        far = np.diag(_FAR * self._span)
        base = self._example[:1]
        every = np.array([[-1.0], [0.0], [1.0]]) * _FAR * self._span
        return self._fit(np.concatenate([base + far, base - far, every, np.zeros((1, width))]))

    def around(self, thresholds: Iterable[tuple[int, float]]) -> Rows:
        """Return rows just below, at and just above values of columns, in 64 bits and in 32.

        Args:
            thresholds: Columns by number, and values at which a model decides.
        """
        found = sorted(set(thresholds))
        if len(found) > THRESHOLDS:
            chosen = self._random.choice(len(found), THRESHOLDS, replace=False)
            found = [found[index] for index in chosen]
        if not found:
            return np.empty((0, len(self._columns)))
        columns = np.array([column for column, _ in found])
        values = np.array([value for _, value in found])
        single = values.astype(np.float32)
        neighbours = (np.nextafter(exact, way) for exact in (values, single) for way in _WAYS)
        return np.concatenate(
            [self._put(columns, moved) for moved in (values, single, *neighbours)]
        )

    def border(self, near: Rows, answer: Callable[[Rows], Answers]) -> Rows:
        """Return rows on both sides of where answers change, and a little away from there.

        Between two rows with different numbers that is where the model comes nearer to the second:
        at a step, if it answers in steps.

        Args:
            near: Rows to start from.
            answer: Tells the labels or the numbers of rows.
        """
        answers = answer(near)
        pairs = self._random.integers(0, len(near), (BORDERS * 8, 2))
        pairs = pairs[_measure(answers[pairs[:, 0]], answers[pairs[:, 1]]) > 0][:BORDERS]
        if not len(pairs):
            return np.empty((0, near.shape[1]))
        first, last = near[pairs[:, 0]], near[pairs[:, 1]]
        before, after = answers[pairs[:, 0]], answers[pairs[:, 1]]
        inside, outside = self._close_in(
            first, last, lambda rows: _is_nearer(answer(rows), before, after)
        )
        steps = [(inside - step, outside + step) for step in _STEPS_FROM_BORDER]
        shares = [np.clip(share, 0, 1) for sides in steps for share in sides]
        return np.concatenate([self._between(first, last, share) for share in shares])

    def with_gaps(self) -> list[tuple[int, Rows]]:
        """Return, by column that can hold a missing number, rows that lack it."""
        found = []
        for index, column in enumerate(self._columns):
            if column.type in {ColumnType.FLOAT, ColumnType.DOUBLE} or not column.is_required:
                rows = np.concatenate([self._example, self._pick(8)])
                rows[:, index] = np.nan
                found.append((index, rows))
        return found

    def _close_in(
        self, first: Rows, last: Rows, is_inside: Callable[[Rows], NDArray[np.bool_]]
    ) -> tuple[Rows, Rows]:
        """Return where between two rows each lies what is inside just yet, and just no longer."""
        inside, outside = np.zeros((len(first), 1)), np.ones((len(first), 1))
        for _ in range(_HALVINGS):
            middle = (inside + outside) / 2
            found = is_inside(self._between(first, last, middle)).reshape(-1, 1)
            inside = np.where(found, middle, inside)
            outside = np.where(found, outside, middle)
        return inside, outside

    def _between(self, first: Rows, last: Rows, share: Rows) -> Rows:
        return self._fit(first + (last - first) * share)

    def _put(self, columns: NDArray[np.int_], values: NDArray[Any]) -> Rows:
        rows = self._pick(len(columns))
        rows[np.arange(len(columns)), columns] = values
        return self._fit(rows)

    def _pick(self, count: int) -> Rows:
        rows = self._example[self._random.integers(0, len(self._example), count)]
        return np.where(np.isnan(rows), self._low, rows)

    def _fit(self, rows: Rows) -> Rows:
        """Make them what a request can hold."""
        fitted = rows.copy()
        for index, column in enumerate(self._columns):
            values = fitted[:, index]
            if column.type is ColumnType.BOOLEAN:
                fitted[:, index] = values > 0.5  # noqa: PLR2004 - half of true
            elif column.type in RANGES:
                fitted[:, index] = np.clip(np.rint(values), *RANGES[column.type])
            elif column.type is ColumnType.FLOAT:
                fitted[:, index] = values.astype(np.float32)
        return fitted


def _is_nearer(answers: Answers, first: Answers, second: Answers) -> NDArray[np.bool_]:
    """Tell which answers are nearer to the first one than to the second."""
    return _measure(answers, first) < _measure(answers, second)


def _measure(answers: Answers, others: Answers) -> Rows:
    """Return how far the answers to each row are apart; two labels are the same, or are not."""
    are_numbers = answers.dtype.kind == "f"
    distances = np.abs(answers - others) if are_numbers else answers != others
    total: Rows = distances.reshape(len(distances), -1).sum(axis=1, dtype=np.float64)
    return total
