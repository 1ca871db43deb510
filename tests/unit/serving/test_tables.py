from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regisseur_serving.core.problems import MAX_PROBLEMS, refuse
from regisseur_serving.core.tables import TableReader
from regisseur_serving.errors import InputError, Problem
from regisseur_serving.ports.predictor import Numbers
from support.signatures import build_rows, build_signature, build_undeclared

Json = dict[str, Any]


def reader(**types: str) -> TableReader:
    """A reader of columns; a type that ends with ? is optional."""
    return TableReader(build_signature(**types))


ROWS = TableReader(build_rows("double", "long"))
TEXTS = TableReader(build_rows("string"))
NAMED = TableReader(build_undeclared("a", "b"))
UNNAMED = TableReader(build_undeclared(width=2))


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


# ---- rows without names ------------------------------------------------------------------------


def test_rows_are_lists_in_the_order_of_the_model() -> None:
    np.testing.assert_array_equal(numbers(ROWS, {"rows": [[1.5, 2], [3, 4.0]]}), [[1.5, 2], [3, 4]])


@pytest.mark.parametrize("rows", [["x", "y"], [["x"], ["y"]]])
def test_rows_of_one_value_may_be_bare(rows: list[object]) -> None:
    assert TEXTS.read({"rows": rows}) == ({"0": ["x", "y"]}, 2)


def test_a_tensor_of_truth_values_is_numbers() -> None:
    table = numbers(TableReader(build_rows("boolean", "boolean")), {"rows": [[True, False]]})
    np.testing.assert_array_equal(table, [[1, 0]])


def test_a_tensor_of_32_bits_stays_one() -> None:
    assert numbers(TableReader(build_rows("float", "float")), {"rows": [[1, 2]]}).dtype == "float32"


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        pytest.param([], [(("body", "rows"), "value_error")], id="no rows"),
        pytest.param({"0": [1]}, [(("body", "rows"), "value_error")], id="an object"),
        pytest.param([[1, 2], [1]], [(("body", "rows", 1), "row_width")], id="too narrow"),
        pytest.param([[1, 2, 3]], [(("body", "rows", 0), "row_width")], id="too wide"),
        pytest.param([[[1, 2]]], [(("body", "rows", 0), "row_width")], id="too deep"),
        pytest.param(
            [1, 2],
            [(("body", "rows", 0), "list_type"), (("body", "rows", 1), "list_type")],
            id="bare",
        ),
        pytest.param([{"0": 1, "1": 2}], [(("body", "rows", 0), "list_type")], id="objects"),
        pytest.param([[1, 2.5]], [(("body", "rows", 0, "1"), "int_from_float")], id="a fraction"),
        pytest.param([[None, 1]], [(("body", "rows", 0, "0"), "none_not_allowed")], id="null"),
        pytest.param([["1", 1]], [(("body", "rows", 0, "0"), "float_type")], id="text"),
    ],
)
def test_rows_that_do_not_fit_are_named(rows: object, found: list[object]) -> None:
    assert problems(ROWS, {"rows": rows}) == found


@pytest.mark.parametrize("document", [{"records": [{"0": 1, "1": 2}]}, {"columns": {}}, {}])
def test_what_has_no_names_is_not_called_by_name(document: Json) -> None:
    assert problems(ROWS, document) == [(("body",), "value_error")]


def test_names_that_were_declared_are_used() -> None:
    assert problems(reader(a="double"), {"rows": [[1]]}) == [(("body",), "value_error")]


# ---- no signature ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "document",
    [
        {"rows": [[1.5, 2], [3, True]]},
        {"records": [{"a": 1.5, "b": 2}, {"b": True, "a": 3}]},
        {"columns": {"b": [2, True], "a": [1.5, 3]}},
    ],
)
def test_without_a_signature_the_names_that_it_was_fitted_with_count(document: Json) -> None:
    np.testing.assert_array_equal(numbers(NAMED, document), [[1.5, 2], [3, 1]])


def test_without_names_there_are_rows() -> None:
    np.testing.assert_array_equal(numbers(UNNAMED, {"rows": [[1.5, None]]}), [[1.5, np.nan]])
    assert UNNAMED.read({"rows": [[1, "x"], [None, 2**70]]}) == (
        {"0": [1, None], "1": ["x", 2.0**70]},
        2,
    )


@pytest.mark.parametrize("value", [[1], {}, 1e400, 10**400])
def test_without_a_signature_a_cell_is_one_value_all_the_same(value: object) -> None:
    assert [place for place, _ in problems(UNNAMED, {"rows": [[1, value]]})] == [
        ("body", "rows", 0, "1")
    ]


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=2),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["rows", "records", "columns", "0", "a"]), inner, max_size=3
        )
    ),
    max_leaves=12,
)


@pytest.mark.timeout(20, func_only=True)  # random examples take a while on a busy machine
@pytest.mark.parametrize("reading", [ROWS, TEXTS, NAMED, UNNAMED])
@settings(max_examples=100, deadline=None, derandomize=True)
@given(content=ANYTHING, field=st.sampled_from(["rows", "records", "columns"]))
def test_whatever_comes_is_a_table_of_the_right_width_or_refused(
    reading: TableReader, content: object, field: str
) -> None:
    try:
        table, rows = reading.read({field: content})
    except InputError:
        return
    width = 1 if reading is TEXTS else 2
    if isinstance(table, np.ndarray):
        assert table.shape == (rows, width)
    else:
        assert [len(values) for values in table.values()] == [rows] * width
