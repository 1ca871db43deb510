"""Turn the JSON schema that pydantic writes into a structural schema that Kubernetes takes.

The API server refuses references, unions, null types and a few keywords. What has a structural
form is translated; what has none is refused here, with the place, instead of being dropped.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from pydantic import BaseModel

from regisseur_operator.api.fields import INT_OR_STRING
from regisseur_operator.api.rules import VALIDATIONS

Schema = dict[str, Any]

_KEPT: Final = frozenset(
    {
        "type",
        "format",
        "description",
        "default",
        "enum",
        "required",
        "pattern",
        "minimum",
        "maximum",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "minProperties",
        "maxProperties",
    }
)
_DROPPED: Final = frozenset(
    {
        "$defs",
        "title",  # noise
        "propertyNames",  # Kubernetes has no schema of keys; the operator's own reading has
    }
)
_EXTENSION: Final = "x-kubernetes-"


class UnstructuralError(ValueError):
    """A model says something that a structural schema cannot."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path or '<root>'}: {problem}")


@dataclass(frozen=True)
class _Place:
    """Where in the schema the translation is."""

    definitions: Mapping[str, Any]
    with_defaults: bool
    path: str = ""
    inside: tuple[str, ...] = ()

    def at(self, path: str) -> Self:
        """One step down."""
        return replace(self, path=f"{self.path}{path}".lstrip("."))

    def within(self, definition: str) -> Self:
        """The same place, inside a definition."""
        if definition in self.inside:
            raise UnstructuralError(self.path, f"{definition} contains itself")
        return replace(self, inside=(*self.inside, definition))


def build_schema(model: type[BaseModel], *, with_defaults: bool = True) -> Schema:
    """Build the structural schema of a model, as its aliases spell it.

    Args:
        model: What to describe.
        with_defaults: Whether the server is to fill in what was left out; not in a status, which
            the operator writes whole.

    Raises:
        UnstructuralError: A field has no structural form.
    """
    document = model.model_json_schema(by_alias=True, mode="validation")
    return _translate(document, _Place(document.get("$defs", {}), with_defaults))


def _translate(node: Mapping[str, Any], place: _Place) -> Schema:
    flat, inner = _inline(*_without_null(*_inline(node, place)))
    if "properties" in flat and flat.get("default", ...) is None:
        inner = replace(inner, with_defaults=False)
    out: Schema = {}
    for keyword, value in flat.items():
        if keyword in _KEPT or keyword.startswith(_EXTENSION):
            out[keyword] = value
        elif keyword not in _DROPPED:
            out |= _translate_keyword(keyword, value, flat, inner)
    if not place.with_defaults or out.get("default", ...) is None:
        out.pop("default", None)
    if "type" not in out and INT_OR_STRING not in out:
        raise UnstructuralError(place.path, "has no single type")
    return {keyword: out[keyword] for keyword in sorted(out, key=_reading_order)}


def _translate_keyword(
    keyword: str,
    value: Any,  # noqa: ANN401  # a JSON schema's keyword has any JSON value
    node: Schema,
    place: _Place,
) -> Schema:
    match keyword, value:
        case "properties", _:
            required = node.get("required", [])
            return {
                keyword: {
                    name: _property(value[name], place.at(f".{name}"), required=name in required)
                    for name in value
                }
            }
        case "items", _:
            return {keyword: _translate(value, place.at("[]"))}
        case "additionalProperties", Mapping():
            return {keyword: _translate(value, place.at(".*"))}
        case "additionalProperties", False:
            return {}  # the server prunes unknown fields, kubectl's strict validation refuses them
        case "exclusiveMinimum" | "exclusiveMaximum", _:
            return {keyword.replace("exclusiveM", "m"): value, keyword: True}
        case "const", _:
            return {"enum": [value]}
        case _:
            raise UnstructuralError(place.path, f"{keyword} has no structural form")


def _property(node: Mapping[str, Any], place: _Place, *, required: bool) -> Schema:
    """Translate a property, and give an object that can be left out the default `{}`.

    The server fills in defaults of nested fields only where the parent is present; pydantic
    fills them in always. An object that may stay absent has the default None, and none inside:
    with server-side apply a default has no owner, so it would outlive the object when whoever
    wrote that takes it away.
    """
    schema = _translate(node, place)
    is_object = "properties" in schema and not schema.get("required")
    if place.with_defaults and is_object and not required and "default" not in node:
        schema = {**schema, "default": {}}
    return {keyword: schema[keyword] for keyword in sorted(schema, key=_reading_order)}


def _reading_order(keyword: str) -> tuple[int, str]:
    """What a person looks for first comes first; the properties come last."""
    first = ("description", "type", "format", "default", "enum", "required")
    last = (VALIDATIONS, "items", "additionalProperties", "properties")
    if keyword in first:
        return first.index(keyword) - len(first), keyword
    return (last.index(keyword) + 1 if keyword in last else 0), keyword


def _inline(node: Mapping[str, Any], place: _Place) -> tuple[Schema, _Place]:
    """Put the definition in the place of a reference; what stands beside the reference wins."""
    if "$ref" not in node:
        return dict(node), place
    name = str(node["$ref"]).removeprefix("#/$defs/")
    beside = {keyword: value for keyword, value in node.items() if keyword != "$ref"}
    return {**place.definitions[name], **beside}, place.within(name)


def _without_null(node: Schema, place: _Place) -> tuple[Schema, _Place]:
    """Read `T | None` as a T that may be absent, and `int | str` as Kubernetes' int-or-string."""
    if "anyOf" not in node:
        return node, place
    beside = {keyword: value for keyword, value in node.items() if keyword != "anyOf"}
    members = [member for member in node["anyOf"] if member.get("type") != "null"]
    if len(members) == 1:
        return {**members[0], **beside}, place
    if sorted(str(member.get("type")) for member in members) == ["integer", "string"]:
        return {INT_OR_STRING: True, **beside}, place
    raise UnstructuralError(place.path, "a union of types has no structural form")
