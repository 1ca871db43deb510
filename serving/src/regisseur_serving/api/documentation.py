"""OpenAPI of `/predict`, written from the signature of the model that is loaded."""

from collections.abc import Mapping, Sequence
from typing import Any

from regisseur_contract.http import ROUTE_PREDICT
from regisseur_serving.api.lifecycle import Served
from regisseur_serving.api.predict import WITH_PROBABILITIES
from regisseur_serving.core.signature import Column, ColumnType, Signature
from regisseur_serving.core.tables import COLUMNS, RECORDS, ROWS

Json = dict[str, Any]

_TYPES: Mapping[ColumnType, str | list[str]] = {
    ColumnType.BOOLEAN: "boolean",
    ColumnType.INTEGER: "integer",
    ColumnType.LONG: "integer",
    ColumnType.FLOAT: "number",
    ColumnType.DOUBLE: "number",
    ColumnType.STRING: "string",
    ColumnType.ANY: ["number", "boolean", "string", "null"],
}
_IN_ORDER = "Rows as lists of values, in the model's order"
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
    content: Json = {"schema": _request_schema(served.loaded.mlmodel.signature)}
    if served.loaded.example:
        content["example"] = served.loaded.example_request
    return content


def _request_schema(signature: Signature) -> Json:
    forms = _named_forms(signature.columns) if signature.has_names else []
    return {"oneOf": [*forms, _rows_form(signature.columns)] if signature.takes_rows else forms}


def _named_forms(columns: Sequence[Column]) -> list[Json]:
    values = {column.name: _value_schema(column) for column in columns}
    required = [column.name for column in columns if column.is_required]
    strict: Json = {"description": _LENIENT}
    if len(required) < len(columns):
        strict = {"description": _STRICT, "additionalProperties": False}
    record = {"type": "object", "properties": values, "required": required, **strict}
    lists = {name: {"type": "array", "items": schema} for name, schema in values.items()}
    table = {"type": "object", "properties": lists, "required": required, **strict}
    return [
        _form("Rows as objects", RECORDS, {"type": "array", "minItems": 1, "items": record}),
        _form("Columns as lists of one length", COLUMNS, table),
    ]


def _rows_form(columns: Sequence[Column]) -> Json:
    values = [_value_schema(column) for column in columns]
    row: Json = {"type": "array", "minItems": len(values), "maxItems": len(values)}
    # A tensor may have thousands of columns, all of one type.
    row |= (
        {"items": values[0]} if values.count(values[0]) == len(values) else {"prefixItems": values}
    )
    items = {"anyOf": [row, values[0]]} if len(values) == 1 else row
    return _form(_IN_ORDER, ROWS, {"type": "array", "minItems": 1, "items": items})


def _form(title: str, field: str, schema: Json) -> Json:
    return {
        "title": title,
        "type": "object",
        "required": [field],
        "additionalProperties": False,
        "properties": {field: schema, WITH_PROBABILITIES: {"type": "boolean", "default": False}},
    }


def _value_schema(column: Column) -> Json:
    kind = _TYPES[column.type]
    if isinstance(kind, list):
        return {"type": kind}
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
