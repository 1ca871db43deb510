"""What all protocols share between a request that was received and a prediction.

Predictions of a quick model are made on the loop, others in a thread, so that probes are answered.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from regisseur_serving.api.lifecycle import Served
from regisseur_serving.errors import InputError, Problem
from regisseur_serving.ports.predictor import Prediction, Table
from regisseur_serving.telemetry import Metrics

_LOGGER = logging.getLogger("regisseur_serving.predict")
_QUICK_CALL_SECONDS: Final = 0.001
_QUICK_ROWS: Final = 256
"""Below both, handing the call to a thread costs more than it gains."""
_LARGE_BODY_BYTES: Final = 256 * 1024
"""Up to here a body is parsed and read within a few milliseconds, which probes can wait; all of
the largest body takes so long that the server would look dead."""

_T = TypeVar("_T")


class Predicting:
    """Makes predictions, one at a time."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        # One thread: the process has one core, and two predictions at once would share it.
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="predict")

    async def read(self, size_bytes: int, call: Callable[[], _T]) -> _T:
        """Return what reading a body gives, without keeping the loop for long."""
        return await self._run(call) if size_bytes > _LARGE_BODY_BYTES else call()

    async def predict(
        self, served: Served, table: Table, rows: int, *, with_probabilities: bool = False
    ) -> Prediction:
        """Predict every row.

        Raises:
            InputError: The model cannot predict these values.
        """

        def call() -> Prediction:
            return served.loaded.predictor.predict(table, with_probabilities=with_probabilities)

        is_quick = served.loaded.call_seconds < _QUICK_CALL_SECONDS and rows <= _QUICK_ROWS
        try:
            prediction = call() if is_quick else await self._run(call)
        except ValueError as error:
            # What scikit-learn says here quotes the data, so it goes neither out nor to the log.
            _LOGGER.warning("the model refused a request (%s)", type(error).__name__)
            raise InputError(
                Problem(("body",), "model_refused", "The model cannot predict these values")
            ) from None
        self._metrics.count_rows(rows)
        return prediction

    async def _run(self, call: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, call)
