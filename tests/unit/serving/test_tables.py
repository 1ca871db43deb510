from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from regisseur_serving.core.problems import MAX_PROBLEMS, refuse
from regisseur_serving.core.tables import TableReader
from regisseur_serving.errors import InputError, Problem
from regisseur_serving.ports.predictor import Numbers
from support.signatures import build_signature

Json = dict[str, Any]


def reader(**types: str) -> TableReader:
    """A reader of columns; a type that ends with ? is optional."""
    return TableReader(build_signature(**types))


def problems(reader: TableReader, document: object) -> list[tuple[tuple[str | int, ...], str]]:
    with pytest.raises(InputError) as caught:
        reader.read(document)
    return [(problem.location, problem.kind) for problem in caught.value.problems]


def numbers(reader: TableReader, document: object) -> Numbers:
    table, rows = reader.read(document)
    assert isinstance(table, np.ndarray)
    assert len(table) == rows
    return table


def test_records_become_rows_in_the_order_of_the_signature() -> None:
    table = numbers(
        reader(a="double", b="long"),
        {"records": [{"b": 2, "a": 1.5, "unknown": "x"}, {"a": 3, "b": 4.0}]},
    )
    np.testing.assert_array_equal(table, [[1.5, 2], [3, 4]])
    assert table.dtype == np.float64
    assert table.flags.c_contiguous


def test_columns_become_the_same_rows() -> None:
    table = numbers(
        reader(a="double", b="long"), {"columns": {"b": [2, 4], "a": [1.5, 3], "other": [1]}}
    )
    np.testing.assert_array_equal(table, [[1.5, 2], [3, 4]])


def test_booleans_and_missing_optional_numbers_are_numbers_too() -> None:
    table = numbers(
        reader(a="boolean", b="double?", c="long?"),
        {"records": [{"a": True, "b": None}, {"a": False, "b": 1, "c": 2}]},
    )
    np.testing.assert_array_equal(table, [[1, np.nan, np.nan], [0, 1, 2]])


@pytest.mark.parametrize("way", ["short", "cell by cell"])
def test_32_bit_columns_get_the_precision_that_the_model_saw(way: str) -> None:
    other = "double" if way == "short" else "double?"
    read = reader(a="float", b=other)
    table = numbers(read, {"records": [{"a": 0.1, "b": 0.1 if way == "short" else None}]})
    assert table.dtype == np.float64
    assert table[0, 0] == np.float32(0.1)
    assert numbers(reader(a="float"), {"records": [{"a": 0.1}]}).dtype == np.float32


def test_text_makes_columns_instead_of_an_array() -> None:
    table, rows = reader(a="long", b="string?").read(
        {"records": [{"a": 1, "b": "x"}, {"a": 2.0}]},
    )
    assert (table, rows) == ({"a": [1, 2], "b": ["x", None]}, 2)


def test_a_number_that_is_missing_beside_text_is_a_number_that_is_none() -> None:
    """A column of nothing but None would reach the model as objects."""
    table, _ = reader(a="long?", b="double?", c="string?").read({"records": [{"c": None}]})
    assert isinstance(table, dict)
    assert np.isnan([table["a"], table["b"]]).all()
    assert table["c"] == [None]


@pytest.mark.parametrize(
    ("kind", "value", "problem"),
    [
        pytest.param("double", "1", "float_type", id="text for a number"),
        pytest.param("double", True, "float_type", id="a truth value for a number"),
        pytest.param("double", None, "none_not_allowed", id="null"),
        pytest.param("double", [1], "float_type", id="a list for a number"),
        pytest.param("double", float("nan"), "finite_number", id="not a number"),
        pytest.param("double", float("inf"), "finite_number", id="infinity"),
        pytest.param("double", 10**400, "finite_number", id="a number beyond all floats"),
        pytest.param("float", 1e39, "out_of_range", id="a number beyond 32 bits"),
        pytest.param("long", 1.5, "int_from_float", id="a fraction for an integer"),
        pytest.param("long", "1", "int_type", id="text for an integer"),
        pytest.param("long", True, "int_type", id="a truth value for an integer"),
        pytest.param("long", float("inf"), "finite_number", id="infinity for an integer"),
        pytest.param("long", 2.0**63, "out_of_range", id="an integer beyond 64 bits"),
        pytest.param("integer", 2**31, "out_of_range", id="an integer beyond 32 bits"),
        pytest.param("boolean", 1, "bool_type", id="a number for a truth value"),
        pytest.param("boolean", "true", "bool_type", id="text for a truth value"),
        pytest.param("string", 1, "string_type", id="a number for text"),
    ],
)
def test_a_wrong_value_is_named_by_row_and_field(kind: str, value: object, problem: str) -> None:
    good: Json = {"x": "a" if kind == "string" else kind == "boolean"}
    if kind not in {"string", "boolean"}:
        good = {"x": 1}
    document = {"records": [good, {"x": value}]}
    assert problems(reader(x=kind), document) == [(("body", "records", 1, "x"), problem)]
    columns = {"columns": {"x": [good["x"], value]}}
    assert problems(reader(x=kind), columns) == [(("body", "columns", "x", 1), problem)]


