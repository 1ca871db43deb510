"""Rows, models and metrics: the same seed gives the same digits."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from regisseur_training.adapters.wine import read_wine
from regisseur_training.core.card import build_card
from regisseur_training.core.dataset import TARGET, features_of, split_rows
from regisseur_training.core.evaluation import evaluate_classifier
from regisseur_training.core.model import fit_classifier
from regisseur_training.params import Algorithm, TrainParams, read_params

TRAIN = read_params(Path(__file__).parents[3] / "params.yaml").train


def chosen(algorithm: Algorithm) -> TrainParams:
    return TRAIN.model_copy(update={"algorithm": algorithm})


class Oracle:
    """A classifier that answers what it was told to."""

    def __init__(self, answers: dict[int, list[int]]) -> None:
        self._answers = answers

    def fit(self, features: pd.DataFrame, classes: "pd.Series[int]") -> None:
        """Learn nothing."""

    def predict(self, features: pd.DataFrame) -> npt.NDArray[np.int64]:
        """Return the answers for that many rows."""
        return np.array(self._answers[len(features)])


def test_the_data_set_has_thirteen_numeric_features_and_three_classes() -> None:
    frame = read_wine()
    assert features_of(frame).shape == (178, 13)
    assert set(frame.dtypes[:-1]) == {np.dtype("float64")}
    assert sorted(frame[TARGET].unique()) == [0, 1, 2]


def test_every_row_is_either_trained_on_or_tested_on() -> None:
    frame = read_wine()
    train, test = split_rows(frame, test_fraction=0.3, seed=1)
    assert sorted([*train.index, *test.index]) == list(frame.index)
    assert len(test) == 54


def test_both_parts_have_the_same_shares_of_every_class() -> None:
    frame = read_wine()
    _, test = split_rows(frame, test_fraction=0.5, seed=1)
    halves = frame[TARGET].value_counts() / 2
    assert (abs(test[TARGET].value_counts() - halves) <= 1).all()


def test_the_seed_decides_which_rows_are_held_out() -> None:
    frame = read_wine()
    first, again, other = (split_rows(frame, test_fraction=0.3, seed=s)[1] for s in (1, 1, 2))
    assert first.equals(again)
    assert not first.equals(other)


@pytest.mark.parametrize("algorithm", Algorithm)
def test_every_algorithm_learns_the_wines(algorithm: Algorithm) -> None:
    train, test = split_rows(read_wine(), test_fraction=0.3, seed=42)
    classifier = fit_classifier(train, chosen(algorithm), seed=42)
    evaluation = evaluate_classifier(classifier, train=train, test=test)
    assert evaluation.metrics["test_accuracy"] > 0.9
    assert list(evaluation.outcomes["actual"]) == list(test[TARGET])


def test_metrics_are_weighted_by_the_rows_of_a_class() -> None:
    train = pd.DataFrame({"x": [0.0] * 3, TARGET: [0, 1, 1]})
    test = pd.DataFrame({"x": [0.0] * 4, TARGET: [0, 0, 0, 1]})
    oracle = Oracle({3: [0, 1, 0], 4: [0, 0, 1, 1]})
    metrics = evaluate_classifier(oracle, train=train, test=test).metrics
    assert metrics == pytest.approx(
        {
            "train_accuracy": 2 / 3,
            "test_accuracy": 0.75,
            "precision_weighted": 0.75 * 1 + 0.25 * 0.5,
            "recall_weighted": 0.75 * (2 / 3) + 0.25 * 1,
            "f1_weighted": 0.75 * 0.8 + 0.25 * (2 / 3),
        }
    )


def test_a_class_that_is_never_predicted_counts_as_zero_without_a_warning() -> None:
    rows = pd.DataFrame({"x": [0.0] * 2, TARGET: [0, 1]})
    metrics = evaluate_classifier(Oracle({2: [0, 0]}), train=rows, test=rows).metrics
    assert metrics["precision_weighted"] == pytest.approx(0.25)


def test_the_card_tells_what_the_model_is() -> None:
    card = build_card(
        name="wine",
        params={"algorithm": "random_forest", "seed": 7},
        metrics={"test_accuracy": 0.98148},
        features=["alcohol", "ash"],
        data_version="2925c4a8",
    )
    rows = ("# wine", "| seed | 7 |", "| test_accuracy | 0.9815 |", "alcohol, ash", "2925c4a8")
    assert not [row for row in rows if row not in card]
