"""MLflow's scoring protocol: what its clients send is taken as they mean it, or refused with words.

The cases are those of MLflow 3.17's own server; where that changes a number without a word, this
one refuses.
"""

import json
import math
from typing import Any

import numpy as np
import pytest

from regisseur_serving.core.invocations import InvocationReader, describe_error
from regisseur_serving.errors import InputError
from support.signatures import build_rows, build_signature, build_undeclared

Json = dict[str, Any]


def reader(**types: str) -> InvocationReader:
    """A reader of columns; a type that ends with ? is optional."""
    return InvocationReader(build_signature(**types))


NUMBERS = reader(a="double", b="long")
TEXT = reader(size="double", color="string")
ROWS = [[1.5, 2.0], [3.0, 4.0]]


def read(reader: InvocationReader, document: object) -> list[list[float]]:
    table, rows = reader.read_json(document)
    assert isinstance(table, np.ndarray)
    assert len(table) == rows
    return [list(map(float, row)) for row in table]


def refusal(reader: InvocationReader, document: object) -> Json:
    with pytest.raises(InputError) as caught:
        reader.read_json(document)
    return describe_error(caught.value.problems, caught.value.status)


# ---- shapes ------------------------------------------------------------------------------------

SPLIT_ROWS = [[1.5, 2], [3, 4]]

GOOD: list[Any] = [
    pytest.param({"dataframe_split": {"columns": ["a", "b"], "data": SPLIT_ROWS}}, id="split"),
    pytest.param(
        {"dataframe_split": {"index": [7, 8], "columns": ["a", "b"], "data": SPLIT_ROWS}},
        id="an index is passed over",
    ),
    pytest.param(
        {"dataframe_split": {"columns": ["b", "a"], "data": [[2, 1.5], [4, 3]]}},
        id="columns in another order",
    ),
    pytest.param(
        {"dataframe_split": {"columns": ["a", "x", "b"], "data": [[1.5, "", 2], [3, {}, 4]]}},
        id="an unknown column of a frame",
    ),
    pytest.param({"dataframe_records": [{"a": 1.5, "b": 2}, {"b": 4, "a": 3}]}, id="records"),
    pytest.param({"instances": [{"a": 1.5, "b": 2}, {"a": 3, "b": 4}]}, id="instances"),
    pytest.param({"inputs": [{"a": 1.5, "b": 2}, {"a": 3, "b": 4}]}, id="inputs of records"),
    pytest.param({"inputs": {"a": [1.5, 3], "b": [2, 4]}}, id="inputs of lists"),
    pytest.param({"inputs": {"a": [1.5, 3], "b": [2, 4], "c": []}}, id="an unknown column"),
    pytest.param(
        {"inputs": {"a": [1.5, 3], "b": [2, 4]}, "params": {"top": 1}, "more": True},
        id="params and unknown fields",
    ),
    pytest.param({"inputs": {"a": ["1.5", 3], "b": [2, "4"]}}, id="numbers as text"),
    pytest.param({"inputs": {"a": [1.5, 3], "b": [2.0, 4.0]}}, id="whole floats"),
]


@pytest.mark.parametrize("document", GOOD)
def test_every_shape_gives_the_same_rows(document: Json) -> None:
    assert read(NUMBERS, document) == ROWS


def test_single_values_are_one_row() -> None:
    assert read(NUMBERS, {"inputs": {"a": 1.5, "b": 2}}) == [[1.5, 2.0]]


MALFORMED: list[Any] = [
    pytest.param([], "must be a JSON dictionary with exactly one of the input fields", id="a list"),
    pytest.param("x", "must be a JSON dictionary", id="a text"),
    pytest.param({}, "exactly one of the input fields", id="no field"),
    pytest.param({"records": []}, "exactly one of the input fields", id="another server's field"),
    pytest.param({"inputs": {"a": [1], "b": [1]}, "instances": []}, "exactly one", id="two fields"),
    pytest.param(
        {"dataframe_split": []}, "split format must be a dictionary. Got list", id="split"
    ),
    pytest.param(
        {"dataframe_records": {}},
        "records format must be a list of records. Got dictionary",
        id="records",
    ),
    pytest.param({"dataframe_split": {"columns": ["a"]}}, "list of lists as data", id="no data"),
    pytest.param(
        {"dataframe_split": {"columns": ["a", "b"], "data": [[1]]}},
        "as many values in each row",
        id="a short row",
    ),
    pytest.param(
        {"inputs": {"a": [1], "b": [1]}, "params": [1]}, "params must be a dictionary", id="params"
    ),
]


