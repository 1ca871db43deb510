"""Tensors of the Open Inference Protocol, as JSON and as bytes."""

import struct
from typing import Any

import numpy as np
import pytest

from regisseur_serving.core.inference import InferenceReader, build_outputs, describe_outputs
from regisseur_serving.core.tensors import Tensor, parse_tensors, to_bytes
from regisseur_serving.errors import InputError
from regisseur_serving.ports.predictor import Prediction
from support.signatures import build_rows, build_signature, build_undeclared

Json = dict[str, Any]


def entry(**changes: Any) -> Json:
    return {"name": "x", "shape": [2], "datatype": "FP64", "data": [1.5, 2], **changes}


def parse(*entries: object, tail: bytes = b"") -> list[Tensor]:
    return parse_tensors({"inputs": list(entries)}, tail)


def refusal(*entries: object, tail: bytes = b"") -> str:
    with pytest.raises(InputError) as caught:
        parse(*entries, tail=tail)
    assert caught.value.status == 400
    return str(caught.value)


# ---- JSON --------------------------------------------------------------------------------------

NUMBERS: list[Any] = [
    ("FP64", [1.5, 2], [1.5, 2.0]),
    ("FP32", [1.5, None], [1.5, np.nan]),
    ("INT64", [2**63 - 1, -1], [2**63 - 1, -1]),
    ("UINT8", [0, 255], [0, 255]),
    ("BOOL", [True, False], [True, False]),
]


@pytest.mark.parametrize(("datatype", "data", "values"), NUMBERS)
def test_numbers(datatype: str, data: list[object], values: list[object]) -> None:
    (tensor,) = parse(entry(datatype=datatype, data=data))

    assert isinstance(tensor.values, np.ndarray)
    np.testing.assert_array_equal(tensor.values, np.array(values, tensor.values.dtype))


def test_data_may_be_nested() -> None:
    (tensor,) = parse(entry(shape=[2, 2], data=[[1, 2], [3, 4]]))

    assert isinstance(tensor.values, np.ndarray)
    assert tensor.values.tolist() == [1, 2, 3, 4]


def test_texts() -> None:
    (tensor,) = parse(entry(datatype="BYTES", data=["rëd", ""]))

    assert tensor.values == ["rëd", ""]


BAD: list[Any] = [
    pytest.param("x", "object with a name", id="no object"),
    pytest.param({}, "object with a name", id="no name"),
    pytest.param(entry(datatype={}), "datatype out of", id="a type that is none"),
    pytest.param(entry(datatype="BF16"), "datatype out of", id="an unknown type"),
    pytest.param(entry(shape=[]), "shape of 1 to", id="no dimension"),
    pytest.param(entry(shape=[-1]), "none below 0", id="an open dimension"),
    pytest.param(entry(shape=[True]), "whole numbers", id="a shape of booleans"),
    pytest.param(entry(shape=[2.0]), "whole numbers", id="a shape of floats"),
    pytest.param(entry(shape=[3]), "2 values, its shape asks for 3", id="too few"),
    pytest.param(entry(shape=[2**40, 2**40]), "shape asks for", id="a shape out of this world"),
    pytest.param(entry(data=None), "list of data", id="no data"),
    pytest.param(entry(data=["1", "2"]), "no FP64", id="numbers as text"),
    pytest.param(entry(data=[True, 1]), "no FP64", id="a boolean as a number"),
    pytest.param(entry(datatype="INT64", data=[1.0, 2]), "no INT64", id="a float as an integer"),
    pytest.param(entry(datatype="INT64", data=[None, 2]), "no INT64", id="a null integer"),
    pytest.param(entry(datatype="INT8", data=[128, 0]), "does not hold", id="out of range"),
    pytest.param(entry(datatype="BOOL", data=[1, 0]), "no BOOL", id="numbers as booleans"),
    pytest.param(entry(datatype="BYTES", data=[1, 2]), "no text", id="a number as text"),
    pytest.param(entry(datatype="FP16"), "binary data only", id="a half in JSON"),
]


@pytest.mark.parametrize(("tensor", "message"), BAD)
def test_a_bad_input_is_named(tensor: object, message: str) -> None:
    assert message in refusal(tensor)


