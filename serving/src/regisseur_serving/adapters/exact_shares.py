"""Explain trees and linear models exactly, by what is known of how they answer."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)
from sklearn.tree import BaseDecisionTree

from regisseur_serving.adapters.model_outputs import Output
from regisseur_serving.adapters.shap_library import shap
from regisseur_serving.adapters.sklearn_model import Estimator, SklearnPredictor
from regisseur_serving.core.explaining import Explanation, Method, arrange
from regisseur_serving.ports.predictor import Table

_TREES: Final = (
    BaseDecisionTree,
    *(RandomForestClassifier, RandomForestRegressor, ExtraTreesClassifier, ExtraTreesRegressor),
    *(GradientBoostingClassifier, GradientBoostingRegressor),
    *(HistGradientBoostingClassifier, HistGradientBoostingRegressor),
)
_COLUMN_BY_COLUMN: Final = (
    *(StandardScaler, MinMaxScaler, MaxAbsScaler, RobustScaler, SimpleImputer),
    *(PowerTransformer, QuantileTransformer),
)
"""What makes each column of the one at its place, and of no other one."""

_LOGGER = logging.getLogger("regisseur_serving.explaining")

Rows = NDArray[np.float64]
Explain = Callable[[Rows], Explanation]


class InexactError(Exception):
    """The model, or this table, is of no kind that is explained exactly."""


@dataclass(frozen=True)
class ExactWay:
    """Explains one model.

    Attributes:
        method: Trees or a linear model.
        output: What is explained.
    """

    method: Method
    output: Output
    _entrance: "_Entrance"
    _explain: Explain

    def explain(self, table: Table) -> Explanation:
        """Return the shares of every row.

        Raises:
            InexactError: They are not of what the model answers.
        """
        explanation = self._explain(self._entrance.prepare(table))
        if not explanation.adds_up_to(self.output.answer(table)):
            raise InexactError
        return explanation


def find_exact_way(
    predictor: SklearnPredictor, outputs: Sequence[Output], probe: Table, background: Table | None
) -> ExactWay | None:
    """Return the way to explain a model exactly; None where there is none.

    Args:
        predictor: The model.
        outputs: What can be explained of it.
        probe: Rows that it predicts.
        background: Rows that stand for what it usually gets.
    """
    *steps, last = _list_steps(predictor.estimator)
    entrance = _Entrance(predictor, steps)
    try:
        method, explain = _open(last, None if background is None else entrance.prepare(background))
    except Exception as error:  # noqa: BLE001 - whatever shap does not like
        _LOGGER.info("the model is explained by no exact method (%s)", type(error).__name__)
        return None
    ways = (ExactWay(method, output, entrance, explain) for output in outputs)
    return next((way for way in ways if _works(way, probe)), None)


def _works(way: ExactWay, probe: Table) -> bool:
    try:
        way.explain(probe)
    except Exception as error:  # noqa: BLE001 - likewise
        what = (way.method, way.output.explained, type(error).__name__)
        _LOGGER.info("method %s does not explain the model's %s (%s)", *what)
        return False
    return True


def _open(last: Estimator, background: Rows | None) -> tuple[Method, Explain]:
    if isinstance(last, _TREES):
        # Trees know how many rows of their training went which way, which is more than the few
        # rows of an example can tell.
        trees = shap.TreeExplainer(last, feature_perturbation="tree_path_dependent")

        def explain(rows: Rows) -> Explanation:
            return arrange(trees.shap_values(rows, check_additivity=False), trees.expected_value)

        return Method.TREE, explain
    if background is None or not hasattr(last, "coef_"):
        raise InexactError
    masker = shap.maskers.Independent(background, max_samples=len(background))
    linear = shap.LinearExplainer(last, masker)
    return Method.LINEAR, lambda rows: arrange(linear.shap_values(rows), linear.expected_value)


@dataclass(frozen=True)
class _Entrance:
    """Brings rows to the last step of a model."""

    predictor: SklearnPredictor
    steps: Sequence[Estimator]

    def prepare(self, table: Table) -> Rows:
        """Return rows of numbers whose columns are the table's own.

        Raises:
            InexactError: There are none.
        """
        if not isinstance(table, np.ndarray) or not all(map(_keeps_columns, self.steps)):
            raise InexactError
        data: Any = self.predictor.shape(table)
        for step in self.steps:
            data = step.transform(data)
        rows: Rows = np.asarray(data, np.float64)
        if rows.shape != table.shape:
            raise InexactError
        return rows


def _keeps_columns(step: Estimator) -> bool:
    return isinstance(step, _COLUMN_BY_COLUMN) and not getattr(step, "add_indicator", False)


def _list_steps(estimator: Estimator) -> Iterator[Estimator]:
    best = getattr(estimator, "best_estimator_", None)  # of a search for parameters
    if best is not None:
        yield from _list_steps(best)
    elif isinstance(estimator, Pipeline):
        for _, step in estimator.steps:
            if step is not None and step != "passthrough":
                yield from _list_steps(step)
    else:
        yield estimator
