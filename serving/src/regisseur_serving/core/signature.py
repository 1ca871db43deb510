"""What a model takes, as MLflow wrote it down: columns with names, or rows of values without.

A tensor of rows and a list of columns without names are the same to a request: values in their
order. Such columns are called by their number, `0` and so on.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from regisseur_serving.errors import ModelError


class ColumnType(StrEnum):
    """The MLflow column types that can be served."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    LONG = "long"
    FLOAT = "float"
    DOUBLE = "double"
    STRING = "string"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Column:
    """One input of the model."""

    name: str
    type: ColumnType
    is_required: bool = True


@dataclass(frozen=True)
class Signature:
    """All inputs of the model, in its order.

    Attributes:
        has_names: Whether requests call columns by name; else rows are lists of values.
        is_declared: Whether MLmodel says so; else it is what the estimator remembers.
    """

    columns: tuple[Column, ...]
    has_names: bool = True
    is_declared: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """The column names in the model's order."""
        return tuple(column.name for column in self.columns)

    @property
    def types(self) -> frozenset[ColumnType]:
        """The types that occur."""
        return frozenset(column.type for column in self.columns)

    @property
    def is_numeric(self) -> bool:
        """Tell whether an array of numbers holds every column."""
        return self.types.isdisjoint({ColumnType.STRING, ColumnType.ANY})

    @property
    def takes_rows(self) -> bool:
        """Whether a row may be a list of values; names that were declared are to be used."""
        return not (self.has_names and self.is_declared)

    @property
    def optional_names(self) -> tuple[str, ...]:
        """The columns that a request may leave out.

        Beside one of them a request may hold no column that the model has not: a misspelt one
        would else be a missing one, and silently so. Without any, such columns are ignored.
        """
        return tuple(column.name for column in self.columns if not column.is_required)


UNDECLARED: Final = Signature((), is_declared=False)
"""Of a model that was logged without one, as long as nobody has asked its estimator."""


def recall_signature(names: Sequence[str] | None, width: int | None) -> Signature:
    """Return what an estimator remembers of its inputs, for a model without a signature.

    Args:
        names: The columns that it was fitted with, if it was fitted with a DataFrame.
        width: How many they were; what counts no columns takes texts, one a row.
    """
    if names is not None:
        columns = tuple(Column(name, ColumnType.ANY) for name in names)
        return Signature(columns, is_declared=False)
    kind = ColumnType.STRING if width is None else ColumnType.ANY
    return Signature(_number_columns([kind] * (width or 1)), has_names=False, is_declared=False)


def parse_signature(document: object) -> Signature:
    """Read the `signature` of an MLmodel file; `UNDECLARED` where it says nothing of inputs.

    Raises:
        ModelError: It has inputs that cannot be served.
    """
    text = document.get("inputs") if isinstance(document, Mapping) else None
    if text is None:
        return UNDECLARED
    try:
        inputs = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        inputs = None
    if not isinstance(inputs, list) or not inputs or not all(map(_is_object, inputs)):
        raise ModelError("the signature in MLmodel is not a list of inputs; log the model again")
    if any("tensor-spec" in item for item in inputs):
        return Signature(_parse_tensor(inputs), has_names=False)
    columns = tuple(_parse_column(number, item) for number, item in enumerate(inputs))
    names = [item.get("name") for item in inputs]
    if all(name is None for name in names) or names == list(range(len(names))):
        return Signature(columns, has_names=False)
    if None in names:
        raise ModelError(
            "some inputs in the model's signature have names and some have none; log it with a "
            "pandas DataFrame as input_example"
        )
    if len({column.name for column in columns}) != len(columns):
        raise ModelError("the signature in MLmodel names a column twice")
    return Signature(columns)


def _is_object(item: object) -> bool:
    return isinstance(item, dict)


# ---- columns ---------------------------------------------------------------------------------


def _parse_column(number: int, item: Mapping[str, object]) -> Column:
    name = str(item.get("name", number))
    try:
        kind = ColumnType(str(item.get("type")))
    except ValueError:
        supported = ", ".join(ColumnType)
        raise ModelError(
            f"column {name[:80]!r} of the signature has type {str(item.get('type'))[:40]!r}; "
            f"served are {supported}"
        ) from None
    is_optional = item.get("required") is False or item.get("optional") is True
    return Column(name, kind, is_required=not is_optional)


def _number_columns(types: Iterable[ColumnType]) -> tuple[Column, ...]:
    return tuple(Column(str(number), kind) for number, kind in enumerate(types))


# ---- tensors ---------------------------------------------------------------------------------

_MOST_COLUMNS: Final = 100_000


def _parse_tensor(inputs: Sequence[Mapping[str, object]]) -> tuple[Column, ...]:
    if len(inputs) > 1 or inputs[0].get("name") is not None:
        raise ModelError(
            "the model's signature has tensors with names, which are not served; log it with one "
            "array, or with a pandas DataFrame, as input_example"
        )
    spec = inputs[0]["tensor-spec"]
    spec = spec if isinstance(spec, Mapping) else {}
    kind = _name_type(spec.get("dtype"))
    return _number_columns([kind] * _read_width(spec.get("shape")))


def _read_width(shape: object) -> int:
    """Return how many values a row has: a tensor of one dimension has one."""
    if isinstance(shape, list):
        match shape:
            case [_]:
                return 1
            case [_, int(width)] if 0 < width <= _MOST_COLUMNS:
                return width
    raise ModelError(
        f"the tensor of the signature has the shape {str(shape)[:80]}; served are rows of values,"
        f" (-1, n) with n up to {_MOST_COLUMNS}"
    )


def _name_type(dtype: object) -> ColumnType:
    """Return the narrowest type that holds all that a NumPy type does."""
    try:
        found = np.dtype(dtype) if isinstance(dtype, str) else np.dtype("V")
    except TypeError:
        found = np.dtype("V")
    if found.kind in _OTHER_KINDS:
        return _OTHER_KINDS[found.kind]
    for kind, narrow in _NUMBERS.items():
        if found.kind in "biuf" and np.can_cast(found, narrow):
            return kind
    raise ModelError(
        f"the tensor of the signature holds {str(dtype)[:40]!r}; served are numbers, truth values"
        " and text"
    )


_OTHER_KINDS: Final = {"U": ColumnType.STRING, "O": ColumnType.ANY}
_NUMBERS: Final = {
    ColumnType.BOOLEAN: np.bool_,
    ColumnType.INTEGER: np.int32,
    ColumnType.LONG: np.int64,
    ColumnType.FLOAT: np.float32,
    ColumnType.DOUBLE: np.float64,
}
