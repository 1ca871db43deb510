"""What pydantic says becomes what the API server takes, or is refused with its place."""

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from regisseur_operator.api.fields import IntOrPercent, Quantity, VersionNumber
from regisseur_operator.api.structural import UnstructuralError, build_schema


class Inner(BaseModel):
    """Holds a field with a default."""

    size: int = Field(default=1, description="How big.")


class Demanding(BaseModel):
    """Holds a field without one."""

    must: str


class Outer(BaseModel):
    """Holds one field of each construct."""

    model_config = ConfigDict(extra="forbid")

    text: str
    choice: Literal["a", "b"] = "a"
    only: Literal["x"] = "x"
    maybe: int | None = None
    positive: Annotated[int, Field(gt=0, lt=9)] = 1
    share: IntOrPercent = "25%"
    number: VersionNumber | None = None
    union: int | str = 1
    inner: Inner = Field(default_factory=Inner, description="Inside.")
    absent: Inner | None = Field(default=None, description="Perhaps inside.")
    demanding: Demanding
    many: list[Inner] = Field(default_factory=list, max_length=3)
    amounts: dict[Annotated[str, Field(max_length=9)], Quantity] = Field(default_factory=dict)


OUTER = build_schema(Outer)
PROPERTIES = OUTER["properties"]


def without_rules(schema: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in schema.items() if name != "x-kubernetes-validations"}


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        pytest.param("text", {"type": "string"}, id="titles are left out"),
        pytest.param(
            "choice",
            {"type": "string", "default": "a", "enum": ["a", "b"]},
            id="a choice is an enum",
        ),
        pytest.param(
            "only",
            {"type": "string", "default": "x", "enum": ["x"]},
            id="a constant is an enum of one",
        ),
        pytest.param("maybe", {"type": "integer"}, id="what may be None may be absent"),
        pytest.param(
            "positive",
            {
                "type": "integer",
                "default": 1,
                "minimum": 0,
                "exclusiveMinimum": True,
                "maximum": 9,
                "exclusiveMaximum": True,
            },
            id="an exclusive bound is a bound and a flag",
        ),
        pytest.param(
            "share",
            {"x-kubernetes-int-or-string": True, "default": "25%"},
            id="a number or a percentage is int-or-string",
        ),
        pytest.param(
            "number", {"x-kubernetes-int-or-string": True}, id="a version is int-or-string"
        ),
        pytest.param(
            "union",
            {"x-kubernetes-int-or-string": True, "default": 1},
            id="a number or a text is int-or-string",
        ),
        pytest.param(
            "absent",
            {
                "description": "Perhaps inside.",
                "type": "object",
                "properties": {"size": {"description": "How big.", "type": "integer"}},
            },
            id="an object that may stay absent has no default, and none inside",
        ),
        pytest.param(
            "demanding",
            {
                "description": "Holds a field without one.",
                "type": "object",
                "required": ["must"],
                "properties": {"must": {"type": "string"}},
            },
            id="a required object has no default",
        ),
    ],
)
def test_each_construct_has_its_structural_form(field: str, expected: dict[str, Any]) -> None:
    assert without_rules(PROPERTIES[field]) == expected


def test_a_reference_is_put_in_place_and_what_stands_beside_it_wins() -> None:
    assert PROPERTIES["inner"]["description"] == "Inside."
    assert PROPERTIES["inner"]["properties"]["size"]["description"] == "How big."


def test_an_object_that_can_be_left_out_is_filled_in_by_the_server() -> None:
    assert PROPERTIES["inner"]["default"] == {}


def test_lists_and_maps_describe_their_elements() -> None:
    assert PROPERTIES["many"]["items"]["properties"]["size"]["type"] == "integer"
    assert PROPERTIES["many"]["maxItems"] == 3
    assert PROPERTIES["amounts"]["additionalProperties"]["x-kubernetes-int-or-string"] is True


def test_unknown_fields_are_the_servers_own_business() -> None:
    assert "additionalProperties" not in OUTER
    assert OUTER["required"] == ["text", "demanding"]


def test_a_status_has_no_defaults() -> None:
    schema = build_schema(Outer, with_defaults=False)
    assert "'default'" not in repr(schema)


class Tree(BaseModel):
    """Contains itself."""

    children: list["Tree"]


class Mixed(BaseModel):
    """Holds a union that Kubernetes does not know."""

    value: int | list[int]


class Anything(BaseModel):
    """Holds a field of no type."""

    value: Any


class Tuple(BaseModel):
    """Holds elements of different types."""

    value: tuple[int, str]


class Deep(BaseModel):
    """Holds what cannot be said, one level down."""

    first: Mixed


@pytest.mark.parametrize(
    ("model", "message"),
    [
        pytest.param(Tree, "Tree contains itself", id="a model that contains itself"),
        pytest.param(Mixed, "value: a union of types has no structural form", id="a union"),
        pytest.param(Anything, "value: has no single type", id="a field of any type"),
        pytest.param(Tuple, "value: prefixItems has no structural form", id="a tuple"),
        pytest.param(Deep, "first.value: a union", id="with the path of the field"),
    ],
)
def test_what_cannot_be_said_is_refused(model: type[BaseModel], message: str) -> None:
    with pytest.raises(UnstructuralError, match=message):
        build_schema(model)
