"""From the JSON of a request to the table that the model takes.

Good numbers take a short way: one flat list, one look at the types in it, one array. Anything
else goes cell by cell, which also finds out what is wrong and where.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from operator import itemgetter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from regisseur_serving.core.cells import CellError, check_cell
from regisseur_serving.core.numbers import NumberReader
from regisseur_serving.core.problems import refuse, show_name
from regisseur_serving.core.signature import Column, ColumnType, Signature
from regisseur_serving.errors import InputError, Problem
from regisseur_serving.ports.predictor import Numbers, Table

RECORDS = "records"
COLUMNS = "columns"
ROWS = "rows"

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
        if self.field == COLUMNS:
            return ("body", COLUMNS, name, row)
        return ("body", self.field, row, name)


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
        self._has_names = signature.has_names
        self._is_numeric = signature.is_numeric
        self._may_be_numeric = ColumnType.STRING not in signature.types
        self._refuses_unknown = bool(signature.optional_names) and not manner.ignores_unknown
        self._fields = _name_fields(signature)
        self._pick = _build_picker(signature.names)
        self._has_short_way = signature.types.isdisjoint({ColumnType.STRING, ColumnType.BOOLEAN})
        self._numbers = NumberReader([column.type for column in signature.columns])

    def read(self, document: object) -> tuple[Table, int]:
        """Return the table and its number of rows.

        Raises:
            InputError: The document is not what the signature asks for; names rows and fields.
        """
        field, content = self._choose_content(document)
        if field == RECORDS:
            return self.read_records(content)
        return self.read_columns(content) if field == COLUMNS else self.read_rows(content)

    def take_numbers(self, numbers: NDArray[Any]) -> Numbers | None:
        """Return rows of numbers as the model takes them; None when they need a closer look.

        A number that is none passes in a column of floats: it is how a missing one is sent.
        """
        return self._numbers.read_array(numbers) if self._has_short_way else None

    def _choose_content(self, document: object) -> tuple[str, object]:
        if isinstance(document, dict):
            given = [field for field in self._fields if field in document]
            if len(given) == 1:
                return given[0], document[given[0]]
        choice = " or ".join(map(repr, self._fields))
        either = "either " if len(self._fields) > 1 else ""
        raise InputError(_body_problem(f"Input should be an object with {either}{choice}"))

    def read_records(self, records: object) -> tuple[Table, int]:
        """Return the table of a list of objects, a row each.

        Raises:
            InputError: They are not what the signature asks for; names rows and fields.
        """
        if not isinstance(records, list) or not records:
            raise InputError(_body_problem("Input should be a non-empty list", RECORDS))
        if self._has_short_way:
            flat = self._flatten(records)
            if (
                flat is not None
                and (numbers := self._numbers.read_values(flat, len(records))) is not None
            ):
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
            flat = [value for record in records for value in self._pick(record)]
        except (KeyError, TypeError, IndexError):
            return None
        width = len(self._names)
        if self._refuses_unknown and any(len(record) > width for record in records):
            return None
        return flat

    def read_columns(self, columns: object) -> tuple[Table, int]:
        """Return the table of an object of lists, a column each.

        Raises:
            InputError: They are not what the signature asks for; names rows and fields.
        """
        if not isinstance(columns, dict):
            raise InputError(_body_problem("Input should be an object of lists", COLUMNS))
        refuse(self._find_unknown([((COLUMNS,), columns)]))
        present: dict[str, list[object]] = {
            name: columns[name] for name in self._names if name in columns
        }
        rows = _count_rows(present)
        if self._has_short_way and len(present) == len(self._names):
            numbers = self._numbers.read_values(
                list(chain(*zip(*present.values(), strict=True))), rows
            )
            if numbers is not None:
                return numbers, rows

        def read(name: str) -> Iterable[object]:
            return present.get(name, repeat(_MISSING, rows))

        return self._read_cells(_Source(COLUMNS, read)), rows

    def read_rows(self, rows: object) -> tuple[Table, int]:
        """Return the table of a list of lists, a row each; a row of one value may be bare.

        Raises:
            InputError: They are not what the signature asks for; names rows and fields.
        """
        if not isinstance(rows, list) or not rows:
            raise InputError(_body_problem("Input should be a non-empty list", ROWS))
        if len(self._names) == 1 and list not in set(map(type, rows)):
            rows = [[value] for value in rows]
        refuse(self._find_other_widths(rows))
        if self._has_short_way:
            numbers = self._numbers.read_values(list(chain.from_iterable(rows)), len(rows))
            if numbers is not None:
                return numbers, len(rows)
        places = {name: place for place, name in enumerate(self._names)}

        def read(name: str) -> Iterator[object]:
            return (row[places[name]] for row in rows)

        return self._read_cells(_Source(ROWS, read)), len(rows)

    def _find_other_widths(self, rows: Iterable[object]) -> Iterator[Problem]:
        width = len(self._names)
        for number, row in enumerate(rows):
            if not isinstance(row, list):
                yield Problem(("body", ROWS, number), "list_type", "Input should be a list")
            elif len(row) != width:
                text = f"Input should have {width} values, not {len(row)}"
                yield Problem(("body", ROWS, number), "row_width", text)

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

    def _read_cells(self, source: _Source) -> Table:
        read: dict[str, list[object]] = {column.name: [] for column in self._columns}
        refuse(
            problem
            for column in self._columns
            for problem in self._check_column(column, source, read[column.name])
        )
        if self._is_numeric or (self._may_be_numeric and self._are_numbers(read)):
            return self._numbers.round(_stack(read))
        return read

    def _are_numbers(self, columns: Mapping[str, Sequence[object]]) -> bool:
        """Tell whether columns of any type turned out to hold numbers.

        What a named column of nothing but gaps is of, nobody can tell; an array is of one type.
        """
        if self._has_names and any(
            all(value is None for value in values) for values in columns.values()
        ):
            return False
        return not any(isinstance(value, str) for values in columns.values() for value in values)

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


def _build_picker(names: Sequence[str]) -> Callable[[Any], tuple[object, ...]]:
    """Return what takes the values of these columns out of a record, in their order."""
    if len(names) == 1:
        return lambda record: (record[names[0]],)
    return itemgetter(*names)


def _name_fields(signature: Signature) -> tuple[str, ...]:
    named = (RECORDS, COLUMNS) if signature.has_names else ()
    return (*named, ROWS) if signature.takes_rows else named


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
