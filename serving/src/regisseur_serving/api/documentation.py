"""OpenAPI of `/predict`, written from the signature of the model that is loaded."""

from typing import Any

from regisseur_contract.http import ROUTE_PREDICT
from regisseur_serving.api.lifecycle import Served
from regisseur_serving.api.predict import WITH_PROBABILITIES
from regisseur_serving.core.signature import Column, ColumnType
from regisseur_serving.core.tables import COLUMNS, RECORDS

Json = dict[str, Any]

_TYPES = {
    ColumnType.BOOLEAN: "boolean",
    ColumnType.INTEGER: "integer",
    ColumnType.LONG: "integer",
    ColumnType.FLOAT: "number",
    ColumnType.DOUBLE: "number",
    ColumnType.STRING: "string",
}
_LENIENT = "Columns that the model does not know are ignored."
_STRICT = (
    "Columns that the model does not know are refused, as the model has optional columns: a "
    "misspelt one would silently be null."
)
REFUSALS = {
    "400": "The body is not JSON.",
    "408": "The body did not arrive in time.",
    "413": "The body is too large, or has too many rows.",
    "415": "The body is not sent as JSON.",
    "422": "The values do not fit the model; names rows and fields.",
    "429": "The server has as many requests as it can hold.",
    "504": "The request waited for too long.",
}


def describe_predict(served: Served | None) -> Json:
    """Return the OpenAPI paths of `/predict`."""
    later = {"type": "object", "required": ["detail"], "properties": {"detail": {"type": "string"}}}
    responses: Json = {
        "200": {
            "description": "One prediction a row.",
            "content": {"application/json": {"schema": _answer_schema()}},
        },
        "503": {
            "description": "The model is being loaded.",
            "content": {"application/json": {"schema": later}},
        },
    }
    for status, description in REFUSALS.items():
        responses[status] = {
            "description": description,
            "content": {"application/json": {"schema": _refusal_schema()}},
        }
    operation = {
        "summary": "Predict rows",
        "operationId": "predict",
        "requestBody": {"required": True, "content": {"application/json": _request(served)}},
        "responses": responses,
    }
    return {ROUTE_PREDICT: {"post": operation}}


def _request(served: Served | None) -> Json:
    if served is None:
        return {"schema": {"type": "object"}}
    content: Json = {"schema": _request_schema(served.loaded.mlmodel.signature.columns)}
    if served.loaded.example:
        content["example"] = {RECORDS: served.loaded.example}
    return content


def _request_schema(columns: tuple[Column, ...]) -> Json:
    values = {column.name: _value_schema(column) for column in columns}
    required = [column.name for column in columns if column.is_required]
    strict: Json = {"description": _LENIENT}
    if len(required) < len(columns):
        strict = {"description": _STRICT, "additionalProperties": False}
    record = {"type": "object", "properties": values, "required": required, **strict}
    lists = {name: {"type": "array", "items": schema} for name, schema in values.items()}
    flag = {WITH_PROBABILITIES: {"type": "boolean", "default": False}}
    return {
        "oneOf": [
            {
                "title": "Rows as objects",
                "type": "object",
                "required": [RECORDS],
                "additionalProperties": False,
                "properties": {
                    RECORDS: {"type": "array", "minItems": 1, "items": record},
                    **flag,
                },
            },
            {
                "title": "Columns as lists of one length",
                "type": "object",
                "required": [COLUMNS],
                "additionalProperties": False,
                "properties": {
                    COLUMNS: {
                        "type": "object",
                        "properties": lists,
                        "required": required,
                        **strict,
                    },
                    **flag,
                },
            },
        ]
    }


def _value_schema(column: Column) -> Json:
    kind = _TYPES[column.type]
    return {"type": kind if column.is_required else [kind, "null"]}


def _answer_schema() -> Json:
    text = {"type": "string"}
    return {
        "type": "object",
        "required": ["predictions", "model"],
        "properties": {
            "predictions": {"type": "array", "items": {}},
            WITH_PROBABILITIES: {
                "type": "array",
                "items": {"type": "array", "items": {"type": "number"}},
            },
            "classes": {"type": "array", "items": {}},
            "model": {
                "type": "object",
                "required": ["name", "version", "run_id"],
                "properties": {"name": text, "version": text, "run_id": text},
            },
        },
    }


def _refusal_schema() -> Json:
    place = {"anyOf": [{"type": "string"}, {"type": "integer"}]}
    problem = {
        "type": "object",
        "required": ["loc", "msg", "type"],
        "properties": {
            "loc": {"type": "array", "items": place},
            "msg": {"type": "string"},
            "type": {"type": "string"},
        },
    }
    return {"type": "object", "properties": {"detail": {"type": "array", "items": problem}}}