@pytest.mark.parametrize(("document", "message"), MALFORMED)
def test_a_body_in_no_shape_says_which_are_taken(document: object, message: str) -> None:
    error = refusal(NUMBERS, document)

    assert error["error_code"] == "BAD_REQUEST"
    assert (error["sqlstate"], error["error_class"]) == ("KAM00", "INVALID_PARAMETER_VALUE")
    assert message in error["message"]
    assert set(error) == {"error_code", "message", "sqlstate", "error_class"}


SCHEMA: list[Any] = [
    pytest.param({"dataframe_records": []}, "", id="no records"),
    pytest.param({"dataframe_split": {"columns": ["a", "b"], "data": []}}, "a row", id="no rows"),
    pytest.param({"dataframe_split": {"data": [[1, 2]]}}, "name its columns", id="no names"),
    pytest.param({"inputs": [[1, 2]]}, "have names", id="an array for named columns"),
    pytest.param({"inputs": {"a": [1]}}, "row 0 column 'b'", id="a column is missing"),
    pytest.param({"dataframe_records": [{"a": 1}]}, "column 'b'", id="a key is missing in all"),
    pytest.param(
        {"dataframe_records": [{"a": 1, "b": 2}, {"a": 1}]},
        "row 1 column 'b': Input should not be null",
        id="a key of an integer is missing in one",
    ),
    pytest.param({"inputs": {"a": [1, 2], "b": [1]}}, "same length", id="uneven columns"),
    pytest.param({"inputs": {"a": [1], "b": [1.5]}}, "fractional part", id="it would be cut"),
    pytest.param({"inputs": {"a": [1], "b": [2**63]}}, "between", id="it would wrap"),
    pytest.param({"inputs": {"a": [1], "b": [None]}}, "null", id="a null integer"),
    pytest.param({"inputs": {"a": ["abc"], "b": [1]}}, "valid number", id="no number"),
    pytest.param({"inputs": {"a": ["1_0"], "b": [1]}}, "finite", id="Python's underscore"),
    pytest.param({"inputs": {"a": [1], "b": ["1.5"]}}, "valid integer", id="no integer"),
    pytest.param({"inputs": {"a": [[1]], "b": [1]}}, "valid number", id="a list in a cell"),
    pytest.param({"dataframe_records": [1]}, "object", id="a record that is none"),
]


@pytest.mark.parametrize(("document", "message"), SCHEMA)
def test_other_columns_than_the_models_are_named(document: object, message: str) -> None:
    error = refusal(NUMBERS, document)

    assert error["error_code"] == "INVALID_PARAMETER_VALUE"
    assert (error["sqlstate"], error["error_class"]) == ("KAM01", "SCHEMA_ENFORCEMENT_FAILED")
    assert error["message"].startswith("Failed to enforce schema")
    assert message in error["message"]


# ---- cells -------------------------------------------------------------------------------------

TAKEN: dict[tuple[str, float], tuple[object, ...]] = {
    ("long", 3.0): (3, 3.0, "3", " +3 "),
    ("long", 1.0): (True,),
    ("long", 0.0): (False,),
    ("integer", -(2.0**31)): ("-2147483648",),
    ("double", 2.5): (2.5, "2.5", " 2.5", "25e-1"),
    ("double", 1.0): (True,),
    ("double", math.nan): (None, math.nan, "nan"),
    ("float", float(np.float32(0.1))): (0.1,),
    ("boolean", 1.0): (True, 1, "True", "true", "1"),
    ("boolean", 0.0): (False, 0, "False", "0"),
    ("long?", math.nan): (None,),
    ("boolean?", math.nan): (None,),
}
CELLS = [(kind, given, taken) for (kind, taken), many in TAKEN.items() for given in many]


