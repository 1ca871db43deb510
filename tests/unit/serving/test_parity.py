"""When a converted model counts as the same model."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from regisseur_serving.core.engine import Fallback, FallbackError
from regisseur_serving.core.parity import Parity, compare
from regisseur_serving.core.probes import Probes
from regisseur_serving.core.signature import Column, ColumnType, Signature
from regisseur_serving.ports.predictor import Prediction, Predictor, Table

Scores = Callable[[NDArray[np.float64]], NDArray[np.float64]]

WEIGHTS = np.array([1.0, -2.0])
EXAMPLE = np.array([[1.0, 0.5], [3.0, 1.5], [2.0, 0.2]])


class Classifier:
    """Says yes by the probability that a function gives; refuses missing numbers if it is told to.

    Without classes it keeps its probabilities for itself.
    """

    def __init__(
        self,
        score: Scores,
        classes: Sequence[object] | None = (0, 1),
        *,
        takes_missing: bool = False,
    ) -> None:
        self._score = score
        self._takes_missing = takes_missing
        self.classes = classes

    def predict(self, table: Table, *, with_probabilities: bool = False) -> Prediction:
        """Say yes or no."""
        assert isinstance(table, np.ndarray)
        rows = np.asarray(table, np.float64)
        if np.isnan(rows).any() and not self._takes_missing:
            raise ValueError
        yes = self._score(np.nan_to_num(rows))
        labels = (yes > 0.5).astype(np.int64)
        return Prediction(labels, np.stack([1 - yes, yes], axis=1) if with_probabilities else None)


class Regressor:
    """Answers numbers."""

    classes = None

    def __init__(self, answer: Scores) -> None:
        self._answer = answer

    def predict(self, table: Table, *, with_probabilities: bool = False) -> Prediction:
        """Answer one number a row."""
        assert not with_probabilities
        assert isinstance(table, np.ndarray)
        if np.isnan(table).any():
            raise ValueError
        return Prediction(self._answer(np.asarray(table, np.float64)))


def sign(*kinds: ColumnType, is_required: bool = True) -> Signature:
    columns = (Column(f"c{number}", kind, is_required) for number, kind in enumerate(kinds))
    return Signature(tuple(columns))


DOUBLES = sign(ColumnType.DOUBLE, ColumnType.DOUBLE)


def curve(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-np.clip(rows @ WEIGHTS, -50, 50))))


def line(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(rows @ WEIGHTS)


def step(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(rows[:, 0] > 2.1, 0.9, 0.2)


def single(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return rows.astype(np.float32).astype(np.float64)


def judge(
    native: Predictor,
    converted: Predictor,
    signature: Signature = DOUBLES,
    thresholds: Sequence[tuple[int, float]] = (),
) -> Parity:
    return compare(native, lambda _: converted, signature, EXAMPLE, thresholds)


def fails(*arguments: Any, **more: Any) -> str:
    with pytest.raises(FallbackError) as caught:
        judge(*arguments, **more)
    assert caught.value.word == Fallback.PARITY_FAILED
    return caught.value.reason


def test_the_rounding_of_32_bits_is_no_difference() -> None:
    parity = judge(Classifier(curve), Classifier(lambda rows: curve(single(rows))))
    assert parity.rows > 1000
    assert parity.takes_missing == (False, False)


def test_the_label_may_differ_where_the_classes_are_as_likely() -> None:
    judge(Classifier(curve), Classifier(lambda rows: curve(rows) + 4e-6))


def test_the_label_may_not_differ_elsewhere() -> None:
    class Liar(Classifier):
        def predict(self, table: Table, *, with_probabilities: bool = False) -> Prediction:
            told = super().predict(table, with_probabilities=with_probabilities)
            return Prediction(1 - told.values, told.probabilities)

    assert "labels differ" in fails(Classifier(curve), Liar(curve))


def test_a_probability_may_differ_by_the_bound_only() -> None:
    reason = fails(Classifier(curve), Classifier(lambda rows: curve(rows) + 2e-5))
    assert reason == (
        "ONNX answers otherwise: rows like its example: a probability differs by 2e-05, allowed is"
        " 1e-05"
    )


def test_without_probabilities_every_label_counts() -> None:
    native = Classifier(curve, None)
    assert "labels differ" in fails(native, Classifier(lambda rows: curve(rows) + 1e-9, None))
    judge(native, Classifier(curve, None))


def test_a_step_that_moves_by_one_32_bit_number_is_found_between_the_classes() -> None:
    moved = Classifier(lambda rows: step(single(rows)))
    assert "rows between answers" in fails(Classifier(step), moved)


def test_a_step_of_a_number_is_found_where_a_threshold_is_known() -> None:
    native, moved = Regressor(step), Regressor(lambda rows: step(single(rows)))
    assert "rows around thresholds" in fails(native, moved, thresholds=[(0, 2.1)])


def test_a_step_of_a_number_is_found_where_no_threshold_is_known() -> None:
    moved = Regressor(lambda rows: step(single(rows)))
    assert "rows between answers" in fails(Regressor(step), moved)


def test_a_step_of_one_number_of_several_is_found() -> None:
    def both(rows: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.stack([np.ones(len(rows)), step(rows)], axis=1)

    moved = Regressor(lambda rows: both(single(rows)))
    assert "rows between answers" in fails(Regressor(both), moved)


def test_whole_numbers_are_not_tried_between_themselves() -> None:
    signature = sign(ColumnType.LONG, ColumnType.LONG)
    moved = Classifier(lambda rows: step(single(rows)))
    judge(Classifier(step), moved, signature, [(0, 2.1)])


def test_numbers_may_differ_by_a_share_of_their_size() -> None:
    judge(Regressor(line), Regressor(lambda rows: line(rows) * (1 + 9e-6)))
    reason = fails(Regressor(line), Regressor(lambda rows: line(rows) * (1 + 3e-5)))
    assert "answers differ, by 3e-05 of their size at most, allowed is 1e-05" in reason


def test_an_answer_that_is_no_number_is_a_difference() -> None:
    nothing = Regressor(lambda rows: np.full(len(rows), np.nan))
    assert "answers differ" in fails(Regressor(line), nothing)
    unsure = Classifier(lambda rows: np.full(len(rows), np.nan))
    assert "a probability differs by nan" in fails(Classifier(curve), unsure)


def test_answers_of_another_shape_are_a_difference() -> None:
    matrix = Regressor(lambda rows: line(rows)[:, None])
    assert "answers of shape" in fails(Regressor(line), matrix)


def test_a_missing_number_goes_to_the_model_where_both_answer_alike() -> None:
    taking = Classifier(curve, takes_missing=True)
    assert judge(taking, taking).takes_missing == (True, True)


def test_a_missing_number_is_refused_where_the_model_refuses_it() -> None:
    taking = Classifier(curve, takes_missing=True)
    assert judge(Classifier(curve), taking).takes_missing == (False, False)


def other_gaps() -> tuple[Any, Any]:
    """Two models that agree but for missing numbers."""

    class Guessing(Classifier):
        def predict(self, table: Table, *, with_probabilities: bool = False) -> Prediction:
            return super().predict(
                np.nan_to_num(np.asarray(table), nan=7.0), with_probabilities=with_probabilities
            )

    return Classifier(curve, takes_missing=True), Guessing(curve)


def test_a_missing_number_that_is_answered_otherwise_is_refused_where_it_is_required() -> None:
    assert judge(*other_gaps()).takes_missing == (False, False)


def test_a_missing_number_that_is_answered_otherwise_fails_where_it_may_be_missing() -> None:
    optional = sign(ColumnType.DOUBLE, ColumnType.DOUBLE, is_required=False)
    assert "rows with missing numbers" in fails(*other_gaps(), signature=optional)


def test_the_same_rows_are_tried_every_time() -> None:
    first, second = Probes(DOUBLES, EXAMPLE), Probes(DOUBLES, EXAMPLE)
    np.testing.assert_array_equal(first.near(), second.near())
    np.testing.assert_array_equal(first.around([(0, 1.5)]), second.around([(0, 1.5)]))


def test_all_rows_could_be_requests() -> None:
    kinds = (ColumnType.LONG, ColumnType.INTEGER, ColumnType.BOOLEAN, ColumnType.FLOAT)
    probes = Probes(sign(*kinds), np.array([[5, 2**31 - 1, 1, 0.1]], np.float64))
    many = [(number, 0.7) for number in range(4)] * 300
    for rows in (probes.near(), probes.extremes(), probes.around(many)):
        assert (rows[:, :2] == np.rint(rows[:, :2])).all()
        assert ((rows[:, 1] >= -(2**31)) & (rows[:, 1] < 2**31)).all()
        assert set(rows[:, 2]) <= {0.0, 1.0}
        assert (rows[:, 3] == rows[:, 3].astype(np.float32)).all()


def test_borders_are_found_to_the_last_digit() -> None:
    probes = Probes(DOUBLES, EXAMPLE)
    rows = probes.border(probes.near(), lambda rows: step(rows) > 0.5)
    closest = np.abs(rows[:, 0] - 2.1)
    assert closest.min() < 1e-15
    assert len({*(rows[closest < 1e-12][:, 0] > 2.1)}) == 2


def test_a_model_of_one_answer_has_no_border() -> None:
    probes = Probes(DOUBLES, EXAMPLE)
    assert len(probes.border(probes.near(), lambda rows: np.zeros(len(rows)))) == 0
