"""One value of one column: is it what the signature says?

Stricter than MLflow's own server on purpose: MLflow cuts 1.5 to 1 in a `long` column, wraps
numbers that do not fit, and takes "false" for true. Here all of that is an error.
"""

import math
from collections.abc import Callable

import numpy as np

from regisseur_serving.core.signature import Column, ColumnType

_FLOAT32_MAX = 3.4028234663852886e38
RANGES = {
    ColumnType.INTEGER: (-(2**31), 2**31 - 1),
    ColumnType.LONG: (-(2**63), 2**63 - 1),
}


class CellError(ValueError):
    """The value does not fit the column."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


def check_cell(column: Column, value: object) -> object:
    """Return the value as the model takes it; None stands for a missing optional value.

    Raises:
        CellError: It does not fit the column. Never says what the value was.
    """
    if value is None:
        if column.is_required and column.type is not ColumnType.ANY:
            raise CellError("none_not_allowed", "Input should not be null")
        return None
    return _CHECKS[column.type](value, column.type)


def _check_boolean(value: object, _: ColumnType) -> bool:
    if not isinstance(value, bool):
        raise CellError("bool_type", "Input should be a valid boolean")
    return value


def _check_string(value: object, _: ColumnType) -> str:
    if not isinstance(value, str):
        raise CellError("string_type", "Input should be a valid string")
    return value


def _check_integral(value: object, kind: ColumnType) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise CellError("int_type", "Input should be a valid integer")
    if isinstance(value, float):
        if not math.isfinite(value):
            raise CellError("finite_number", "Input should be a finite number")
        if not value.is_integer():
            raise CellError(
                "int_from_float",
                "Input should be a valid integer, got a number with a fractional part",
            )
    low, high = RANGES[kind]
    # A float of 2**63 came from an integer that the JSON parser could not hold.
    if not low <= value <= high:
        raise CellError("out_of_range", f"Input should be between {low} and {high}")
    return int(value)


def _check_number(value: object, kind: ColumnType) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise CellError("float_type", "Input should be a valid number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise CellError("finite_number", "Input should be a finite number")
    if kind is ColumnType.FLOAT and abs(number) > _FLOAT32_MAX:
        raise CellError("out_of_range", "Input should fit into 32 bits")
    return float(np.float32(number)) if kind is ColumnType.FLOAT else number


def _check_any(value: object, kind: ColumnType) -> object:
    """Take what a table of an estimator can hold, as it is."""
    if isinstance(value, bool | str):
        return value
    if not isinstance(value, int | float):
        raise CellError("scalar_type", "Input should be a number, a truth value, text or null")
    number = _check_number(value, kind)
    low, high = RANGES[ColumnType.LONG]
    return value if low <= value <= high else number


_CHECKS: dict[ColumnType, Callable[[object, ColumnType], object]] = {
    ColumnType.BOOLEAN: _check_boolean,
    ColumnType.INTEGER: _check_integral,
    ColumnType.LONG: _check_integral,
    ColumnType.FLOAT: _check_number,
    ColumnType.DOUBLE: _check_number,
    ColumnType.STRING: _check_string,
    ColumnType.ANY: _check_any,
}
