"""Convert an estimator to ONNX, and find where it decides.

Imports the converter, which imports scikit-learn: only the process that converts pays for it.
"""

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.pipeline import Pipeline
from sklearn.tree import BaseDecisionTree

from regisseur_serving.adapters.fitted_columns import walk
from regisseur_serving.adapters.sklearn_model import Estimator
from regisseur_serving.core.engine import Fallback, FallbackError
from regisseur_serving.core.signature import Signature

_LEAF = -1
_SHOWN_CHARACTERS = 160


def convert(estimator: Estimator, signature: Signature) -> bytes:
    """Return the estimator as ONNX, which takes rows of 32-bit numbers.

    Raises:
        FallbackError: The converter does not manage it.
    """
    # Probabilities as a matrix instead of a list of dictionaries.
    has_matrix = hasattr(estimator, "predict_proba")
    try:
        with warnings.catch_warnings(action="ignore"):
            converted = to_onnx(
                estimator,
                initial_types=[("rows", FloatTensorType([None, len(signature.columns)]))],
                options={id(estimator): {"zipmap": False}} if has_matrix else None,
            )
    except Exception as error:
        said = " ".join(str(error).split())[:_SHOWN_CHARACTERS]
        reason = f"{type(estimator).__name__} cannot be converted ({type(error).__name__}: {said})"
        raise FallbackError(Fallback.CONVERSION_FAILED, reason) from error
    content: bytes = converted.SerializeToString()
    return content


def find_thresholds(estimator: Estimator) -> Iterator[tuple[int, float]]:
    """Yield the columns and values at which the trees of an estimator branch.

    Behind a step that changes the columns they say nothing about requests.
    """
    if isinstance(estimator, Pipeline):
        return
    for part in walk(estimator):
        # A forest also holds an unfitted tree, which the others were copied from.
        if isinstance(part, BaseDecisionTree) and hasattr(part, "tree_"):
            tree: Any = part.tree_
            inner = np.flatnonzero(tree.children_left != _LEAF)
            yield from zip(
                tree.feature[inner].tolist(), tree.threshold[inner].tolist(), strict=True
            )
