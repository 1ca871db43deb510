"""Predict with a model that was converted to ONNX; scikit-learn is not imported for it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from regisseur_serving.adapters.onnx_outcome import OnnxFacts
from regisseur_serving.ports.predictor import Prediction, Table

_ERRORS_ONLY: Final = 3
_REFUSAL: Final = "a number is missing, or too large for 32 bits"


class OnnxPredictor:
    """A converted model.

    Args:
        source: The file, or what is in it.
        facts: What the file does not say.
    """

    def __init__(self, source: Path | bytes, facts: OnnxFacts) -> None:
        options = onnxruntime.SessionOptions()
        # One process a core: threads of the runtime would only get in each other's way.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = _ERRORS_ONLY
        self._session = onnxruntime.InferenceSession(
            source if isinstance(source, bytes) else str(source),
            options,
            providers=["CPUExecutionProvider"],
        )
        self._input: str = self._session.get_inputs()[0].name
        self._outputs: list[str] = [output.name for output in self._session.get_outputs()]
        self._facts = facts
        self._takes_missing = np.array(facts.takes_missing)
        self._dtype = np.dtype(facts.dtype)

    @property
    def classes(self) -> Sequence[object] | None:
        """The classes that probabilities are about; None without probabilities."""
        return self._facts.classes

    def predict(self, table: Table, *, with_probabilities: bool = False) -> Prediction:
        """Predict every row of a table.

        Raises:
            ValueError: The model cannot predict these numbers, or not within 32 bits.
        """
        rows = self._take(table)
        wants_both = with_probabilities and self._facts.classes is not None
        outputs = self._session.run(self._outputs[: 1 + wants_both], {self._input: rows})
        values = self._give(np.asarray(outputs[0]))
        if wants_both:
            return Prediction(values, _refuse_odd(np.ascontiguousarray(outputs[1], np.float64)))
        return Prediction(values)

    def _take(self, table: Table) -> NDArray[np.float32]:
        with np.errstate(over="ignore"):
            rows = np.ascontiguousarray(table, dtype=np.float32)
        if not np.isfinite(rows).all():
            missing = np.isnan(rows)
            if np.isinf(rows).any() or (missing & ~self._takes_missing).any():
                raise ValueError(_REFUSAL)
        return rows

    def _give(self, values: NDArray[Any]) -> Any:  # noqa: ANN401 - as the model itself answers
        if self._facts.is_flat:
            values = values.reshape(len(values))
        if self._dtype.kind not in "biuf":
            return values.tolist()
        return _refuse_odd(values.astype(self._dtype))


def _refuse_odd(values: NDArray[Any]) -> NDArray[Any]:
    """Return answers that are numbers: 32 bits may have overflown on the way to them."""
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise ValueError(_REFUSAL)
    return values
