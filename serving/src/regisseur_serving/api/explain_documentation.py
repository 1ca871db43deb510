"""OpenAPI of `/explain`, written from the signature of the model that is loaded."""

from regisseur_contract.http import ROUTE_EXPLAIN
from regisseur_serving.api.documentation import (
    REFUSALS,
    Json,
    describe_identity,
    describe_refusal,
    describe_table,
)
from regisseur_serving.api.lifecycle import Served
from regisseur_serving.core.explaining import Explained, Method

_REFUSALS = REFUSALS | {
    "422": "The values do not fit the model, or the rows are more than fit the budget.",
    "429": "As many requests wait to be explained as may, or the server is full.",
    "501": "The model cannot be explained, or not by this image; says why.",
    "504": "The explanation, or the wait for it, took too long.",
}
_NUMBERS: Json = {"type": "array", "items": {"type": ["number", "null"]}}


def describe_explain(served: Served | None) -> Json:
    """Return the OpenAPI paths of `/explain`."""
    responses: Json = {
        "200": {
            "description": "The share of every value in what the model answers.",
            "content": {"application/json": {"schema": _answer_schema()}},
        },
        "503": {
            "description": "The model, or what explains it, is being started or has ended.",
            "content": {"application/json": {"schema": _later_schema()}},
        },
    }
    for status, description in _REFUSALS.items():
        responses[status] = {
            "description": description,
            "content": {"application/json": {"schema": describe_refusal()}},
        }
    operation = {
        "summary": "Explain predictions",
        "description": "A base value and the shares of a row's values add up to what is explained.",
        "operationId": "explain",
        "requestBody": {
            "required": True,
            "content": {"application/json": describe_table(served, more={})},
        },
        "responses": responses,
    }
    return {ROUTE_EXPLAIN: {"post": operation}}


def _later_schema() -> Json:
    return {
        "anyOf": [
            {"type": "object", "properties": {"detail": {"type": "string"}}},
            describe_refusal(),
        ]
    }


def _answer_schema() -> Json:
    properties: Json = {
        "method": {
            "enum": list(Method),
            "description": "How the shares are found: exactly for trees and linear models.",
        },
        "explained": {"enum": list(Explained), "description": "What they add up to."},
        "feature_names": {"type": "array", "items": {"type": "string"}},
        "output_names": {"type": "array", "items": {}, "description": "Classes, or outputs."},
        "base_values": _NUMBERS | {"description": "By output: what is answered on average."},
        "values": {
            "description": "Rows by columns by outputs.",
            "type": "array",
            "items": {"type": "array", "items": _NUMBERS},
        },
        "predictions": {"type": "array", "items": {}},
        "model": describe_identity(),
    }
    return {"type": "object", "required": list(properties), "properties": properties}
