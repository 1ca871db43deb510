"""What predicts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Numbers: TypeAlias = NDArray[np.float64] | NDArray[np.float32]
"""Rows by columns, in the order of the signature."""

Columns: TypeAlias = Mapping[str, Sequence[object]]
"""Values by column, for signatures that numbers alone cannot hold."""

Table: TypeAlias = Numbers | Columns


@dataclass(slots=True)
class Prediction:
    """One value a row, and one probability a row and class when they were asked for."""

    values: Any
    probabilities: NDArray[np.float64] | None = None


class Predictor(Protocol):
    """A loaded model."""

    @property
    def classes(self) -> Sequence[object] | None:
        """The classes that probabilities are about; None when the model has no probabilities."""

    def predict(self, table: Table, *, with_probabilities: bool = False) -> Prediction:
        """Predict every row of a table."""
