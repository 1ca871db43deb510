"""What the models of the resource are made of: their shared settings and their odd types."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel

from regisseur_operator.api.duration import parse_duration
from regisseur_operator.api.quantity import parse_quantity
from regisseur_operator.api.rules import (
    AT_MOST_ALL_RULE,
    DURATION_MESSAGE,
    DURATION_RULE,
    INT_OR_PERCENT_MESSAGE,
    INT_OR_PERCENT_RULE,
    OBJECT_NAME_RULE,
    OPTIONAL_OBJECT_NAME_RULE,
    QUANTITY_MESSAGE,
    QUANTITY_RULE,
    VERSION_MESSAGE,
    VERSION_RULE,
    cel,
)

INT_OR_STRING: Final = "x-kubernetes-int-or-string"

_ALL: Final = 100
_PERCENT: Final = re.compile(r"(0|[1-9][0-9]{0,2})%", re.ASCII)
_OBJECT_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?", re.ASCII)
_WHOLE_NUMBER: Final = re.compile(r"[1-9][0-9]{0,9}", re.ASCII)


class SpecModel(BaseModel):
    """A part of what people write: unknown fields are refused, nothing is silently ignored."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, frozen=True, extra="forbid"
    )

    def to_manifest(self) -> dict[str, Any]:
        """Plain JSON as Kubernetes' own objects have it, without what was left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class StatusModel(BaseModel):
    """A part of what the operator writes: a field of a newer operator is passed over."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore"
    )


def _parse_version(value: object) -> object:
    """YAML reads `version: 3` as a number and `version: "3"` as text; both mean version 3."""
    if isinstance(value, str):
        if not _WHOLE_NUMBER.fullmatch(value):
            raise ValueError(VERSION_MESSAGE)
        return int(value)
    return value


def _check_int_or_percent(value: int | str) -> int | str:
    if isinstance(value, int):
        if value < 0:
            raise ValueError(INT_OR_PERCENT_MESSAGE)
    elif not _PERCENT.fullmatch(value):
        raise ValueError(INT_OR_PERCENT_MESSAGE)
    return value


def _check_at_most_all(value: int | str) -> int | str:
    if isinstance(value, str) and int(value.removesuffix("%")) > _ALL:
        raise ValueError(AT_MOST_ALL_RULE[1])
    return value


def _check_quantity(value: object) -> object:
    """YAML reads `cpu: 1` as a number and `cpu: 500m` as text; both are quantities."""
    text = str(value) if isinstance(value, int) else value
    try:
        if isinstance(text, str):
            parse_quantity(text)
            return text
    except ValueError:
        pass
    raise ValueError(QUANTITY_MESSAGE)


VersionNumber = Annotated[
    int,
    BeforeValidator(_parse_version),
    Field(ge=1),
    WithJsonSchema({INT_OR_STRING: True, **cel(VERSION_RULE)}),
]
"""A model version; the registry's own numbers, so a string is taken as well."""

IntOrPercent = Annotated[
    int | str,
    AfterValidator(_check_int_or_percent),
    WithJsonSchema({INT_OR_STRING: True, **cel(INT_OR_PERCENT_RULE)}),
]
"""A number of pods or a share of them, as a Deployment's strategy has it."""

IntOrShare = Annotated[
    int | str,
    AfterValidator(_check_int_or_percent),
    AfterValidator(_check_at_most_all),
    WithJsonSchema({INT_OR_STRING: True, **cel(INT_OR_PERCENT_RULE, AT_MOST_ALL_RULE)}),
]
"""The same, where more than all of them cannot be meant."""

Quantity = Annotated[
    str,
    BeforeValidator(_check_quantity),
    WithJsonSchema({INT_OR_STRING: True, **cel(QUANTITY_RULE)}),
]
"""An amount of a resource in Kubernetes' notation, kept as it was written."""


def _check_duration(text: str) -> str:
    try:
        parse_duration(text)
    except ValueError:
        raise ValueError(DURATION_MESSAGE) from None
    return text


def _check_object_name(name: str) -> str:
    if name and not _OBJECT_NAME.fullmatch(name):
        raise ValueError(OBJECT_NAME_RULE[1])
    return name


Duration = Annotated[
    str,
    AfterValidator(_check_duration),
    Field(max_length=32, json_schema_extra=cel(DURATION_RULE)),
]
"""A length of time in Go's notation, kept as it was written."""

ObjectName = Annotated[
    str,
    AfterValidator(_check_object_name),
    Field(min_length=1, max_length=253, json_schema_extra=cel(OBJECT_NAME_RULE)),
]
OptionalObjectName = Annotated[
    str,
    AfterValidator(_check_object_name),
    Field(max_length=253, json_schema_extra=cel(OPTIONAL_OBJECT_NAME_RULE)),
]
"""The name of an object of the same namespace, such as a Secret; the second may be empty."""


def _whole_second_utc(value: datetime) -> datetime:
    return value.astimezone(UTC).replace(microsecond=0)


def _write_timestamp(value: datetime) -> str:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ")


Timestamp = Annotated[
    AwareDatetime,
    AfterValidator(_whole_second_utc),
    PlainSerializer(_write_timestamp, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A time as Kubernetes writes it: UTC, whole seconds, so that reading it back gives the same."""

Int32 = Annotated[int, Field(json_schema_extra={"format": "int32"})]
Int64 = Annotated[int, Field(json_schema_extra={"format": "int64"})]