@pytest.mark.parametrize("inputs", [None, [], {}, "x"])
def test_there_must_be_inputs(inputs: object) -> None:
    with pytest.raises(InputError, match="list of inputs"):
        parse_tensors({"inputs": inputs}, b"")


def test_names_are_there_once() -> None:
    assert "one name" in refusal(entry(), entry())


def test_a_name_is_cut_and_can_be_sent() -> None:
    message = refusal(entry(name="\ud800" + "n" * 500, shape=[3]))

    assert len(message) < 200
    message.encode()


# ---- bytes -------------------------------------------------------------------------------------


def binary(size: int, **changes: Any) -> Json:
    made = entry(parameters={"binary_data_size": size}, **changes)
    del made["data"]
    return made


def test_inputs_as_bytes_follow_each_other() -> None:
    tail = struct.pack("<2d", 1.5, 2) + b"\x03\0\0\0red\0\0\0\0" + b"\x01\x00"
    first, second, third, fourth = parse(
        binary(16),
        entry(name="json", data=[7, 8]),
        binary(11, name="texts", datatype="BYTES"),
        binary(2, name="flags", datatype="BOOL"),
        tail=tail,
    )

    assert list(first.values) == [1.5, 2]
    assert list(second.values) == [7, 8]
    assert second.values is not None
    assert third.values == ["red", ""]
    assert list(fourth.values) == [True, False]


def test_an_empty_tensor() -> None:
    (tensor,) = parse(binary(0, shape=[0, 13]))

    assert len(tensor.values) == 0


BAD_BYTES: list[Any] = [
    pytest.param(binary(16), b"\0" * 15, "binary_data_size", id="too few bytes"),
    pytest.param(binary(16), b"\0" * 17, "1 bytes behind", id="bytes left over"),
    pytest.param(binary(8), b"\0" * 8, "8 bytes, its shape asks for 16", id="another shape"),
    pytest.param(binary(-1), b"", "binary_data_size", id="a size below nothing"),
    pytest.param(binary(True), b"\0", "binary_data_size", id="a size that is none"),
    pytest.param(
        entry(parameters={"binary_data_size": 16}), b"\0" * 16, "both data", id="both kinds"
    ),
    pytest.param(binary(3, datatype="BYTES"), b"\1\0\0", "length of a value", id="half a length"),
    pytest.param(
        binary(5, datatype="BYTES"), b"\xff\xff\xff\xff\0", "within a value", id="a long text"
    ),
    pytest.param(binary(5, datatype="BYTES", shape=[1]), b"\1\0\0\0\xff", "no UTF-8", id="no text"),
    pytest.param(
        binary(4, datatype="BYTES"), b"\0\0\0\0", "1 values, its shape asks for 2", id="one text"
    ),
]


@pytest.mark.parametrize(("tensor", "tail", "message"), BAD_BYTES)
def test_bad_bytes_are_named(tensor: Json, tail: bytes, message: str) -> None:
    assert message in refusal(tensor, tail=tail)


def test_outputs_as_bytes() -> None:
    assert to_bytes(np.array([1.5]), "FP64") == struct.pack("<d", 1.5)
    assert to_bytes(["ab", "c"], "BYTES") == b"\2\0\0\0ab\1\0\0\0c"


# ---- what the model takes ----------------------------------------------------------------------


def reader(*, has_probabilities: bool = False, **types: str) -> InferenceReader:
    return InferenceReader(build_signature(**types), has_probabilities=has_probabilities)


WINE = reader(a="double", b="long")


def rows_of(reader: InferenceReader, *inputs: Json) -> list[list[float]]:
    inference = reader.read({"inputs": list(inputs)})
    assert isinstance(inference.table, np.ndarray)
    assert len(inference.table) == inference.rows
    return [list(map(float, row)) for row in inference.table]


MATRIX = entry(name="anything", shape=[2, 2], data=[1.5, 2, 3, 4])
COLUMN_A = entry(name="a", data=[1.5, 3])
COLUMN_B = entry(name="b", datatype="INT64", data=[2, 4])

SHAPES: list[Any] = [
    pytest.param([MATRIX], id="one tensor"),
    pytest.param([{**MATRIX, "data": [[1.5, 2], [3, 4]]}], id="one nested tensor"),
    pytest.param([{**MATRIX, "datatype": "FP32"}], id="in 32 bits"),
    pytest.param([COLUMN_A, COLUMN_B], id="columns"),
    pytest.param([COLUMN_B, {**COLUMN_A, "shape": [2, 1]}], id="in another order and shape"),
    pytest.param([COLUMN_A, {**COLUMN_B, "datatype": "FP64", "data": [2.0, 4.0]}], id="floats"),
]


