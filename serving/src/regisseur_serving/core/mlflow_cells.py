"""One value of one column, as clients of MLflow's scoring protocol send it.

They send numbers as text (CSV has nothing else), `true` for 1 and `null` or NaN where a number is
missing, and MLflow's own server takes all of that. Where it changes a number without a word, this
one refuses: MLflow cuts 1.5 to 1 in a `long` column, wraps numbers that do not fit, and takes
"false" for true.
"""

import math
import re
from collections.abc import Callable
from typing import Final

from regisseur_serving.core.cells import CellError, check_cell
from regisseur_serving.core.signature import Column, ColumnType

_INTEGER: Final = re.compile(r"\s*[+-]?[0-9]{1,30}\s*", re.ASCII)
_LONGEST_NUMBER: Final = 400
"""Characters of a number in text: more digits than any float has say nothing."""
_FLAGS: Final = {"true": True, "false": False, "1": True, "0": False}


def take_cell(column: Column, value: object) -> object:
    """Return the value as the model takes it; None stands for a missing optional value.

    Raises:
        CellError: It does not fit the column. Never says what the value was.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return _take_nothing(column)
    return _CONVERSIONS[column.type](column, value)


def _take_nothing(column: Column) -> object:
    """Take a missing value: numbers have one of their own, and text may be anything."""
    if not column.is_required or column.type in {ColumnType.STRING, ColumnType.ANY}:
        return None
    if column.type in {ColumnType.FLOAT, ColumnType.DOUBLE}:
        return math.nan
    raise CellError("none_not_allowed", "Input should not be null")


def _take_integral(column: Column, value: object) -> object:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str):
        if not _INTEGER.fullmatch(value):
            raise CellError("int_parsing", "Input should be a valid integer")
        value = int(value)
    return check_cell(column, value)


def _take_number(column: Column, value: object) -> object:
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, str):
        value = _parse_number(value)
        if math.isnan(value):
            return _take_nothing(column)
    return check_cell(column, value)


def _parse_number(text: str) -> float:
    try:
        # Python alone takes underscores between digits.
        return float(text) if len(text) <= _LONGEST_NUMBER and "_" not in text else math.inf
    except ValueError:
        raise CellError("float_parsing", "Input should be a valid number") from None


def _take_boolean(column: Column, value: object) -> object:
    text = str(value).strip().lower() if isinstance(value, str | int | float) else ""
    return check_cell(column, _FLAGS.get(text, value))


def _take_string(column: Column, value: object) -> object:
    is_plain = isinstance(value, int | float) and not isinstance(value, bool)
    return check_cell(column, str(value) if is_plain else value)


_CONVERSIONS: Final[dict[ColumnType, Callable[[Column, object], object]]] = {
    ColumnType.BOOLEAN: _take_boolean,
    ColumnType.INTEGER: _take_integral,
    ColumnType.LONG: _take_integral,
    ColumnType.FLOAT: _take_number,
    ColumnType.DOUBLE: _take_number,
    ColumnType.STRING: _take_string,
    ColumnType.ANY: check_cell,
}
