"""Load a scikit-learn estimator and predict with it.

An estimator that was fitted on a DataFrame warns at every call that gets a plain array, because
it cannot check the order of the columns. We check that order once, when the model is loaded;
then the names are taken off the estimator and arrays go in without a DataFrame in between,
provided that the estimator answers the same without them.

What is told here of shapes is found out when the model predicts for the first time: a pipeline that
starts with a vectorizer of texts takes a list of texts, where all others take a table.
"""

import copy
import logging
import pickle
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import sklearn
import skops.io
from numpy.typing import NDArray
from scipy.sparse import issparse
from skops.io.exceptions import UntrustedTypesFoundException

from regisseur_serving.adapters.fitted_columns import (
    NAMES,
    describe_mismatch,
    recall_columns,
    walk,
)
from regisseur_serving.core.cells import RANGES
from regisseur_serving.core.mlmodel import MLmodel
from regisseur_serving.core.signature import Column, ColumnType, Signature
from regisseur_serving.core.trusted_types import TRUSTED_TYPES
from regisseur_serving.errors import LoadError, PredictionError
from regisseur_serving.ports.predictor import Prediction, Table

_DTYPES = {
    ColumnType.STRING: "str",
    ColumnType.FLOAT: "float32",
    ColumnType.DOUBLE: "float64",
}

SKLEARN_VERSION: str = sklearn.__version__

_LOGGER = logging.getLogger("regisseur_serving.loading")

Estimator: TypeAlias = Any
"""Anything that a file may hold; scikit-learn comes without types."""

Values: TypeAlias = Any

_SHOWN_TYPES = 5
_TRIPPED_OVER = (ArithmeticError, AttributeError, LookupError, TypeError)
"""What estimators raise besides ValueError over values that they cannot take."""


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


def unpickle_estimator(path: Path) -> Estimator:
    """Load a pickle file, running whatever code it holds.

    Raises:
        LoadError: It does not load here.
    """
    try:
        with path.open("rb") as file, warnings.catch_warnings(action="ignore"):
            return pickle.load(file)  # noqa: S301 - the registry's policy trusts it, or nobody comes here
    except ModuleNotFoundError as error:
        raise LoadError(
            f"the model needs the module {str(error.name)[:80]!r}, which this image has not; serve "
            "it with an image made for it"
        ) from error
    except Exception as error:
        raise LoadError(
            f"{path.name} cannot be unpickled ({type(error).__name__}); serve it with an image "
            "that has what it was logged with, or log it again"
        ) from error


