"""Can the callers of the served version stay?"""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regisseur_serving.core.cells import CellError, check_cell
from regisseur_serving.core.compatibility import find_incompatibilities
from regisseur_serving.core.mlmodel import MLmodel, parse_mlmodel
from regisseur_serving.core.signature import UNDECLARED, Column, ColumnType, Signature
from regisseur_serving.core.tables import TableReader
from regisseur_serving.errors import InputError

pytestmark = pytest.mark.timeout(20, func_only=True)
"""Random examples take a while on a busy machine."""

SIZE: dict[str, Any] = {"name": "size", "type": "double", "required": True}
OPTIONAL_SIZE = {**SIZE, "required": False}
COLOR: dict[str, Any] = {"name": "color", "type": "string", "required": False}
HUE = {**COLOR, "name": "hue"}
VECTOR = [{"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}}]


def model(*inputs: dict[str, Any], outputs: object = None, method: str = "predict") -> MLmodel:
    signature = {"inputs": json.dumps(inputs or [SIZE])}
    if outputs is not None:
        signature["outputs"] = outputs if isinstance(outputs, str) else json.dumps(outputs)
    return parse_mlmodel(
        {
            "flavors": {
                "sklearn": {"serialization_format": "skops"},
                "python_function": {"predict_fn": method},
            },
            "signature": signature,
        }
    )


def tensor(dtype: str, *shape: int) -> list[dict[str, Any]]:
    return [{"type": "tensor", "tensor-spec": {"dtype": dtype, "shape": list(shape)}}]


def columns(*kinds: str) -> list[dict[str, Any]]:
    return [{"type": kind, "name": f"c{number}"} for number, kind in enumerate(kinds)]


def test_the_same_signature_is_compatible() -> None:
    assert find_incompatibilities(model(SIZE, COLOR), model(COLOR, SIZE)) == ()


@pytest.mark.parametrize(
    ("served", "new"),
    [
        pytest.param([COLOR], [COLOR, HUE], id="a new optional input beside another"),
        pytest.param([COLOR, SIZE], [COLOR, OPTIONAL_SIZE], id="an input turns optional"),
        pytest.param([COLOR, SIZE], [SIZE], id="the last optional input goes"),
        pytest.param([{**SIZE, "type": "long"}], [SIZE], id="a type grows"),
        pytest.param(
            [SIZE, {**SIZE, "name": "hue"}], [SIZE], id="an input is left out and ignored"
        ),
    ],
)
def test_callers_may_stay_when_more_is_taken(
    served: list[dict[str, Any]], new: list[dict[str, Any]]
) -> None:
    assert find_incompatibilities(model(*served), model(*new)) == ()


@pytest.mark.parametrize(
    ("served", "new", "difference"),
    [
        ([COLOR], [COLOR, SIZE], "the input 'size' is new and required"),
        ([COLOR], [{**COLOR, "required": True}], "'color' was optional and is required now"),
        ([SIZE], [{**SIZE, "type": "long"}], "the input 'size' was double and is long now"),
        ([SIZE], [{**SIZE, "type": "float"}], "the input 'size' was double and is float now"),
        ([SIZE], [{**SIZE, "type": "string"}], "the input 'size' was double and is string now"),
        (
            [SIZE, COLOR],
            [OPTIONAL_SIZE],
            "the input 'color' is gone, and requests that send it are refused",
        ),
        ([SIZE], [SIZE, COLOR], "no inputs were ignored and are refused now: 'color' is"),
        ([SIZE], [OPTIONAL_SIZE], "no inputs were ignored and are refused now: 'size' is"),
        ([SIZE], tensor("float64", -1, 1), "were columns with names and are rows of values"),
        (tensor("float64", -1, 1), [SIZE], "were rows of values without names and are columns"),
        (tensor("float64", -1, 3), tensor("float64", -1, 2), "rows had 3 values and have 2 now"),
        (tensor("float64", -1, 2), tensor("int64", -1, 2), "the input '0' was double and is long"),
    ],
)
def test_what_would_refuse_a_caller_is_named(
    served: list[dict[str, Any]], new: list[dict[str, Any]], difference: str
) -> None:
    said = find_incompatibilities(model(*served), model(*new))[0]
    assert difference in said


def test_a_signature_is_not_taken_away_from_callers_who_had_one() -> None:
    unsigned = replace(model(SIZE), signature=UNDECLARED)
    (said,) = find_incompatibilities(model(SIZE), unsigned)
    assert said == "inputs were described, and the new version has no signature"
    assert find_incompatibilities(unsigned, model(SIZE)) == ()
    assert find_incompatibilities(unsigned, unsigned) == ()


@pytest.mark.parametrize(
    ("served", "new"),
    [
        pytest.param(None, VECTOR, id="nothing was promised"),
        pytest.param("{", VECTOR, id="nothing that can be read was promised"),
        pytest.param(tensor("int64", -1), tensor("int32", -1), id="another size of integer"),
        pytest.param(tensor("int64", -1), [{"type": "long"}], id="a vector and a column"),
        pytest.param(tensor("float64", -1, 2), columns("double", "float"), id="a matrix"),
        pytest.param(tensor("object", -1), [{"type": "string"}], id="text"),
    ],
)
def test_answers_of_the_same_shape_are_compatible(served: object, new: object) -> None:
    assert find_incompatibilities(model(outputs=served), model(outputs=new)) == ()


@pytest.mark.parametrize(
    ("served", "new", "difference"),
    [
        (VECTOR, None, "one integer a row, and the new signature does not say"),
        (VECTOR, tensor("float64", -1), "were one integer a row and are one number a row now"),
        (VECTOR, tensor("str", -1), "were one integer a row and are one string a row now"),
        (VECTOR, tensor("int64", -1, 3), "and are lists of 3 integer a row now"),
        (VECTOR, tensor("int64", -1, -1), "and are lists of any integer a row now"),
        (columns("long", "string"), columns("long"), "were lists of 2 integer and string a row"),
    ],
)
def test_answers_of_another_shape_are_named(served: object, new: object, difference: str) -> None:
    (said,) = find_incompatibilities(model(outputs=served), model(outputs=new))
    assert difference in said


def test_another_method_answers_something_else() -> None:
    (said,) = find_incompatibilities(model(), model(method="predict_proba"))
    assert said == "answers came from predict and come from predict_proba now"


def test_only_the_first_differences_are_told() -> None:
    many = [{**SIZE, "name": f"i{number}"} for number in range(9)]
    said = find_incompatibilities(model(SIZE), model(SIZE, *many))
    assert len(said) == 6
    assert said[-1] == "and 4 more"


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    outputs=st.one_of(
        st.text(max_size=20),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["type", "tensor-spec", "dtype", "shape"]), inner, max_size=3
                )
            ),
            max_leaves=8,
        ).map(json.dumps),
    )
)
def test_outputs_of_any_kind_are_compared_without_a_fault(outputs: str) -> None:
    find_incompatibilities(model(outputs=outputs), model(outputs=VECTOR))
    assert find_incompatibilities(model(outputs=outputs), model(outputs=outputs)) == ()