@pytest.mark.parametrize("inputs", SHAPES)
def test_all_shapes_are_the_same_rows(inputs: list[Json]) -> None:
    assert rows_of(WINE, *inputs) == [[1.5, 2], [3, 4]]


def test_one_column_is_no_matrix_of_another_name() -> None:
    assert rows_of(reader(a="double"), entry(name="a", shape=[2, 1])) == [[1.5], [2]]
    assert rows_of(reader(a="double"), entry(name="x", shape=[2, 1])) == [[1.5], [2]]


def test_a_missing_number_is_one_that_is_none() -> None:
    rows = rows_of(WINE, {**MATRIX, "data": [None, 2, 3, 4]})

    assert np.isnan(rows[0][0])


UNFIT: list[Any] = [
    pytest.param([entry(name="c")], "no input 'c'", id="an unknown name"),
    pytest.param([COLUMN_A], "Field required", id="a column is missing"),
    pytest.param([entry(name="m", shape=[1, 3], data=[1, 2, 3])], "no input 'm'", id="too wide"),
    pytest.param([{**MATRIX, "data": [1, 2.5, 3, 4]}], "fractional", id="it would be cut"),
    pytest.param([{**MATRIX, "data": [1, None, 3, 4]}], "null", id="an integer is missing"),
    pytest.param([COLUMN_A, {**COLUMN_B, "shape": [1], "data": [1]}], "length", id="uneven"),
    pytest.param([COLUMN_A, {**COLUMN_B, "shape": [1, 2]}], "a column has", id="a lying column"),
    pytest.param([{**MATRIX, "shape": [0, 2], "data": []}], "a row", id="no rows"),
    pytest.param([entry(name="a", datatype="BYTES", data=["x", "y"]), COLUMN_B], "", id="text"),
]


@pytest.mark.parametrize(("inputs", "message"), UNFIT)
def test_what_the_model_does_not_take_is_told(inputs: list[Json], message: str) -> None:
    with pytest.raises(InputError) as caught:
        WINE.read({"inputs": inputs})

    assert message in str(caught.value)


def test_text_columns_take_texts() -> None:
    mixed = reader(size="double", color="string")
    colors = entry(name="color", datatype="BYTES", data=["red", "blue"])
    inference = mixed.read({"inputs": [colors, entry(name="size")]})

    assert inference.table == {"size": [1.5, 2.0], "color": ["red", "blue"]}


TENSOR = InferenceReader(build_rows("double", "double"), has_probabilities=False)
TEXTS = InferenceReader(build_rows("string"), has_probabilities=False)
UNSIGNED = InferenceReader(build_undeclared("a", "b"), has_probabilities=False)
UNNAMED = InferenceReader(build_undeclared(width=2), has_probabilities=False)


@pytest.mark.parametrize("reading", [TENSOR, UNSIGNED, UNNAMED])
def test_rows_are_one_tensor_of_any_name(reading: InferenceReader) -> None:
    assert rows_of(reading, MATRIX) == [[1.5, 2], [3, 4]]


@pytest.mark.parametrize("shape", [[2], [2, 1]])
def test_texts_are_a_tensor_of_one_column(shape: list[int]) -> None:
    given = entry(shape=shape, datatype="BYTES", data=["good", "bad"])
    assert TEXTS.read({"inputs": [given]}).table == {"0": ["good", "bad"]}


def test_without_a_signature_names_of_columns_count_if_there_are_any() -> None:
    assert rows_of(UNSIGNED, COLUMN_B, COLUMN_A) == [[1.5, 2], [3, 4]]
    texts = entry(name="b", datatype="BYTES", data=["x", "y"])
    assert UNSIGNED.read({"inputs": [COLUMN_A, texts]}).table == {"a": [1.5, 3], "b": ["x", "y"]}


WRONG: list[Any] = [
    pytest.param([COLUMN_A, COLUMN_B], id="columns"),
    pytest.param([entry()], id="one dimension"),
    pytest.param([entry(shape=[1, 3], data=[1, 2, 3])], id="too wide"),
    pytest.param([entry(shape=[1, 2, 1])], id="too deep"),
]