class SklearnPredictor:
    """A loaded estimator and the way its input has to look.

    Args:
        estimator: The fitted estimator.
        mlmodel: What the model folder says of it, with a signature in any case.

    Raises:
        LoadError: The estimator has no method that predicts.
    """

    def __init__(self, estimator: Estimator, mlmodel: MLmodel) -> None:
        self.estimator = estimator
        self._width = len(mlmodel.signature.columns)
        self._names = _name_columns(estimator, mlmodel.signature)
        self._dtypes = [_choose_dtype(column) for column in mlmodel.signature.columns]
        self._method = getattr(estimator, mlmodel.predict_method, None)
        self._probabilities = getattr(estimator, "predict_proba", None)
        if self._method is None:
            raise LoadError(
                f"{type(estimator).__name__} has no method {mlmodel.predict_method}; "
                "log an estimator that predicts"
            )
        self.takes_arrays = not self._names
        self._takes_texts = False

    @property
    def classes(self) -> Sequence[object] | None:
        """The classes that probabilities are about; None without probabilities."""
        if self._probabilities is None:
            return None
        found = getattr(self.estimator, "classes_", None)
        return found.tolist() if isinstance(found, np.ndarray) else None

    @property
    def mismatch(self) -> str:
        """How the signature differs from what the estimator was fitted with, as far as is known."""
        return describe_mismatch(self.estimator, self._names or [""] * self._width)

    def predict(self, table: Table, *, with_probabilities: bool = False) -> Prediction:
        """Predict every row of a table.

        Raises:
            ValueError: The estimator cannot predict these values.
        """
        try:
            return self._predict(self.shape(table), with_probabilities=with_probabilities)
        except _TRIPPED_OVER as error:
            # Not every estimator looks at values before it works with them.
            raise ValueError(type(error).__name__) from error

    def _predict(self, data: Values, *, with_probabilities: bool) -> Prediction:
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
            before = self._predict_first(probe)
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
        if isinstance(probe, np.ndarray) and not self.takes_arrays:
            self._prefer_arrays(probe, before)
        self._try_probabilities(probe)

    def _try_probabilities(self, probe: Table) -> None:
        """Have none where the estimator has a method for them that never works."""
        try:
            self.predict(probe, with_probabilities=True)
        except Exception as error:  # noqa: BLE001 - the estimator is anybody's
            _LOGGER.warning("the model has no probabilities (%s)", type(error).__name__)
            self._probabilities = None

    def _predict_first(self, probe: Table) -> Values:
        """Predict, and find out whether one column of texts goes in as a list.

        What takes a table refuses a list; what takes a list would take the names of a table's
        columns for its texts. So the list comes first.
        """
        self._takes_texts = self._width == 1 and not isinstance(probe, np.ndarray)
        if self._takes_texts:
            try:
                return self.predict(probe).values
            except Exception:  # noqa: BLE001 - whatever it is, the estimator wants a table
                self._takes_texts = False
        return self.predict(probe).values

    def answering(self, method: str) -> "SklearnPredictor":
        """Return one that answers by another method of the estimator, and is asked alike."""
        other = copy.copy(self)
        other._method = getattr(self.estimator, method)  # noqa: SLF001 - of its own kind
        return other

    def shape(self, table: Table) -> Values:
        """Return a table as the estimator takes it."""
        if isinstance(table, np.ndarray):
            return table if self.takes_arrays else pd.DataFrame(table, columns=self._names)
        columns = list(table.values())
        if self._takes_texts:
            return columns[0]
        if not self._names:
            return np.array(columns, dtype=object).T
        # The kind of a column may not follow from the values that happen to be there: a missing
        # text alone would be another value to the estimator than one beside other rows.
        named = zip(self._names, columns, self._dtypes, strict=True)
        return pd.DataFrame({name: pd.Series(c, dtype=dtype) for name, c, dtype in named})

    def _prefer_arrays(self, probe: NDArray[Any], before: Values) -> None:
        """Take arrays from now on, if that changes nothing."""
        taken = _take_names_off(self.estimator)
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


def _choose_dtype(column: Column) -> Any:  # noqa: ANN401 - of pandas
    """Return what a frame that a model was trained with has for a column of this type."""
    if column.type is ColumnType.BOOLEAN:
        return "bool" if column.is_required else "object"
    if column.type in RANGES:
        return "int64" if column.is_required else "float64"
    return _DTYPES.get(column.type)


def _take_names_off(estimator: Estimator) -> list[tuple[Estimator, Values]]:
    taken = []
    for part in walk(estimator):
        if NAMES in vars(part):
            taken.append((part, vars(part)[NAMES]))
            delattr(part, NAMES)
    return taken


def _name_columns(estimator: Estimator, signature: Signature) -> list[str]:
    """Return the names that a table for the estimator has; none where an array will do.

    Rows without names may be for an estimator that was fitted with some.
    """
    if signature.has_names:
        return list(signature.names)
    names, _ = recall_columns(estimator)
    return list(names) if names is not None and len(names) == len(signature.columns) else []


def _plain(values: Values) -> Values:
    """Return predictions as JSON can hold them, a row each.

    Classifiers with several outputs answer a list of tables for probabilities, an output each.
    """
    if issparse(values):
        values = values.toarray()
    if isinstance(values, list) and values and all(map(_is_table, values)):
        values = np.stack(values, axis=1)
    array = np.ascontiguousarray(values)
    return array.tolist() if array.dtype.kind not in "biuf" else array


def _is_table(values: Values) -> bool:
    return isinstance(values, np.ndarray) and values.ndim > 1
