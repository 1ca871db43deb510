"""Columns that come with their types fit where every value of theirs is one of the model's."""

import numpy as np
import pytest

from regisseur_serving.core.invocations import InvocationReader, TypedColumn
from regisseur_serving.errors import InputError
from support.signatures import build_rows, build_signature

FITTING = [
    *[("long", kind) for kind in ("int8", "int16", "int32", "int64", "uint32")],
    *[("integer", kind) for kind in ("int8", "int32", "uint16")],
    *[("double", kind) for kind in ("int32", "float", "double")],
    *[("float", kind) for kind in ("int16", "float")],
    ("any", "uint64"),
]
UNFIT = [
    *[("long", kind) for kind in ("double", "bool", "uint64")],
    *[("integer", kind) for kind in ("int64", "float")],
    *[("double", kind) for kind in ("int64", "bool")],
    *[("float", kind) for kind in ("double", "int32")],
    *[("boolean", kind) for kind in ("int64", "double")],
    *[("string", kind) for kind in ("int64", "double")],
]


@pytest.mark.parametrize(("model", "sent"), FITTING)
def test_types_that_hold_no_more_fit(model: str, sent: str) -> None:
    for signature in (build_signature(a=model), build_rows(model)):
        reader = InvocationReader(signature)
        table, _ = reader.read_typed([TypedColumn("a", sent, [0, 1])])
        assert isinstance(table, np.ndarray)
        assert table.tolist() == [[0.0], [1.0]]


@pytest.mark.parametrize(("model", "sent"), UNFIT)
def test_nothing_is_cast(model: str, sent: str) -> None:
    reader = InvocationReader(build_signature(a=model))
    with pytest.raises(InputError, match=f"column 'a' is {sent}, the model takes {model}"):
        reader.read_typed([TypedColumn("a", sent, [0, 1])])


def test_a_column_too_many_or_too_few_of_rows_is_refused() -> None:
    reader = InvocationReader(build_rows("double"))
    for columns in ([], [TypedColumn(name, "double", [1.0]) for name in "ab"]):
        with pytest.raises(InputError):
            reader.read_typed(columns)
