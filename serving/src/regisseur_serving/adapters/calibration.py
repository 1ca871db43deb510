"""How long a model takes, and whether it looks at each row alone: found out by asking it."""

import logging
import math
import time
from dataclasses import dataclass
from typing import Final

from regisseur_serving.core.batching import is_same, split, stack
from regisseur_serving.ports.predictor import Prediction, Predictor, Table

_WARM_CALLS: Final = 5
_COPIES: Final = 64
_SLOW_CALL_SECONDS: Final = 0.05
"""A model that takes longer for its example is not asked for many copies of it: it would start
late, and what a row costs is only of interest for quick ones."""

_LOGGER = logging.getLogger("regisseur_serving.loading")


@dataclass(frozen=True)
class Calibration:
    """What is known of the calls of a model.

    Attributes:
        sample: What it predicted for the probe; None for a model that was not tried.
        call_seconds: Time of one warm call with the probe; infinite when it is not known.
        row_seconds: Time that each further row adds.
        takes_batches: Whether it gives a row the same answer beside other rows as alone.
    """

    sample: Prediction | None
    call_seconds: float
    row_seconds: float
    takes_batches: bool

    def estimate_seconds(self, rows: int, calls: int = 1) -> float:
        """Return how long it takes to predict so many rows in so many calls."""
        return self.call_seconds * calls + self.row_seconds * rows if calls else 0.0


UNTRIED: Final = Calibration(
    sample=None, call_seconds=math.inf, row_seconds=0.0, takes_batches=False
)
"""Of a model without anything to try it on."""


def calibrate(predictor: Predictor, probe: Table, rows: int) -> Calibration:
    """Measure a model that is warm.

    Args:
        predictor: The model.
        probe: Rows that it predicts.
        rows: How many they are.
    """
    sample, call_seconds = _measure(predictor, probe)
    copies = _COPIES if call_seconds < _SLOW_CALL_SECONDS else 2
    try:
        stacked, seconds = _measure(predictor, stack([probe] * copies))
        takes_batches = all(is_same(part, sample) for part in split(stacked, [rows] * copies))
    except Exception:  # noqa: BLE001 - whatever it is, the model wants its requests one by one
        seconds, takes_batches = call_seconds * copies, False
    if not takes_batches:
        _LOGGER.warning(
            "the model answers a row differently when other rows are beside it: "
            "every request is predicted alone"
        )
    row_seconds = max(0.0, (seconds - call_seconds) / (rows * (copies - 1)))
    return Calibration(sample, call_seconds, row_seconds, takes_batches)


def _measure(predictor: Predictor, table: Table) -> tuple[Prediction, float]:
    """Return a prediction, and the time of the quickest of a few: the others had to wait."""
    sample = predictor.predict(table, with_probabilities=predictor.classes is not None)
    times = []
    for _ in range(_WARM_CALLS):
        started = time.perf_counter()
        predictor.predict(table)
        times.append(time.perf_counter() - started)
    return sample, min(times)