@pytest.mark.parametrize(("kind", "given", "taken"), CELLS)
def test_a_cell_is_taken_as_it_is_meant(kind: str, given: object, taken: float) -> None:
    table, _ = reader(a=kind).read_json({"inputs": {"a": [given]}})

    np.testing.assert_array_equal(table, [[taken]])


REFUSING: dict[str, tuple[object, ...]] = {
    "integer": (2**31, 1.5, "1e3", "", "٣", "9" * 400, {}),
    "long": (math.nan, None, "2.5", -(2**64)),
    "float": (1e300, math.inf, "inf"),
    "double": ("", "1,5", "9" * 500, []),
    "boolean": ("yes", 2, None, ""),
    "string": ({}, [], True),
}
REFUSED = [(kind, given) for kind, many in REFUSING.items() for given in many]


@pytest.mark.parametrize(("kind", "given"), REFUSED)
def test_a_cell_that_would_become_something_else_is_refused(kind: str, given: object) -> None:
    error = refusal(reader(a=kind), {"inputs": {"a": [given]}})

    assert "row 0 column 'a'" in error["message"]
    if isinstance(given, str) and len(given) > 2:
        assert given not in error["message"]


def test_text_columns_keep_text_and_take_numbers_as_text() -> None:
    table, rows = TEXT.read_json({"inputs": {"size": [1, 2, 3], "color": ["red", 5, None]}})

    assert rows == 3
    assert table == {"size": [1.0, 2.0, 3.0], "color": ["red", "5", None]}


def test_a_number_that_one_record_lacks_is_no_number() -> None:
    rows = read(NUMBERS, {"dataframe_records": [{"a": 1, "b": 2}, {"b": 3}]})

    assert rows[0] == [1.0, 2.0]
    assert math.isnan(rows[1][0])


# ---- CSV ---------------------------------------------------------------------------------------


def test_csv_is_a_line_of_names_and_rows() -> None:
    table, rows = NUMBERS.read_csv(",a,b\n0,1.5,2\n1,3,4\n\n")

    assert rows == 2
    np.testing.assert_array_equal(table, ROWS)


def test_csv_takes_quotes_and_empty_cells() -> None:
    table, _ = TEXT.read_csv('color,size\n"red, ""dark""",1\n,\n')

    assert isinstance(table, dict)
    assert table["color"] == ['red, "dark"', None]
    assert table["size"][0] == 1.0
    assert math.isnan(table["size"][1])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "line of column names", id="nothing"),
        pytest.param("a,b\n", "and a row", id="names only"),
        pytest.param("a,b\n1\n", "Row 0 of the CSV has 1 values, not 2", id="a short row"),
        pytest.param('a,b\n"1,2\n', "no valid CSV", id="an open quote"),
        pytest.param("a\n1\n", "column 'b'", id="a column is missing"),
        pytest.param("a,b\n1,2.5\n", "valid integer", id="it would be cut"),
    ],
)
def test_bad_csv_says_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        NUMBERS.read_csv(text)

    assert message in json.dumps(describe_error(caught.value.problems, caught.value.status))


# ---- rows without names, and no signature ------------------------------------------------------

TENSOR = InvocationReader(build_rows("double", "double"))
UNNAMED = InvocationReader(build_undeclared(width=2))
UNSIGNED = InvocationReader(build_undeclared("a", "b"))
REVIEWS = InvocationReader(build_rows("string"))

MATRIX = [[1.5, 2], [3, 4]]
IN_ORDER: list[Any] = [
    pytest.param({"inputs": MATRIX}, id="inputs"),
    pytest.param({"instances": MATRIX}, id="instances"),
    pytest.param({"dataframe_split": {"data": MATRIX}}, id="split without columns"),
]
FRAMES: list[Any] = [
    pytest.param({"dataframe_split": {"columns": ["x", "y"], "data": MATRIX}}, id="split"),
    pytest.param({"dataframe_split": {"columns": [0, 1], "data": MATRIX}}, id="numbered columns"),
    pytest.param(
        {"dataframe_split": {"columns": [1, 0], "data": [[2, 1.5], [4, 3]]}}, id="by number"
    ),
    pytest.param({"dataframe_records": [{"x": 1.5, "y": 2}, {"y": 4, "x": 3}]}, id="records"),
    pytest.param({"inputs": [{"1": 2, "0": 1.5}, {"0": 3, "1": 4}]}, id="numbered records"),
]


