"""How much of an explanation fits, and what it looks like, decided without a model."""

import json
from typing import Any

import numpy as np
import pytest

from regisseur_contract.runtime import (
    EXPLAIN_WAIT_SECONDS,
    LONGEST_REQUEST_SECONDS,
    MOST_EXPLAIN_BUDGET_SECONDS,
)
from regisseur_serving.core.explaining import (
    MOST_BACKGROUND_ROWS,
    MOST_PASSES,
    MOST_VALUES,
    Pace,
    TooManyRowsError,
    UnexplainableError,
    arrange,
    choose_background,
    list_declared,
    name_outputs,
)


@pytest.mark.parametrize(
    ("row_seconds", "row_values", "most"),
    [
        pytest.param(0.1, 10, 10, id="a quarter of the budget is planned with"),
        pytest.param(0.3, 10, 3, id="a row that fits in part does not fit"),
        pytest.param(1.5, 10, 0, id="not one fits"),
        pytest.param(0.0, 100, MOST_VALUES // 100, id="an answer is only so long"),
    ],
)
def test_rows_are_as_many_as_fit(row_seconds: float, row_values: int, most: int) -> None:
    pace = Pace(row_seconds, row_values, budget_seconds=4.0)
    assert pace.most_rows == most
    if most:
        pace.check(most)
    with pytest.raises(TooManyRowsError) as caught:
        pace.check(most + 1)
    assert caught.value.most == most


@pytest.mark.parametrize(
    ("rows", "passes"),
    [(1, MOST_PASSES), (2, 5), (3, 3), (5, 2), (10, 1)],
)
def test_few_rows_get_more_passes(rows: int, passes: int) -> None:
    assert Pace(0.1, 10, budget_seconds=4.0).choose_passes(rows) == passes


def test_a_request_that_waits_and_is_explained_survives_the_end_of_its_pod() -> None:
    assert EXPLAIN_WAIT_SECONDS + MOST_EXPLAIN_BUDGET_SECONDS < LONGEST_REQUEST_SECONDS


@pytest.mark.parametrize(
    ("rows", "columns", "chosen"),
    [
        (5, 13, 5),
        (500, 13, MOST_BACKGROUND_ROWS),
        (100, 400, 26),
        (100, 2000, 1),
    ],
)
def test_the_background_is_smaller_where_columns_are_many(
    rows: int, columns: int, chosen: int
) -> None:
    assert choose_background(rows, columns) == chosen


def test_too_many_columns_are_not_tried_one_by_one() -> None:
    with pytest.raises(UnexplainableError, match="the model has 3000 columns, too many"):
        choose_background(5, 3000)


@pytest.mark.parametrize(
    ("count", "classes", "declared", "names"),
    [
        pytest.param(3, ["a", "b", "c"], [], ["a", "b", "c"], id="classes"),
        pytest.param(1, ["a", "b"], ["y"], ["b"], id="the margin of two classes"),
        pytest.param(3, ["a", "b"], [], ["0", "1", "2"], id="classes that do not fit"),
        pytest.param(2, None, ["price", "rent"], ["price", "rent"], id="names of the signature"),
        pytest.param(1, None, [], ["predict"], id="one number"),
        pytest.param(2, None, ["y"], ["0", "1"], id="numbers"),
    ],
)
def test_outputs_have_names(
    count: int, classes: list[object] | None, declared: list[str], names: list[object]
) -> None:
    assert name_outputs(count, classes, declared) == names


@pytest.mark.parametrize(
    ("document", "names"),
    [
        ({"outputs": json.dumps([{"name": "price", "type": "double"}])}, ["price"]),
        ({"outputs": json.dumps([{"type": "tensor", "tensor-spec": {}}])}, []),
        ({"outputs": None}, []),
        ({}, []),
        ({"outputs": "{"}, []),
        ({"outputs": "5"}, []),
    ],
)
def test_names_of_outputs_are_those_of_the_signature(
    document: dict[str, Any], names: list[str]
) -> None:
    assert list_declared(document) == names


def test_all_explanations_have_one_shape() -> None:
    flat = arrange([[1.0, 2.0], [3.0, 4.0]], 0.5)
    assert (flat.values.shape, flat.base_values.shape) == ((2, 2, 1), (1,))
    deep = arrange(np.zeros((4, 2, 3)), np.zeros(3))
    assert (deep.values.shape, deep.base_values.shape) == ((4, 2, 3), (3,))


@pytest.mark.parametrize(
    ("answers", "is_so"),
    [
        ([[3.5], [7.5]], True),
        ([[3.5], [7.5001]], False),
        ([[3.5]], False),
        ([[3.5, 0.0], [7.5, 0.0]], False),
    ],
)
def test_shares_add_up_to_the_answer_or_are_of_another(
    answers: list[list[float]], is_so: bool
) -> None:
    explanation = arrange([[1.0, 2.0], [3.0, 4.0]], 0.5)
    assert explanation.adds_up_to(np.array(answers)) is is_so