@pytest.mark.parametrize("value", [-(2**63), 2**63 - 1, -(2**63) + 1])
def test_the_ends_of_the_range_are_inside(value: int) -> None:
    table, _ = reader(a="long", b="string").read({"records": [{"a": value, "b": ""}]})
    assert isinstance(table, dict)
    assert table["a"] == [value]
    assert numbers(reader(a="long"), {"records": [{"a": value}]}).shape == (1, 1)


def test_every_missing_field_is_named() -> None:
    assert problems(reader(a="double", b="double"), {"records": [{"a": 1}, {}]}) == [
        (("body", "records", 1, "a"), "missing"),
        (("body", "records", 0, "b"), "missing"),
        (("body", "records", 1, "b"), "missing"),
    ]


@pytest.mark.parametrize(
    ("document", "location"),
    [
        pytest.param([], ("body",), id="a list"),
        pytest.param({}, ("body",), id="nothing in it"),
        pytest.param({"records": [{"x": 1}], "columns": {}}, ("body",), id="both forms"),
        pytest.param({"records": []}, ("body", "records"), id="no records"),
        pytest.param({"records": {"x": 1}}, ("body", "records"), id="one record, not a list"),
        pytest.param({"records": [[1]]}, ("body", "records", 0), id="a row as a list"),
        pytest.param({"records": [None]}, ("body", "records", 0), id="a row that is null"),
        pytest.param({"records": ["x"]}, ("body", "records", 0), id="a row that is text"),
        pytest.param({"columns": []}, ("body", "columns"), id="columns as a list"),
        pytest.param({"columns": {}}, ("body", "columns"), id="no columns"),
        pytest.param({"columns": {"x": []}}, ("body", "columns"), id="columns without rows"),
        pytest.param({"columns": {"x": 1}}, ("body", "columns", "x"), id="a column as a number"),
        pytest.param(
            {"columns": {"x": [1], "y": [1, 2]}}, ("body", "columns"), id="uneven columns"
        ),
    ],
)
def test_a_wrong_shape_is_refused(document: object, location: tuple[str | int, ...]) -> None:
    found = problems(reader(x="double", y="double?"), document)
    assert [place for place, _ in found] == [location]


@pytest.mark.parametrize("record", [{"x": "bad"}, {}, "no record"])
def test_a_long_list_of_problems_is_cut(record: object) -> None:
    found = problems(reader(x="double"), {"records": [record] * 1000})
    assert len(found) == MAX_PROBLEMS + 1
    assert found[-1] == (("body",), "too_many_errors")


class Watched(dict[str, object]):
    """A row that tells when somebody asks for one of its cells."""

    def __init__(self, asked: list[str]) -> None:
        super().__init__()
        self._asked = asked

    def get(self, key: str, default: object = None) -> object:
        """Return nothing, and take note."""
        self._asked.append(key)
        return default


def test_rows_behind_the_last_listed_problem_are_not_looked_at() -> None:
    asked: list[str] = []
    found = problems(reader(x="double", y="double"), {"records": [Watched(asked)] * 200_000})
    assert len(found) == MAX_PROBLEMS + 1
    assert asked == ["x"] * (MAX_PROBLEMS + 1)


def test_problems_are_made_only_as_far_as_they_are_listed() -> None:
    made: list[int] = []

    def find() -> Iterator[Problem]:
        for row in range(200_000):
            made.append(row)
            yield Problem(("body", row), "bad", "Bad")

    with pytest.raises(InputError) as caught:
        refuse(find())
    assert len(caught.value.problems) == MAX_PROBLEMS + 1
    assert len(made) == MAX_PROBLEMS + 1


def test_two_hundred_thousand_rows_of_another_kind_give_the_first_problems() -> None:
    found = problems(reader(x="double"), {"records": [0] * 200_000})
    assert [place[-1] for place, _ in found] == [*range(MAX_PROBLEMS), "body"]


UNKNOWN = "extra_forbidden"


@pytest.mark.parametrize("kind", ["double?", "string?"])
@pytest.mark.parametrize("present", [{}, {"y": None}, {"y": 1}])
def test_an_unknown_column_is_refused_beside_optional_ones(kind: str, present: Json) -> None:
    read = reader(x="double", y=kind)
    row = {"x": 1, **present, "Y": 1}
    assert problems(read, {"records": [{"x": 1}, row]}) == [(("body", "records", 1, "Y"), UNKNOWN)]
    assert problems(read, {"records": [row]}) == [(("body", "records", 0, "Y"), UNKNOWN)]
    columns = {name: [value] for name, value in row.items()}
    assert problems(read, {"columns": columns}) == [(("body", "columns", "Y"), UNKNOWN)]


def test_messages_do_not_hold_data() -> None:
    with pytest.raises(InputError) as caught:
        reader(x="double").read({"records": [{"x": "secret"}]})
    assert "secret" not in str(caught.value)
