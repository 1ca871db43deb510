"""The models that can be trained, and which types they may be made of.

skops stores no code, but it rebuilds objects of named types. The list of those allowed belongs
to whoever loads a model, never to the model, so it is fixed here.
"""

from typing import Final, Protocol, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from regisseur_training.core.dataset import classes_of, features_of
from regisseur_training.params import Algorithm, TrainParams

TRUSTED_TYPES: Final = ("sklearn.tree._tree.Tree",)
"""Types beyond skops' own list that our algorithms need."""


class Classifier(Protocol):
    """The part of scikit-learn's estimators that training uses."""

    def fit(self, features: pd.DataFrame, classes: "pd.Series[int]") -> object:
        """Learn from rows with known classes."""
        ...

    def predict(self, features: pd.DataFrame) -> npt.NDArray[np.int64]:
        """Return the class of every row."""
        ...


def build_classifier(train: TrainParams, *, seed: int) -> Classifier:
    """Return the chosen classifier, not fitted yet."""
    settings = train.chosen.model_dump()
    match train.algorithm:
        case Algorithm.LOGISTIC_REGRESSION:
            estimator = make_pipeline(
                StandardScaler(), LogisticRegression(random_state=seed, **settings)
            )
        case Algorithm.RANDOM_FOREST:
            estimator = RandomForestClassifier(random_state=seed, **settings)
    return cast("Classifier", estimator)


def fit_classifier(rows: pd.DataFrame, train: TrainParams, *, seed: int) -> Classifier:
    """Return the chosen classifier fitted to the rows."""
    classifier = build_classifier(train, seed=seed)
    classifier.fit(features_of(rows), classes_of(rows))
    return classifier
