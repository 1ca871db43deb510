"""What the models of the resource are made of: their shared settings and their odd types."""

import re
from datetime import UTC, datetime
from typing import Annotated, Final

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

from regisseur_operator.api.quantity import parse_quantity
from regisseur_operator.api.rules import (
    INT_OR_PERCENT_MESSAGE,
    INT_OR_PERCENT_RULE,
    QUANTITY_MESSAGE,
    QUANTITY_RULE,
    VERSION_MESSAGE,
    VERSION_RULE,
    cel,
)

INT_OR_STRING: Final = "x-kubernetes-int-or-string"

_PERCENT: Final = re.compile(r"(0|[1-9][0-9]{0,2})%", re.ASCII)
_WHOLE_NUMBER: Final = re.compile(r"[1-9][0-9]{0,9}", re.ASCII)


class SpecModel(BaseModel):
    """A part of what people write: unknown fields are refused, nothing is silently ignored."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, frozen=True, extra="forbid"
    )


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

Quantity = Annotated[
    str,
    BeforeValidator(_check_quantity),
    WithJsonSchema({INT_OR_STRING: True, **cel(QUANTITY_RULE)}),
]
"""An amount of a resource in Kubernetes' notation, kept as it was written."""


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
