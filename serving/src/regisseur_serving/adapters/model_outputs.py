"""What a model answers in numbers, which is what shares can be of."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from sklearn.base import is_classifier, is_outlier_detector, is_regressor

from regisseur_serving.adapters.sklearn_model import Estimator, SklearnPredictor
from regisseur_serving.core.explaining import EXPLAINED, Explained, UnexplainableError, Values
from regisseur_serving.ports.predictor import Table

_PREDICT: Final = "predict"
_LOGGER = logging.getLogger("regisseur_serving.explaining")


@dataclass(frozen=True)
class Output:
    """Something that a model answers."""

    explained: Explained
    predictor: SklearnPredictor

    def answer(self, table: Table) -> Values:
        """Return the answers, rows by outputs."""
        values = np.asarray(self.predictor.predict(table).values, np.float64)
        return values[:, np.newaxis] if values.ndim == 1 else values


def list_outputs(predictor: SklearnPredictor, method: str, probe: Table) -> list[Output]:
    """Return what can be explained of a model, the best first.

    Args:
        predictor: The model.
        method: What it was logged with as the method that predicts.
        probe: Rows that it predicts.

    Raises:
        UnexplainableError: Nothing can.
    """
    named = (
        Output(EXPLAINED.get(name, Explained.VALUE), predictor.answering(name))
        for name in _list_methods(predictor.estimator, method)
    )
    outputs = [output for output in named if _is_tabular(output, probe)]
    if not outputs:
        raise UnexplainableError(
            "the model answers no numbers of which there could be shares: explained are "
            "probabilities and margins of classes, one label a row, and what regressors answer"
        )
    return outputs


def _list_methods(estimator: Estimator, method: str) -> Iterator[str]:
    if method != _PREDICT:
        yield method
    elif is_classifier(estimator):
        yield from (name for name in EXPLAINED if hasattr(estimator, name))
    elif is_outlier_detector(estimator):
        yield "decision_function"
    elif is_regressor(estimator):
        yield _PREDICT


def _is_tabular(output: Output, probe: Table) -> bool:
    try:
        return output.answer(probe).ndim == 2  # noqa: PLR2004 - rows by outputs
    except Exception as error:  # noqa: BLE001 - the estimator is anybody's
        _LOGGER.info("the model has no %s (%s)", output.explained, type(error).__name__)
        return False