VALUES = {
    ColumnType.BOOLEAN: st.booleans(),
    ColumnType.INTEGER: st.integers(-(2**31), 2**31 - 1),
    ColumnType.LONG: st.integers(-(2**63), 2**63 - 1),
    ColumnType.FLOAT: st.floats(allow_nan=False, allow_infinity=False, width=32)
    | st.integers(0, 9),
    ColumnType.DOUBLE: st.floats(allow_nan=False, allow_infinity=False) | st.integers(0, 9),
    ColumnType.STRING: st.text(max_size=3),
    ColumnType.ANY: st.none() | st.booleans() | st.integers() | st.text(max_size=3),
}
COLUMNS = st.lists(
    st.builds(Column, st.sampled_from("abc"), st.sampled_from(ColumnType), st.booleans()),
    min_size=1,
    max_size=3,
    unique_by=lambda column: column.name,
)


@st.composite
def retrained(draw: st.DrawFn, served: list[Column]) -> list[Column]:
    """Draw the signature of the next version: much of it is as it was."""
    new = [column for column in served if draw(st.integers(0, 3))] or served[:1]
    if draw(st.booleans()):
        new[0] = replace(new[0], type=draw(st.sampled_from(ColumnType)))
    if draw(st.booleans()):
        new[-1] = replace(new[-1], is_required=draw(st.booleans()))
    more = Column("d", ColumnType.LONG, is_required=draw(st.booleans()))
    return [*new, more] if draw(st.booleans()) else new


def saved(signature: list[Column]) -> MLmodel:
    return model(
        *({"name": c.name, "type": str(c.type), "required": c.is_required} for c in signature)
    )


def takes(signature: list[Column], record: dict[str, Any]) -> bool:
    """Whether a server with this signature answers a request."""
    try:
        TableReader(Signature(tuple(signature))).read({"records": [record]})
    except InputError:
        return False
    return True


@settings(max_examples=300, deadline=None, derandomize=True)
@given(served=COLUMNS, data=st.data())
def test_a_compatible_version_takes_every_request_of_the_served_one(
    served: list[Column], data: st.DataObject
) -> None:
    new = data.draw(retrained(served))
    if find_incompatibilities(saved(served), saved(new)):
        return
    record = {
        column.name: data.draw(VALUES[column.type])
        for column in served
        if column.is_required or data.draw(st.booleans())
    }
    assert takes(served, record)
    assert takes(new, record)
    extra = data.draw(st.dictionaries(st.sampled_from("de"), st.none() | st.integers(0, 9)))
    assert takes(new, {**record, **extra}) or not takes(served, {**record, **extra})


EXTREMES: dict[ColumnType, list[object]] = {
    ColumnType.BOOLEAN: [True],
    ColumnType.INTEGER: [2**31 - 1, -(2**31)],
    ColumnType.LONG: [2**63 - 1, -(2**63)],
    ColumnType.FLOAT: [3.4e38, 0.5],
    ColumnType.DOUBLE: [1e308, 0.5],
    ColumnType.STRING: [""],
    ColumnType.ANY: ["", True, 0.5, 2**63 - 1, None],
}


@pytest.mark.parametrize("new", ColumnType)
@pytest.mark.parametrize("served", ColumnType)
def test_a_type_is_refused_exactly_when_a_value_is(served: ColumnType, new: ColumnType) -> None:
    def takes(value: object) -> bool:
        try:
            check_cell(Column("a", new), value)
        except CellError:
            return False
        return True

    found = find_incompatibilities(saved([Column("a", served)]), saved([Column("a", new)]))
    assert (found == ()) is all(takes(value) for value in EXTREMES[served])


def test_a_new_required_input_refuses_the_requests_of_before() -> None:
    reader = TableReader(Signature((Column("a", ColumnType.LONG), Column("b", ColumnType.LONG))))
    with pytest.raises(InputError):
        reader.read({"records": [{"a": 1}]})
