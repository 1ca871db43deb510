"""The columns that an estimator was fitted with, beside those of its signature.

A signature that was written by hand, or inferred from other data than the estimator has seen, lets
requests in that the estimator refuses, every one of them.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import FunctionTransformer

NAMES: Final = "feature_names_in_"
"""Where an estimator that was fitted on a DataFrame keeps its columns."""

_COUNT: Final = "n_features_in_"
_PICKY: Final = (ColumnTransformer, FeatureUnion, FunctionTransformer)
"""What takes the columns that it needs out of a table and does not mind the others."""

_SHOWN: Final = 5
_SHOWN_CHARACTERS: Final = 80
_ADVICE: Final = "log it with a signature inferred from the data that it was trained on"


def describe_mismatch(estimator: Any, names: Sequence[str]) -> str:  # noqa: ANN401 - of scikit-learn
    """Say how columns differ from those that an estimator was fitted with.

    Args:
        estimator: A fitted estimator.
        names: The columns of its signature.

    Returns:
        What differs and what to do; nothing where that is not known, or where they agree.
    """
    if any(isinstance(part, _PICKY) for part in walk(_find_door(estimator))):
        return ""
    fitted, count = recall_columns(estimator)
    if fitted is not None:
        return _compare_names(fitted, names)
    if count is not None and count != len(names):
        said = f"the estimator was fitted with {count} columns, the signature has {len(names)}"
        return f"{said}; {_ADVICE}"
    return ""


def recall_columns(estimator: Any) -> tuple[list[str] | None, int | None]:  # noqa: ANN401 - of scikit-learn
    """Return the names and the number of columns that an estimator was fitted with, if it knows."""
    fitted, count = getattr(estimator, NAMES, None), getattr(estimator, _COUNT, None)
    names = [str(name) for name in fitted.tolist()] if isinstance(fitted, np.ndarray) else None
    return names, int(count) if isinstance(count, int | np.integer) else None


def walk(estimator: Any) -> Iterator[Any]:  # noqa: ANN401 - of scikit-learn
    """Go through an estimator and all estimators inside it."""
    return _walk(estimator, set())


def _walk(thing: object, seen: set[int]) -> Iterator[Any]:
    if id(thing) in seen:
        return
    seen.add(id(thing))
    if isinstance(thing, dict):
        for inner in thing.values():
            yield from _walk(inner, seen)
    elif isinstance(thing, np.ndarray):
        # Its rows are objects of the moment, whose identity another may have next.
        for inner in thing.flat if thing.dtype == object else ():
            yield from _walk(inner, seen)
    elif isinstance(thing, list | tuple):
        for inner in thing:
            yield from _walk(inner, seen)
    elif isinstance(thing, BaseEstimator):
        yield thing
        yield from _walk(vars(thing), seen)


def _find_door(estimator: Any) -> Any:  # noqa: ANN401 - of scikit-learn
    """Return the part of an estimator that looks at the columns first."""
    while isinstance(estimator, Pipeline) and estimator.steps:
        estimator = estimator.steps[0][1]
    best = getattr(estimator, "best_estimator_", None)  # of a search for parameters
    return estimator if best is None else _find_door(best)


def _compare_names(fitted: Sequence[str], names: Sequence[str]) -> str:
    lacking = [name for name in fitted if name not in names]
    unknown = [name for name in names if name not in fitted]
    said = []
    if lacking:
        said.append(f"the estimator was fitted with {_show(lacking)}, which the signature has not")
    if unknown:
        said.append(f"the signature has {_show(unknown)}, which the estimator was not fitted with")
    if not said and list(fitted) != list(names):
        said.append("the estimator was fitted with the columns in another order than the signature")
    return f"{'; '.join(said)}; {_ADVICE}" if said else ""


def _show(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name[:_SHOWN_CHARACTERS]) for name in names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"
