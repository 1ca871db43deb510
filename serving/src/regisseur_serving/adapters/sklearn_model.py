"""Load a scikit-learn estimator from a skops file and predict with it.

An estimator that was fitted on a DataFrame warns at every call that gets a plain array, because
it cannot check the order of the columns. We check that order once, when the model is loaded;
then the names are taken off the estimator and arrays go in without a DataFrame in between,
provided that the estimator answers the same without them.
"""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import sklearn
import skops.io
from numpy.typing import NDArray
from skops.io.exceptions import UntrustedTypesFoundException

from regisseur_serving.adapters.fitted_columns import NAMES, describe_mismatch, walk
from regisseur_serving.core.mlmodel import MLmodel
from regisseur_serving.core.trusted_types import TRUSTED_TYPES
from regisseur_serving.errors import LoadError, PredictionError
from regisseur_serving.ports.predictor import Numbers, Prediction, Table

SKLEARN_VERSION: str = sklearn.__version__

Estimator: TypeAlias = Any
"""Anything that a skops file may hold; scikit-learn comes without types."""

Values: TypeAlias = Any

_SHOWN_TYPES = 5


def load_estimator(path: Path) -> Estimator:
    """Load a skops file, building only types that we trust.

    Raises:
        LoadError: It holds other types, or is no readable skops file.
    """
    try:
        # The versions are compared by ourselves, with a better line.
        with warnings.catch_warnings(action="ignore"):
            return skops.io.load(path, trusted=list(TRUSTED_TYPES))
    except UntrustedTypesFoundException:
        unknown = sorted(set(skops.io.get_untrusted_types(file=path)) - set(TRUSTED_TYPES))
        raise LoadError(
            "the model holds types that this server does not load: "
            f"{', '.join(unknown[:_SHOWN_TYPES])}; train it without them"
        ) from None
    except Exception as error:
        raise LoadError(
            f"{path.name} is no readable skops file ({type(error).__name__}); log the model again"
        ) from error


class SklearnPredictor:
    """A loaded estimator and the way its input has to look.

    Args:
        estimator: The fitted estimator.
        mlmodel: What the model folder says of it.

    Raises:
        LoadError: The estimator has no method that predicts.
    """

    def __init__(self, estimator: Estimator, mlmodel: MLmodel) -> None:
        self._estimator = estimator
        self._names = list(mlmodel.signature.names)
        self._method = getattr(estimator, mlmodel.predict_method, None)
        self._probabilities = getattr(estimator, "predict_proba", None)
        if self._method is None:
            raise LoadError(
                f"{type(estimator).__name__} has no method {mlmodel.predict_method}; "
                "log an estimator that predicts"
            )
        self.takes_arrays = False

    @property
    def classes(self) -> Sequence[object] | None:
        """The classes that probabilities are about; None without probabilities."""
        if self._probabilities is None:
            return None
        found = getattr(self._estimator, "classes_", None)
        return found.tolist() if isinstance(found, np.ndarray) else None

    @property
    def mismatch(self) -> str:
        """How the signature differs from what the estimator was fitted with, as far as is known."""
        return describe_mismatch(self._estimator, self._names)

    def predict(self, table: Table, *, with_probabilities: bool = False) -> Prediction:
        """Predict every row of a table."""
        data = self._shape(table)
        assert self._method is not None  # noqa: S101 - for the type checker
        values = _plain(self._method(data))
        if with_probabilities and self._probabilities is not None:
            return Prediction(values, np.ascontiguousarray(self._probabilities(data), np.float64))
        return Prediction(values)

    def warm_up(self, probe: Table) -> None:
        """Predict a table for the first time, and find out whether arrays will do.

        Raises:
            PredictionError: The estimator cannot predict it.
        """
        try:
            before = self.predict(probe).values
        except Exception as error:
            hint = self.mismatch or "check that its signature fits it and log it again"
            raise PredictionError(
                f"the model cannot predict its own input example ({type(error).__name__}); {hint}"
            ) from error
        rows = len(probe) if isinstance(probe, np.ndarray) else len(next(iter(probe.values())))
        if len(before) != rows:
            raise PredictionError(
                f"the model answers {len(before)} predictions to {rows} rows; "
                "log a model that answers each row"
            )
        if isinstance(probe, np.ndarray):
            self._prefer_arrays(probe, before)

    def _shape(self, table: Table) -> Numbers | pd.DataFrame:
        if isinstance(table, np.ndarray):
            return table if self.takes_arrays else pd.DataFrame(table, columns=self._names)
        return pd.DataFrame(dict(table), columns=self._names)

    def _prefer_arrays(self, probe: NDArray[Any], before: Values) -> None:
        """Take arrays from now on, if that changes nothing."""
        taken = _take_names_off(self._estimator)
        self.takes_arrays = True
        try:
            with warnings.catch_warnings(action="error"):
                is_same = np.array_equal(self.predict(probe).values, before)
        except Exception:  # noqa: BLE001 - whatever it is, the estimator wants its names
            is_same = False
        if not is_same:
            self.takes_arrays = False
            for estimator, names in taken:
                setattr(estimator, NAMES, names)


def _take_names_off(estimator: Estimator) -> list[tuple[Estimator, Values]]:
    taken = []
    for part in walk(estimator):
        if NAMES in vars(part):
            taken.append((part, vars(part)[NAMES]))
            delattr(part, NAMES)
    return taken


def _plain(values: Values) -> Values:
    """Return predictions as JSON can hold them."""
    array = np.ascontiguousarray(values)
    return array.tolist() if array.dtype.kind not in "biuf" else array