@pytest.mark.parametrize("inputs", WRONG)
@pytest.mark.parametrize("reading", [TENSOR, UNNAMED])
def test_other_tensors_are_refused(reading: InferenceReader, inputs: list[Json]) -> None:
    with pytest.raises(InputError, match=r"one input of shape \[n, 2\]"):
        reading.read({"inputs": inputs})


def test_metadata_of_rows_is_one_tensor() -> None:
    assert TENSOR.describe_inputs() == [{"name": "input", "datatype": "FP64", "shape": [-1, 2]}]
    assert TEXTS.describe_inputs() == [{"name": "input", "datatype": "BYTES", "shape": [-1, 1]}]
    mixed = InferenceReader(build_rows("boolean", "float", "long"), has_probabilities=False)
    assert mixed.describe_inputs()[0]["datatype"] == "FP32"


# ---- outputs -----------------------------------------------------------------------------------

LIKELY = reader(has_probabilities=True, a="double", b="long")


def test_without_a_wish_there_is_the_prediction() -> None:
    inference = LIKELY.read({"id": "r-1", "inputs": [MATRIX]})
    outputs, tail = build_outputs(inference, Prediction(np.array([7, 8])))

    assert inference.request_id == "r-1"
    assert not inference.wants_probabilities
    assert tail == b""
    assert [{**output, "data": list(output["data"])} for output in outputs] == [
        {"name": "predict", "datatype": "INT64", "shape": [2], "data": [7, 8]}
    ]


def test_probabilities_are_an_output_and_bytes_go_behind() -> None:
    wanted = [
        {"name": "predict_proba", "parameters": {"binary_data": True}},
        {"name": "predict", "parameters": {"binary_data": False}},
    ]
    inference = LIKELY.read({"inputs": [MATRIX], "outputs": wanted})
    prediction = Prediction(["red", "blue"], np.array([[0.25, 0.75], [1, 0]]))
    outputs, tail = build_outputs(inference, prediction)

    assert inference.wants_probabilities
    assert outputs[0]["parameters"] == {"binary_data_size": 32}
    assert (outputs[0]["datatype"], outputs[0]["shape"]) == ("FP64", [2, 2])
    assert (outputs[1]["datatype"], outputs[1]["data"]) == ("BYTES", ["red", "blue"])
    assert tail == struct.pack("<4d", 0.25, 0.75, 1, 0)


def test_bytes_by_default_when_the_request_says_so() -> None:
    asked = {"inputs": [MATRIX], "parameters": {"binary_data_output": True, "own": 1.5}}

    assert WINE.read(asked).outputs[0].is_binary


BAD_WISHES: list[Any] = [
    pytest.param({"outputs": []}, "must be a list", id="no outputs"),
    pytest.param({"outputs": [{"name": "predict_proba"}]}, "these outputs: predict", id="no such"),
    pytest.param({"outputs": ["predict"]}, "these outputs", id="a name alone"),
    pytest.param(
        {"outputs": [{"name": "predict", "parameters": {"classification": 3}}]},
        "classification",
        id="Triton's classification",
    ),
    pytest.param({"parameters": {"binary_data_output": 1}}, "true or false", id="no flag"),
    pytest.param({"parameters": []}, "object", id="no parameters"),
    pytest.param({"id": 7}, "id must be a text", id="an id that is none"),
]


@pytest.mark.parametrize(("changes", "message"), BAD_WISHES)
def test_a_bad_wish_is_told(changes: Json, message: str) -> None:
    with pytest.raises(InputError, match=message):
        WINE.read({"inputs": [MATRIX], **changes})


def test_metadata_tells_types_and_open_dimensions() -> None:
    assert LIKELY.describe_inputs() == [
        {"name": "a", "datatype": "FP64", "shape": [-1]},
        {"name": "b", "datatype": "INT64", "shape": [-1]},
    ]
    assert describe_outputs(Prediction(np.array([1])), ["x", "y"]) == [
        {"name": "predict", "datatype": "INT64", "shape": [-1]},
        {"name": "predict_proba", "datatype": "FP64", "shape": [-1, 2]},
    ]
    assert describe_outputs(None, None) == []
