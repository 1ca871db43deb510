import json

import pytest

from regisseur_serving.core.mlmodel import MLmodel, check_format, parse_mlmodel
from regisseur_serving.core.signature import (
    UNDECLARED,
    Column,
    ColumnType,
    Signature,
    parse_signature,
    recall_signature,
)
from regisseur_serving.errors import ModelError

DOUBLE = {"name": "alcohol", "type": "double", "required": True}


def signature(*columns: object) -> dict[str, str]:
    return {"inputs": json.dumps(columns)}


def tensor(dtype: object, *shape: int) -> dict[str, object]:
    return {"type": "tensor", "tensor-spec": {"dtype": dtype, "shape": list(shape)}}


def mlmodel(**changes: object) -> dict[str, object]:
    document: dict[str, object] = {
        "flavors": {
            "python_function": {"predict_fn": "predict"},
            "sklearn": {
                "pickled_model": "model.skops",
                "serialization_format": "skops",
                "sklearn_version": "1.9.1",
                "skops_trusted_types": ["os.system"],
            },
        },
        "run_id": "r1",
        "signature": signature(DOUBLE),
    }
    return document | changes


def test_columns_keep_their_order_and_types() -> None:
    read = parse_signature(
        signature(DOUBLE, {"name": "color", "type": "string", "required": False})
    )
    assert read.columns == (
        Column("alcohol", ColumnType.DOUBLE),
        Column("color", ColumnType.STRING, is_required=False),
    )
    assert not read.is_numeric


TENSORS = [
    ("float64", ColumnType.DOUBLE),
    ("float32", ColumnType.FLOAT),
    ("float16", ColumnType.FLOAT),
    ("int64", ColumnType.LONG),
    ("uint32", ColumnType.LONG),
    ("int32", ColumnType.INTEGER),
    ("uint8", ColumnType.INTEGER),
    ("uint64", ColumnType.DOUBLE),
    ("bool", ColumnType.BOOLEAN),
    ("str", ColumnType.STRING),
    ("<U7", ColumnType.STRING),
    ("object", ColumnType.ANY),
]


@pytest.mark.parametrize(("dtype", "kind"), TENSORS)
def test_a_tensor_is_rows_of_one_type(dtype: str, kind: ColumnType) -> None:
    read = parse_signature(signature(tensor(dtype, -1, 2)))
    assert read == Signature((Column("0", kind), Column("1", kind)), has_names=False)
    assert read.takes_rows


def test_a_tensor_of_one_dimension_has_rows_of_one_value() -> None:
    assert parse_signature(signature(tensor("str", -1))).names == ("0",)


@pytest.mark.parametrize("names", [({}, {}), ({"name": 0}, {"name": 1})])
def test_columns_without_names_are_rows_too(names: tuple[dict[str, int], ...]) -> None:
    read = parse_signature(signature(*({"type": "long", **name} for name in names)))
    assert (read.names, read.has_names) == (("0", "1"), False)


def test_numbers_in_another_order_are_names() -> None:
    read = parse_signature(signature({"type": "long", "name": 1}, {"type": "long", "name": 0}))
    assert (read.names, read.has_names, read.takes_rows) == (("1", "0"), True, False)


@pytest.mark.parametrize("document", [None, {"inputs": None}, {"outputs": "[]"}])
def test_a_model_may_have_no_signature(document: object) -> None:
    assert parse_signature(document) is UNDECLARED


