import json

import pytest

from regisseur_serving.core.mlmodel import parse_mlmodel
from regisseur_serving.core.signature import Column, ColumnType, parse_signature
from regisseur_serving.errors import ModelError

DOUBLE = {"name": "alcohol", "type": "double", "required": True}


def signature(*columns: object) -> dict[str, str]:
    return {"inputs": json.dumps(columns)}


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


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        pytest.param(None, "has no signature", id="no signature"),
        pytest.param({"inputs": None}, "has no signature", id="outputs only"),
        pytest.param({"inputs": "[]"}, "not a list of inputs", id="no columns"),
        pytest.param({"inputs": "{"}, "not a list of inputs", id="broken JSON"),
        pytest.param(
            signature({"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 2]}}),
            "have no names",
            id="a tensor",
        ),
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


@pytest.mark.parametrize("serialization_format", ["pickle", "cloudpickle", None])
def test_formats_that_run_code_are_refused(serialization_format: str | None) -> None:
    flavors = {"sklearn": {"serialization_format": serialization_format}}
    with pytest.raises(ModelError, match="runs code"):
        parse_mlmodel(mlmodel(flavors=flavors))


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
