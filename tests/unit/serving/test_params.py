"""Params of MLflow's scoring protocol are of the type that the model's schema asks for."""

import json
from typing import Any

import pytest

from regisseur_serving.core.invocations import InvocationReader, describe_error
from regisseur_serving.core.params import parse_params
from regisseur_serving.errors import InputError
from support.signatures import build_signature

SCHEMA = [
    {"name": "top", "type": "long", "default": 3, "shape": None},
    {"name": "heat", "type": "double", "default": 0.5, "shape": None},
    {"name": "word", "type": "string", "default": "x", "shape": None},
    {"name": "is_loud", "type": "boolean", "default": True, "shape": None},
    {"name": "words", "type": "string", "default": ["a"], "shape": [-1]},
    {"name": "since", "type": "datetime", "default": "2026-01-01", "shape": None},
]
PARAMS = parse_params(json.dumps(SCHEMA))
READER = InvocationReader(build_signature(a="double"), PARAMS)


def ask(params: object) -> None:
    READER.read_json({"inputs": {"a": [1]}, "params": params})


@pytest.mark.parametrize(
    "params",
    [
        pytest.param(None, id="null"),
        pytest.param({}, id="none"),
        pytest.param({"top": 5, "heat": 1, "word": "y", "is_loud": False}, id="all right"),
        pytest.param({"words": []}, id="an empty list"),
        pytest.param({"top": None, "words": None}, id="null for a value"),
        pytest.param({"other": object, "since": 7}, id="unknown ones"),
    ],
)
def test_right_and_unknown_params_pass(params: object) -> None:
    ask(params)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"top": 5.5}, "param 'top': Input should be a valid integer"),
        ({"top": "5"}, "param 'top': Input should be a valid integer"),
        ({"top": True}, "param 'top': Input should be a valid integer"),
        ({"top": [5]}, "param 'top': Input should be a valid integer"),
        ({"heat": "warm"}, "param 'heat': Input should be a valid number"),
        ({"word": 1}, "param 'word': Input should be a valid string"),
        ({"is_loud": 1}, "param 'is_loud': Input should be a valid boolean"),
        ({"words": "a"}, "param 'words': Input should be a list"),
        ({"words": [1]}, "param 'words': Input should be a valid string"),
    ],
)
def test_wrong_params_are_refused_as_mlflow_does(params: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        ask(params)
    error = describe_error(caught.value.problems, caught.value.status)
    assert caught.value.status == 400
    assert error["error_code"] == "INVALID_PARAMETER_VALUE"
    assert message in error["message"]


@pytest.mark.parametrize("text", [None, "{", "7", "[7]", '[{"name": 7}]', '[{"name": "x"}]', 7])
def test_a_schema_that_cannot_be_read_asks_for_nothing(text: object) -> None:
    assert parse_params(text) == ()
