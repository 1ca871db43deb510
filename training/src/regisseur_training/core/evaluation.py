"""How good a classifier is on rows that it has not seen."""

from dataclasses import dataclass

import pandas as pd
from sklearn.metrics import accuracy_score, precision_recall_fscore_support

from regisseur_training.core.dataset import classes_of, features_of
from regisseur_training.core.model import Classifier

TEST_ACCURACY = "test_accuracy"
"""The metric that promotion looks at."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Metrics by name, and the actual and predicted class of every test row."""

    metrics: dict[str, float]
    outcomes: pd.DataFrame


def evaluate_classifier(
    classifier: Classifier, *, train: pd.DataFrame, test: pd.DataFrame
) -> Evaluation:
    """Compare what the classifier predicts with what is true.

    Precision, recall and F1 are of the test rows, each class weighted by its number of rows; a
    class that is never predicted counts with precision 0.
    """
    actual = classes_of(test)
    predicted = classifier.predict(features_of(test))
    precision, recall, f1, _ = precision_recall_fscore_support(
        actual, predicted, average="weighted", zero_division=0.0
    )
    fitted = classifier.predict(features_of(train))
    metrics = {
        "train_accuracy": float(accuracy_score(classes_of(train), fitted)),
        TEST_ACCURACY: float(accuracy_score(actual, predicted)),
        "precision_weighted": float(precision),
        "recall_weighted": float(recall),
        "f1_weighted": float(f1),
    }
    outcomes = pd.DataFrame({"actual": actual.to_numpy(), "predicted": predicted})
    return Evaluation(metrics=metrics, outcomes=outcomes)