@pytest.mark.parametrize(
    ("names", "width", "kinds", "has_names"),
    [
        pytest.param(["a", "b"], 2, [ColumnType.ANY] * 2, True, id="fitted with a DataFrame"),
        pytest.param(None, 2, [ColumnType.ANY] * 2, False, id="fitted with an array"),
        pytest.param(None, None, [ColumnType.STRING], False, id="fitted with texts"),
    ],
)
def test_an_estimator_remembers_what_it_was_fitted_with(
    names: list[str] | None, width: int | None, kinds: list[ColumnType], *, has_names: bool
) -> None:
    found = recall_signature(names, width)
    assert [column.type for column in found.columns] == kinds
    assert (found.has_names, found.is_declared, found.takes_rows) == (has_names, False, True)


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        pytest.param({"inputs": "[]"}, "not a list of inputs", id="no columns"),
        pytest.param({"inputs": "{"}, "not a list of inputs", id="broken JSON"),
        pytest.param({"inputs": 7}, "not a list of inputs", id="no text"),
        pytest.param(signature("x"), "not a list of inputs", id="a name alone"),
        pytest.param(signature(tensor("float64", -1, 2, 3)), "shape", id="a picture"),
        pytest.param(signature(tensor("float64", -1, -1)), "shape", id="a row of any length"),
        pytest.param(signature(tensor("float64", -1, 0)), "shape", id="rows of nothing"),
        pytest.param(signature(tensor("float64", -1, 10**9)), "up to 100000", id="endless rows"),
        pytest.param(signature(tensor("datetime64[ns]", -1)), "datetime64", id="dates"),
        pytest.param(signature(tensor("complex128", -1)), "complex", id="complex numbers"),
        pytest.param(signature(tensor("nothing", -1)), "'nothing'", id="a type that is none"),
        pytest.param(signature(tensor(None, -1)), "'None'", id="no type"),
        pytest.param(signature({"tensor-spec": 7}), "holds 'None'", id="no tensor"),
        pytest.param(
            signature({"name": "x", **tensor("float64", -1, 2)}),
            "tensors with names",
            id="a tensor with a name",
        ),
        pytest.param(
            signature(tensor("float64", -1), tensor("float64", -1)), "with names", id="two tensors"
        ),
        pytest.param(signature(DOUBLE, {"type": "long"}), "some have none", id="half the names"),
        pytest.param(signature({"name": "t", "type": "datetime"}), "'datetime'", id="a date"),
        pytest.param(signature(DOUBLE, DOUBLE), "twice", id="a name twice"),
    ],
)
def test_an_unusable_signature_is_refused_with_a_reason(document: object, complaint: str) -> None:
    with pytest.raises(ModelError, match=complaint):
        parse_signature(document)


def test_the_model_folder_is_described() -> None:
    read = parse_mlmodel(
        mlmodel(saved_input_example_info={"type": "dataframe", "artifact_path": "example.json"})
    )
    assert (read.model_file, read.predict_method, read.run_id) == ("model.skops", "predict", "r1")
    assert read.example_file == "example.json"


def of_format(serialization_format: str | None) -> MLmodel:
    flavors = {"sklearn": {"serialization_format": serialization_format}}
    return parse_mlmodel(mlmodel(flavors=flavors))


@pytest.mark.parametrize("serialization_format", ["pickle", "cloudpickle"])
def test_formats_that_run_code_are_for_registries_that_are_trusted(
    serialization_format: str,
) -> None:
    with pytest.raises(ModelError, match=r"runs code .*trustPickle: true"):
        check_format(of_format(serialization_format), trusts_pickle=False)
    check_format(of_format(serialization_format), trusts_pickle=True)


@pytest.mark.parametrize("trusts_pickle", [True, False])
@pytest.mark.parametrize("serialization_format", [None, "joblib"])
def test_other_formats_are_refused_by_anybody(
    serialization_format: str | None, *, trusts_pickle: bool
) -> None:
    with pytest.raises(ModelError, match="not known"):
        check_format(of_format(serialization_format), trusts_pickle=trusts_pickle)


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        pytest.param("text", "no flavors", id="not a mapping"),
        pytest.param(mlmodel(flavors={"xgboost": {}}), "flavors: xgboost", id="another library"),
        pytest.param(
            mlmodel(
                flavors={
                    "sklearn": {"serialization_format": "skops"},
                    "python_function": {"predict_fn": "__class__"},
                }
            ),
            "asks for the method",
            id="a method that is none",
        ),
    ],
)
def test_a_folder_that_is_not_served_says_why(document: object, complaint: str) -> None:
    with pytest.raises(ModelError, match=complaint):
        parse_mlmodel(document)
