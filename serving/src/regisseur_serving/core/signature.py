"""The columns that a model takes, as MLflow wrote them down."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from regisseur_serving.errors import ModelError


class ColumnType(StrEnum):
    """The MLflow column types that can be served."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    LONG = "long"
    FLOAT = "float"
    DOUBLE = "double"
    STRING = "string"


@dataclass(frozen=True, slots=True)
class Column:
    """One named input of the model."""

    name: str
    type: ColumnType
    is_required: bool = True


@dataclass(frozen=True)
class Signature:
    """All inputs of the model, in its order."""

    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The column names in the model's order."""
        return tuple(column.name for column in self.columns)

    @property
    def is_numeric(self) -> bool:
        """Tell whether an array of numbers holds every column."""
        return all(column.type is not ColumnType.STRING for column in self.columns)

    @property
    def optional_names(self) -> tuple[str, ...]:
        """The columns that a request may leave out.

        Beside one of them a request may hold no column that the model has not: a misspelt one
        would else be a missing one, and silently so. Without any, such columns are ignored.
        """
        return tuple(column.name for column in self.columns if not column.is_required)


def parse_signature(document: object) -> Signature:
    """Read the `signature` of an MLmodel file.

    Raises:
        ModelError: There is none, or it has inputs that cannot be served.
    """
    text = document.get("inputs") if isinstance(document, Mapping) else None
    if not isinstance(text, str):
        raise ModelError(
            "the model has no signature; log it with an input_example or a signature, "
            "so that requests can be checked"
        )
    try:
        inputs = json.loads(text)
    except ValueError:
        inputs = None
    if not isinstance(inputs, list) or not inputs:
        raise ModelError("the signature in MLmodel is not a list of inputs; log the model again")
    columns = tuple(_parse_column(item) for item in inputs)
    if len({column.name for column in columns}) != len(columns):
        raise ModelError("the signature in MLmodel names a column twice")
    return Signature(columns)


def _parse_column(item: object) -> Column:
    if not isinstance(item, Mapping) or not isinstance(item.get("name"), str):
        raise ModelError(
            "the inputs in the model's signature have no names; log it with a pandas DataFrame "
            "as input_example instead of an array"
        )
    try:
        kind = ColumnType(str(item.get("type")))
    except ValueError:
        supported = ", ".join(ColumnType)
        raise ModelError(
            f"column {item['name']!r} of the signature has type {str(item.get('type'))[:40]!r}; "
            f"served are {supported}"
        ) from None
    is_optional = item.get("required") is False or item.get("optional") is True
    return Column(name=item["name"], type=kind, is_required=not is_optional)