@pytest.mark.parametrize("document", IN_ORDER)
@pytest.mark.parametrize("reading", [TENSOR, UNNAMED, UNSIGNED])
def test_lists_of_lists_are_rows(reading: InvocationReader, document: Json) -> None:
    assert read(reading, document) == ROWS


@pytest.mark.parametrize("document", FRAMES)
@pytest.mark.parametrize("reading", [TENSOR, UNNAMED])
def test_a_frame_is_taken_by_position(reading: InvocationReader, document: Json) -> None:
    assert read(reading, document) == ROWS


@pytest.mark.parametrize("cell", ["1.5", " 1.5e0 "])
def test_a_tensor_casts_as_mlflow_does(cell: str) -> None:
    (row,) = read(TENSOR, {"inputs": [[cell, True]]})
    assert row == [1.5, 1.0]
    assert math.isnan(read(TENSOR, {"inputs": [[None, 1]]})[0][0])


UNFIT: list[Any] = [
    pytest.param({"inputs": [[1, 2, 3]]}, "row 0: Input should have 2 values", id="too wide"),
    pytest.param({"inputs": [1, 2]}, "row 0: Input should be a list", id="one dimension"),
    pytest.param({"inputs": [[1, 2], [3]]}, "row 1: Input should have 2", id="ragged"),
    pytest.param({"inputs": [[[1], [2]]]}, "row 0 column '0'", id="three dimensions"),
    pytest.param({"inputs": []}, "", id="empty"),
    pytest.param({"inputs": {"0": [1], "1": [2]}}, "have no names", id="a dictionary"),
    pytest.param({"inputs": 7}, "have no names", id="a number"),
    pytest.param({"dataframe_split": {"data": [[1]]}}, "2 values", id="a narrow frame"),
    pytest.param(
        {"dataframe_records": [{"x": 1, "y": 2}, {"x": 1, "z": 2}]},
        "same columns",
        id="other names",
    ),
    pytest.param({"dataframe_records": [1]}, "same columns", id="no records"),
]


@pytest.mark.parametrize(("document", "message"), UNFIT)
@pytest.mark.parametrize("reading", [TENSOR, UNNAMED])
def test_rows_that_do_not_fit_are_told(
    reading: InvocationReader, document: Json, message: str
) -> None:
    error = refusal(reading, document)
    assert error["error_code"] in {"BAD_REQUEST", "INVALID_PARAMETER_VALUE"}
    assert message in error["message"]


@pytest.mark.parametrize("inputs", [["good", "bad"], [["good"], ["bad"]]])
def test_a_list_of_texts_is_a_row_each(inputs: list[object]) -> None:
    assert REVIEWS.read_json({"inputs": inputs}) == ({"0": ["good", "bad"]}, 2)


def test_csv_goes_by_position_where_there_are_no_names() -> None:
    table, rows = UNNAMED.read_csv("x,y\n1.5,2\n3,\n")
    assert isinstance(table, np.ndarray)
    np.testing.assert_array_equal(table, [[1.5, 2], [3, np.nan]])
    assert rows == 2


def test_csv_has_numbers_where_a_whole_column_is_some() -> None:
    assert UNSIGNED.read_csv("b,a\n7,1\nx,2\n")[0] == {"a": [1.0, 2.0], "b": ["7", "x"]}


def test_a_column_that_is_called_by_a_number_is_a_column() -> None:
    numbered = reader(**{"5": "double", "a": "double"})
    message = refusal(numbered, {"dataframe_records": [{"5": "x", "a": 1}]})["message"]
    assert "row 0 column '5': Input should be a valid number" in message
