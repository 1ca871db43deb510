"""Rows whose values are partly a background's: whatever the values are."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from regisseur_serving.adapters.masking import Background, count_rows, cut, decode
from regisseur_serving.ports.predictor import Table

NAN = float("nan")
NAMES = ("when", "what")


def show(table: Table) -> list[list[Any]]:
    """Return rows of values."""
    if isinstance(table, np.ndarray):
        rows: list[list[Any]] = table.tolist()
        return rows
    assert isinstance(table, Mapping)
    return [list(row) for row in zip(*table.values(), strict=True)]


@pytest.mark.parametrize(
    ("background", "row", "codes"),
    [
        pytest.param(
            [[1.7e9, 1.0], [1.7e9 + 1, 1.0], [1.7e9, 2.0]],
            [[1.7e9 + 1, 3.0]],
            [1, 3],
            id="numbers that are close to each other are not equal",
        ),
        pytest.param([[NAN, 1.0], [2.0, NAN]], [[NAN, NAN]], [0, 1], id="missing ones are"),
    ],
)
def test_equal_numbers_have_one_code(
    background: list[list[float]], row: list[list[float]], codes: list[int]
) -> None:
    known = Background(np.array(background), NAMES)
    assert known.code_row(np.array(row)).tolist() == codes
    joined = known.join(np.array(row))
    assert repr(show(decode(joined, known.codes))) == repr(background)
    assert repr(show(decode(joined, known.code_row(np.array(row))[np.newaxis]))) == repr(row)


@pytest.mark.parametrize(
    ("background", "row", "codes"),
    [
        pytest.param(
            {"when": ["a", "b", "a"], "what": [1, 2, 3]},
            {"when": ["b"], "what": [4]},
            [1, 3],
            id="texts beside numbers",
        ),
        pytest.param(
            {"when": [1, 1.0, True], "what": [None, NAN, "1"]},
            {"when": [True], "what": [NAN]},
            [2, 1],
            id="equal values of other types are others",
        ),
    ],
)
def test_equal_values_of_any_kind_have_one_code(
    background: dict[str, Sequence[object]], row: dict[str, Sequence[object]], codes: list[int]
) -> None:
    known = Background(background, NAMES)
    assert known.code_row(row).tolist() == codes
    shown = show(decode(known.join(row), known.code_row(row)[np.newaxis]))
    assert repr(shown) == repr(show(row))


def test_numbers_and_texts_are_joined() -> None:
    known = Background({"when": ["a", "b"], "what": [1.5, 2.5]}, NAMES)
    row = np.array([[7.0, 2.5]])
    assert known.code_row(row).tolist() == [2, 1]
    assert show(decode(known.join(row), np.array([[0.0, 2.0], [2.0, 0.0]]))) == [
        ["a", 2.5],
        [7.0, 1.5],
    ]


def test_rows_are_cut_out_of_any_table() -> None:
    assert show(cut(np.array([[1.0], [2.0], [3.0]]), 1, 3)) == [[2.0], [3.0]]
    columns = {"a": [1, 2, 3]}
    assert show(cut(columns, 0, 1)) == [[1]]
    assert count_rows(columns) == 3
