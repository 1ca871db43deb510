"""From the JSON of a request to the table that the model takes.

Good numbers take a short way: one flat list, one look at the types in it, one array. Anything
else goes cell by cell, which also finds out what is wrong and where.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from regisseur_serving.core.cells import RANGES, CellError, check_cell
from regisseur_serving.core.problems import refuse, show_name
from regisseur_serving.core.signature import Column, ColumnType, Signature
from regisseur_serving.errors import InputError, Problem
from regisseur_serving.ports.predictor import Numbers, Table

RECORDS = "records"
COLUMNS = "columns"

_PLAIN_NUMBERS = {int, float}
_MISSING = object()
_NOTHING: Final[Mapping[ColumnType, float]] = dict.fromkeys(
    (ColumnType.INTEGER, ColumnType.LONG, ColumnType.FLOAT, ColumnType.DOUBLE), math.nan
)
"""What a missing number is to a model; a column of None would be one of objects, not of numbers."""


@dataclass(frozen=True)
class _Source:
    """The cells of a request: how to find them and what to call them."""

    field: str
    read: Callable[[str], Iterable[object]]

    def locate(self, row: int, name: str) -> tuple[str | int, ...]:
        if self.field == RECORDS:
            return ("body", RECORDS, row, name)
        return ("body", COLUMNS, name, row)


@dataclass(frozen=True)
class Manner:
    """How exactly a protocol takes what it is sent.

    Attributes:
        check: Says what a value of a column is to the model, or raises a `CellError`.
        ignores_unknown: Whether columns that the model has not are passed over in any case.
        fills_gaps: Whether a record may lack a column that another record has: null is there.
    """

    check: Callable[[Column, object], object]
    ignores_unknown: bool
    fills_gaps: bool


STRICT: Final = Manner(check_cell, ignores_unknown=False, fills_gaps=False)


class TableReader:
    """Reads the bodies of requests for one signature."""

    def __init__(self, signature: Signature, manner: Manner = STRICT) -> None:
        self._manner = manner
        self._columns = signature.columns
        self._names = signature.names
        self._known = frozenset(signature.names)
        self._is_numeric = signature.is_numeric
        self._refuses_unknown = bool(signature.optional_names) and not manner.ignores_unknown
        types = [column.type for column in signature.columns]
        self._has_short_way = self._is_numeric and ColumnType.BOOLEAN not in types
        self._integral = [(i, *RANGES[kind]) for i, kind in enumerate(types) if kind in RANGES]
        self._singles = [i for i, kind in enumerate(types) if kind is ColumnType.FLOAT]

    def read(self, document: object) -> tuple[Table, int]:
        """Return the table and its number of rows.

        Raises:
            InputError: The document is not what the signature asks for; names rows and fields.
        """
        field, content = _choose_content(document)
        if field == RECORDS:
            return self._read_records(content)
        return self._read_columns(content)

    def take_numbers(self, numbers: NDArray[Any]) -> Numbers | None:
        """Return rows of numbers as the model takes them; None when they need a closer look.

        A number that is none passes in a column of floats: it is how a missing one is sent.
        """
        if not self._has_short_way or not len(numbers):
            return None
        rows = np.ascontiguousarray(numbers, dtype=np.float64)
        if np.isinf(rows).any() or not self._fits(np.where(np.isnan(rows), 0.5, rows)):
            return None
        return self._round(rows.copy() if rows is numbers else rows)

    def _read_records(self, records: object) -> tuple[Table, int]:
        if not isinstance(records, list) or not records:
            raise InputError(_body_problem("Input should be a non-empty list", RECORDS))
        if self._has_short_way:
            flat = self._flatten(records)
            if flat is not None and (numbers := self._read_numbers(flat, len(records))) is not None:
                return numbers, len(records)
        refuse(_find_other_rows(records))
        for_all = (((RECORDS, row), record) for row, record in enumerate(records))
        refuse(self._find_unknown(for_all))

        present = set().union(*records) if self._manner.fills_gaps else set()

        def read(name: str) -> Iterator[object]:
            absent = None if name in present else _MISSING
            return (record.get(name, absent) for record in records)

        return self._read_cells(_Source(RECORDS, read)), len(records)

    def _flatten(self, records: list[Any]) -> list[object] | None:
        """Return all cells in a row; None when rows need a closer look."""
        try:
            flat = [record[name] for record in records for name in self._names]
        except (KeyError, TypeError, IndexError):
            return None
        width = len(self._names)
        if self._refuses_unknown and any(len(record) > width for record in records):
            return None
        return flat

    def _read_columns(self, columns: object) -> tuple[Table, int]:
        if not isinstance(columns, dict):
            raise InputError(_body_problem("Input should be an object of lists", COLUMNS))
        refuse(self._find_unknown([((COLUMNS,), columns)]))
        present: dict[str, list[object]] = {
            name: columns[name] for name in self._names if name in columns
        }
        rows = _count_rows(present)
        if self._has_short_way and len(present) == len(self._names):
            numbers = self._read_numbers(list(chain(*zip(*present.values(), strict=True))), rows)
            if numbers is not None:
                return numbers, rows

        def read(name: str) -> Iterable[object]:
            return present.get(name, repeat(_MISSING, rows))

        return self._read_cells(_Source(COLUMNS, read)), rows

    def _find_unknown(
        self, groups: Iterable[tuple[tuple[str | int, ...], Mapping[str, object]]]
    ) -> Iterator[Problem]:
        if not self._refuses_unknown:
            return
        for place, group in groups:
            for name in group:
                if name not in self._known:
                    location = ("body", *place, show_name(name))
                    yield Problem(location, "extra_forbidden", "The model has no such column")

    def _read_numbers(self, flat: list[object], rows: int) -> Numbers | None:
        """Take the short way; None when something in there needs a closer look."""
        if not set(map(type, flat)) <= _PLAIN_NUMBERS:
            return None
        try:
            numbers = np.array(flat, dtype=np.float64).reshape(rows, len(self._names))
        except OverflowError:
            return None
        if not np.isfinite(numbers).all() or not self._fits(numbers):
            return None
        return self._round(numbers)

    def _fits(self, numbers: Numbers) -> bool:
        for index, low, high in self._integral:
            values = numbers[:, index]
            # 2**63 - 1 becomes 2**63 as a float: the upper end is looked at cell by cell.
            if not ((values >= low) & (values < high) & (values == np.floor(values))).all():
                return False
        limit = np.finfo(np.float32).max
        return not any((np.abs(numbers[:, index]) > limit).any() for index in self._singles)

    def _round(self, numbers: Numbers) -> Numbers:
        """Give 32-bit columns the precision that the model saw when it was trained."""
        if len(self._singles) == len(self._names):
            return numbers.astype(np.float32)
        for index in self._singles:
            numbers[:, index] = numbers[:, index].astype(np.float32)
        return numbers

    def _read_cells(self, source: _Source) -> Table:
        read: dict[str, list[object]] = {column.name: [] for column in self._columns}
        refuse(
            problem
            for column in self._columns
            for problem in self._check_column(column, source, read[column.name])
        )
        return self._round(_stack(read)) if self._is_numeric else read

    def _check_column(
        self, column: Column, source: _Source, good: list[object]
    ) -> Iterator[Problem]:
        """Put the good values into the list, and yield what is wrong with the others."""
        check = self._manner.check
        for row, value in enumerate(source.read(column.name)):
            try:
                if value is _MISSING and column.is_required:
                    raise CellError("missing", "Field required")  # noqa: TRY301 - one way to report
                taken = None if value is _MISSING else check(column, value)
                good.append(_NOTHING.get(column.type) if taken is None else taken)
            except CellError as error:
                yield Problem(source.locate(row, column.name), error.kind, error.message)


def _stack(columns: Mapping[str, Sequence[object]]) -> Numbers:
    filled = [[np.nan if v is None else v for v in values] for values in columns.values()]
    return np.ascontiguousarray(np.array(filled, dtype=np.float64).T)


def _choose_content(document: object) -> tuple[str, object]:
    if isinstance(document, dict):
        given = [field for field in (RECORDS, COLUMNS) if field in document]
        if len(given) == 1:
            return given[0], document[given[0]]
    raise InputError(
        _body_problem(f"Input should be an object with either {RECORDS!r} or {COLUMNS!r}")
    )


def _find_other_rows(records: Iterable[object]) -> Iterator[Problem]:
    return (
        Problem(("body", RECORDS, row), "dict_type", "Input should be an object")
        for row, record in enumerate(records)
        if not isinstance(record, dict)
    )


def _count_rows(columns: Mapping[str, object]) -> int:
    refuse(
        Problem(("body", COLUMNS, name), "list_type", "Input should be a list")
        for name, values in columns.items()
        if not isinstance(values, list)
    )
    lengths = {len(values) for values in columns.values() if isinstance(values, list)}
    if len(lengths) > 1:
        raise InputError(_body_problem("All columns should have the same length", COLUMNS))
    if not lengths or lengths == {0}:
        raise InputError(_body_problem("Input should have the model's columns and a row", COLUMNS))
    return lengths.pop()


def _body_problem(message: str, *location: str) -> Problem:
    return Problem(("body", *location), "value_error", message)
