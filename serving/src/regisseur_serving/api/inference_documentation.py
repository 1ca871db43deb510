"""OpenAPI of the routes below `/v2`, with the name and the example of the model that is loaded."""

from typing import Any, Final

from regisseur_contract.http import ROUTE_V2
from regisseur_serving.api.documentation import REFUSALS
from regisseur_serving.api.lifecycle import Served
from regisseur_serving.core.tensors import BYTES, DTYPES, FLOATS, MOST_DIMENSIONS

Json = dict[str, Any]

_JSON: Final = "application/json"
_BINARY: Final = "application/octet-stream"
_MODEL: Final = f"{ROUTE_V2}/models/{{model}}"
_TAG: Final = "Open Inference Protocol"

_TEXT: Final[Json] = {"type": "string"}
_FLAG: Final[Json] = {"type": "boolean"}
_NUMBERS: Final[Json] = {"type": "array", "items": {"type": "integer"}}
_DATATYPE: Final[Json] = {"enum": [*DTYPES, BYTES]}
_BINARY_TEXT: Final = (
    "The same with binary tensors: the JSON, then the bytes of the tensors; the header"
    " Inference-Header-Content-Length tells the length of the JSON."
)
_UNREADY: Final = "Not yet, or not any more."
_LOADING: Final = "The model is being loaded."
_UNKNOWN: Final = "This server has another model or version."


def describe_inference(served: Served | None) -> Json:
    """Return the OpenAPI paths of the Open Inference Protocol."""
    paths: Json = {
        ROUTE_V2: _get("server", "Which server is this?", _SERVER),
        f"{ROUTE_V2}/health/live": _get("live", "Is the process alive?", _HEALTH),
        f"{ROUTE_V2}/health/ready": _get(
            "ready",
            "Should this server get requests?",
            _HEALTH,
            **{"503": _answer(_UNREADY, _HEALTH)},
        ),
        f"{ROUTE_V2}/repository/index": {
            "post": _operation("index", "Which models are there?", _INDEX)
        },
    }
    for path, suffix in ((_MODEL, ""), (f"{_MODEL}/versions/{{version}}", "_of_version")):
        parameters = _parameters(served, has_version=bool(suffix))
        for rest, item in _describe_model(served, suffix).items():
            paths[f"{path}{rest}"] = {"parameters": parameters, **item}
    return paths


def _describe_model(served: Served | None, suffix: str) -> Json:
    refused = {"404": _refusal(_UNKNOWN), "503": _refusal(_LOADING)}
    readiness = {"404": refused["404"], "503": {"description": _UNREADY}}
    refusals = {
        status: _refusal(text) for status, text in REFUSALS.items() if status not in _NOT_HERE
    }
    infer = _operation(f"infer{suffix}", "Predict rows of tensors", _ANSWER, **refused, **refusals)
    infer["requestBody"] = {
        "required": True,
        "description": _BINARY_TEXT.replace("The same", "JSON, or the same"),
        "content": {_JSON: _request(served)},
    }
    infer["responses"]["200"]["content"][_BINARY] = {
        "schema": {"type": "string", "format": "binary", "description": _BINARY_TEXT}
    }
    return {
        "": _get(f"model{suffix}", "What are its inputs and outputs?", _METADATA, **refused),
        "/ready": _get(f"model_ready{suffix}", "Is the model ready?", _READINESS, **readiness),
        "/infer": {"post": infer},
    }


_NOT_HERE: Final = {"422"}
"""Whatever is wrong with the contents is 400 in this protocol."""


def _parameters(served: Served | None, *, has_version: bool) -> list[Json]:
    """Describe what is in the path: there is one model in one version."""
    values = {"model": served.name if served else None}
    if has_version:
        values["version"] = served.version if served else None
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": _TEXT if value is None else {**_TEXT, "enum": [value]},
        }
        for name, value in values.items()
    ]


def _request(served: Served | None) -> Json:
    content: Json = {"schema": _REQUEST}
    if served is not None and served.loaded.example:
        content["example"] = {"inputs": _build_example(served)}
    return content


def _build_example(served: Served) -> list[Json]:
    """Return the model's example, a tensor a column, or one for all without names.

    A missing value is one in floats only.
    """
    example = served.loaded.example
    inputs = served.loaded.inference.describe_inputs()
    if not served.loaded.mlmodel.signature.has_names:
        values = [value for row in example for value in row]
        return [{**inputs[0], "shape": [len(example), len(example[0])], "data": values}]
    tensors = []
    for described in inputs:
        values = [record.get(described["name"]) for record in example]
        if None not in values or described["datatype"] in FLOATS:
            tensors.append({**described, "shape": [len(values)], "data": values})
    return tensors


# ---- operations --------------------------------------------------------------------------------


def _get(name: str, summary: str, schema: Json, **others: Json) -> Json:
    return {"get": _operation(name, summary, schema, **others)}


def _operation(name: str, summary: str, schema: Json, **others: Json) -> Json:
    return {
        "summary": summary,
        "operationId": f"v2_{name}",
        "tags": [_TAG],
        "responses": {"200": _answer("The answer.", schema), **others},
    }


def _answer(description: str, schema: Json) -> Json:
    return {"description": description, "content": {_JSON: {"schema": schema}}}


def _refusal(description: str) -> Json:
    return _answer(description, _object(error=_TEXT))


# ---- schemas -----------------------------------------------------------------------------------


def _object(**properties: Json) -> Json:
    """Describe an object that has all of some properties, and perhaps more."""
    return {"type": "object", "required": list(properties), "properties": properties}


def _list(items: Json, *, at_least: int = 0) -> Json:
    return {"type": "array", "items": items, "minItems": at_least}


def _with_parameters(schema: Json, **parameters: Json) -> Json:
    """Add an optional object of parameters; clients may put more of their own into it."""
    described = {"type": ["object", "null"], "properties": parameters}
    return {**schema, "properties": {**schema["properties"], "parameters": described}}


_SHAPE: Final[Json] = {
    **_list({"type": "integer", "minimum": 0}, at_least=1),
    "maxItems": MOST_DIMENSIONS,
}
_TENSOR: Final = _object(name=_TEXT, datatype=_DATATYPE, shape=_SHAPE, data={"type": "array"})
_OUTPUT: Final = _object(name=_TEXT, datatype=_DATATYPE, shape=_NUMBERS)
_DESCRIBED: Final = _list(_OUTPUT)

_SERVER: Final = _object(name=_TEXT, version=_TEXT, extensions=_list(_TEXT))
_HEALTH: Final = _object(live=_FLAG, ready=_FLAG)
_READINESS: Final = _object(name=_TEXT, ready=_FLAG)
_INDEX: Final = _list(_object(name=_TEXT, version=_TEXT, state=_TEXT, reason=_TEXT))
_METADATA: Final = _object(
    name=_TEXT, versions=_list(_TEXT), platform=_TEXT, inputs=_DESCRIBED, outputs=_DESCRIBED
)
_ANSWER: Final = _object(model_name=_TEXT, model_version=_TEXT, outputs=_list(_OUTPUT, at_least=1))


def _describe_request() -> Json:
    wanted = _with_parameters(_object(name={**_TEXT, "examples": ["predict"]}), binary_data=_FLAG)
    request = _object(inputs=_list(_TENSOR, at_least=1))
    request["properties"] |= {
        "id": {"type": ["string", "null"]},
        "outputs": {**_list(wanted, at_least=1), "type": ["array", "null"]},
    }
    return _with_parameters(request, binary_data_output=_FLAG)


_REQUEST: Final = _describe_request()
