"""What an explanation is, and how much of one fits into the time that it may take.

An explanation gives every value of a row its share in what the model answers: the shares of a row
and the base value, which is what the model answers on average, add up to the answer.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

LIKELY_SHARE: Final = 0.25
"""Of the budget, what the measured pace may use up: predictions go first, and the machine may be
busier than when it was measured."""

MOST_PASSES: Final = 10
"""Of permutations of the columns; more change little."""

MOST_BACKGROUND_ROWS: Final = 100
MOST_VALUES: Final = 500_000
"""In one answer, which is about 10 MB of JSON."""

_MOST_MASKED_VALUES: Final = 8 << 20
"""Held at a time for one pass: 64 MiB."""

_TOLERANCE: Final = 1e-6

NO_LIBRARY: Final = "the image has no library for it; build it with --build-arg EXTRAS=explain"


class Method(StrEnum):
    """How the shares are found: exactly for trees and linear models, else by trying."""

    TREE = "tree"
    LINEAR = "linear"
    PERMUTATION = "permutation"


class Explained(StrEnum):
    """What the shares add up to."""

    PROBABILITY = "probability"
    MARGIN = "margin"
    VALUE = "value"


EXPLAINED: Final[Mapping[str, Explained]] = {
    "predict_proba": Explained.PROBABILITY,
    "decision_function": Explained.MARGIN,
}
"""By the method of the estimator that answers it; all others answer values."""


class UnexplainableError(Exception):
    """The model cannot be explained at all; the message says why, and what to do."""


class TooManyRowsError(Exception):
    """More rows than the budget allows."""

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self.most = most


@dataclass(frozen=True)
class Explanation:
    """The shares of some rows.

    Attributes:
        base_values: By output.
        values: Rows by columns by outputs, whatever the model is.
    """

    base_values: Values
    values: Values

    def adds_up_to(self, answers: Values) -> bool:
        """Whether the shares are of these answers, rows by outputs."""
        sums = self.base_values + self.values.sum(axis=1)
        if sums.shape != answers.shape:
            return False
        scale = float(np.abs(answers).max(initial=0.0))
        return bool(np.allclose(sums, answers, rtol=_TOLERANCE, atol=_TOLERANCE * scale))


def arrange(values: Any, base_values: Any) -> Explanation:  # noqa: ANN401 - whatever a library gives
    """Bring shares into the one shape, in which a single output is a dimension as well."""
    shares = np.asarray(values, np.float64)
    if shares.ndim == 2:  # noqa: PLR2004 - rows by columns
        shares = shares[:, :, np.newaxis]
    return Explanation(np.asarray(base_values, np.float64).reshape(-1), shares)


def name_outputs(
    count: int, classes: Sequence[object] | None, declared: Sequence[str]
) -> list[object]:
    """Return what the outputs are called.

    Args:
        count: How many there are.
        classes: Of a classifier, in its order. One output speaks of the second of two.
        declared: What the signature calls them.
    """
    if classes is not None and len(classes) == count:
        return list(classes)
    if classes is not None and len(classes) == count + 1 == 2:  # noqa: PLR2004 - two classes
        return [classes[1]]
    if len(declared) == count:
        return list(declared)
    return ["predict"] if count == 1 else [str(number) for number in range(count)]


def list_declared(signature: Mapping[str, Any]) -> list[str]:
    """Return what a signature, as MLflow wrote it, calls the outputs; nothing where it does not."""
    try:
        outputs = json.loads(signature.get("outputs") or "[]")
        return [str(output["name"]) for output in outputs]
    except (ValueError, TypeError, KeyError, RecursionError):
        return []


def choose_background(rows: int, columns: int) -> int:
    """Return how many of the rows can stand for what the model usually gets.

    Raises:
        UnexplainableError: Not even one, as the columns are too many.
    """
    fitting = _MOST_MASKED_VALUES // (count_evaluations(columns) * columns)
    if not fitting:
        raise UnexplainableError(
            f"the model has {columns} columns, too many to try them one by one; only models of "
            "trees and linear ones of that many are explained"
        )
    return min(rows, fitting, MOST_BACKGROUND_ROWS)


def count_evaluations(columns: int) -> int:
    """Return how often one pass asks the model: none, each column put in, each taken out."""
    return 2 * columns + 1


@dataclass(frozen=True)
class Pace:
    """How long explanations take.

    Attributes:
        row_seconds: The least that a row takes.
        row_values: How many values a row has in the answer.
        budget_seconds: What one request may take.
    """

    row_seconds: float
    row_values: int
    budget_seconds: float

    @property
    def most_rows(self) -> int:
        """How many rows a request may have."""
        by_size = MOST_VALUES // self.row_values
        return min(by_size, math.floor(self._seconds / max(self.row_seconds, 1e-9)))

    def check(self, rows: int) -> None:
        """Let so many rows pass.

        Raises:
            TooManyRowsError: They are more than fit.
        """
        if rows > self.most_rows:
            raise TooManyRowsError(self.most_rows)

    def choose_passes(self, rows: int) -> int:
        """Return how many passes of the least length fit for each of so many rows."""
        return min(MOST_PASSES, max(1, math.floor(self._seconds / (rows * self.row_seconds))))

    @property
    def _seconds(self) -> float:
        return self.budget_seconds * LIKELY_SHARE
