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
_WITH_PROBABILITIES: Json = {WITH_PROBABILITIES: {"type": "boolean", "default": False}}
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
            "content": {"application/json": {"schema": describe_refusal()}},
        }
    operation = {
        "summary": "Predict rows",
        "operationId": "predict",
        "requestBody": {
            "required": True,
            "content": {"application/json": describe_table(served, _WITH_PROBABILITIES)},
        },
        "responses": responses,
    }
    return {ROUTE_PREDICT: {"post": operation}}


def describe_table(served: Served | None, more: Json) -> Json:
    """Return the content of a request that holds rows, and properties beside them."""
    if served is None:
        return {"schema": {"type": "object"}}
    content: Json = {"schema": _request_schema(served.loaded.mlmodel.signature, more)}
    if served.loaded.example:
        content["example"] = served.loaded.example_request
    return content


def _request_schema(signature: Signature, more: Json) -> Json:
    forms = _named_forms(signature.columns, more) if signature.has_names else []
    rows = [_rows_form(signature.columns, more)] if signature.takes_rows else []
    return {"oneOf": [*forms, *rows]}


def _named_forms(columns: Sequence[Column], more: Json) -> list[Json]:
    values = {column.name: _value_schema(column) for column in columns}
    required = [column.name for column in columns if column.is_required]
    strict: Json = {"description": _LENIENT}
    if len(required) < len(columns):
        strict = {"description": _STRICT, "additionalProperties": False}
    record = {"type": "object", "properties": values, "required": required, **strict}
    lists = {name: {"type": "array", "items": schema} for name, schema in values.items()}
    table = {"type": "object", "properties": lists, "required": required, **strict}
    records = {"type": "array", "minItems": 1, "items": record}
    return [
        _form("Rows as objects", {RECORDS: records}, more),
        _form("Columns as lists of one length", {COLUMNS: table}, more),
    ]


def _rows_form(columns: Sequence[Column], more: Json) -> Json:
    values = [_value_schema(column) for column in columns]
    row: Json = {"type": "array", "minItems": len(values), "maxItems": len(values)}
    # A tensor may have thousands of columns, all of one type.
    row |= (
        {"items": values[0]} if values.count(values[0]) == len(values) else {"prefixItems": values}
    )
    items = {"anyOf": [row, values[0]]} if len(values) == 1 else row
    return _form(_IN_ORDER, {ROWS: {"type": "array", "minItems": 1, "items": items}}, more)


def _form(title: str, table: Json, more: Json) -> Json:
    return {
        "title": title,
        "type": "object",
        "required": list(table),
        "additionalProperties": False,
        "properties": table | more,
    }


def _value_schema(column: Column) -> Json:
    kind = _TYPES[column.type]
    if isinstance(kind, list):
        return {"type": kind}
    return {"type": kind if column.is_required else [kind, "null"]}


def _answer_schema() -> Json:
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
            "model": describe_identity(),
        },
    }


def describe_identity() -> Json:
    """Return the schema of what says which model has answered."""
    names = ["name", "version", "run_id"]
    properties = {name: {"type": "string"} for name in names}
    return {"type": "object", "required": names, "properties": properties}


def describe_refusal() -> Json:
    """Return the schema of what is wrong with a request."""
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
