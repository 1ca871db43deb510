"""Requests and errors of MLflow's scoring protocol.

One of four fields holds the rows: `dataframe_split`, `dataframe_records`, `instances` or `inputs`.
All of them, and CSV, come down to records, columns or rows. What MLflow's own server passes over
is passed over here: unknown fields and columns, the index of a frame, params that no model asks
for. Where a model's columns have no names, those of a frame mean nothing and its order counts.
"""

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from regisseur_serving.core.mlflow_cells import take_cell
from regisseur_serving.core.params import Param, find_wrong_params
from regisseur_serving.core.signature import ColumnType, Signature
from regisseur_serving.core.tables import Manner, TableReader
from regisseur_serving.errors import InputError, Problem
from regisseur_serving.ports.predictor import Table

SPLIT: Final = "dataframe_split"
FRAME_RECORDS: Final = "dataframe_records"
INSTANCES: Final = "instances"
INPUTS: Final = "inputs"
PARAMS: Final = "params"
FIELDS: Final = (INSTANCES, FRAME_RECORDS, SPLIT, INPUTS)

MANNER: Final = Manner(take_cell, ignores_unknown=True, fills_gaps=True)

_MALFORMED: Final = "malformed"
_SHAPES: Final = f"exactly one of the input fields {', '.join(FIELDS)}"

Json = dict[str, Any]


@dataclass(frozen=True)
class TypedColumn:
    """A column of a file that tells types, by Arrow's names for them."""

    name: str
    type: str
    values: list[Any]


class InvocationReader:
    """Reads requests of the scoring protocol for one signature, and for the params of a model."""

    def __init__(self, signature: Signature, params: tuple[Param, ...] = ()) -> None:
        self._signature = signature
        self._params = params
        self._reader = TableReader(signature, MANNER)
        self._readers: Mapping[str, Callable[[Any], tuple[Table, int]]] = {
            SPLIT: self._read_split,
            FRAME_RECORDS: self._read_records,
            INSTANCES: self._read_inputs,
            INPUTS: self._read_inputs,
        }

    def read_json(self, document: object) -> tuple[Table, int]:
        """Return the table of a parsed JSON body and its number of rows.

        Raises:
            InputError: It is not in the protocol's shape, or not what the signature asks for.
        """
        given = (
            [field for field in FIELDS if field in document] if isinstance(document, dict) else []
        )
        if not isinstance(document, dict) or len(given) != 1:
            raise malformed(f"The input must be a JSON dictionary with {_SHAPES}")
        params = document.get(PARAMS)
        if not isinstance(params, dict | None):
            raise malformed("params must be a dictionary")
        if problems := list(find_wrong_params(self._params, params)):
            raise InputError(*problems, status=HTTPStatus.BAD_REQUEST)
        return self._readers[given[0]](document[given[0]])

    def read_csv(self, text: str) -> tuple[Table, int]:
        """Return the table of a CSV body, whose first line names the columns.

        Raises:
            InputError: It is no CSV, or not what the signature asks for.
        """
        columns: dict[str, Any] = dict(parse_csv(text))
        if ColumnType.ANY in self._signature.types:
            columns = {name: _find_numbers(values) for name, values in columns.items()}
        return self._read_columns(columns)

    def read_typed(self, columns: Sequence[TypedColumn]) -> tuple[Table, int]:
        """Return the table of columns that come with their types, which have to be the model's.

        Raises:
            InputError: They are not what the signature asks for.
        """
        given = {column.name: column for column in columns}
        names = self._signature.names if self._signature.has_names else self._order(given)
        for name, wanted in zip(names, self._signature.columns, strict=False):
            if name in given and given[name].type not in _FITTING_TYPES[wanted.type]:
                raise schema_error(
                    f"column {name!r} is {given[name].type}, the model takes {wanted.type}; nothing"
                    " is cast here, as numbers could change"
                )
        return self._read_columns({column.name: column.values for column in columns})

    def _read_split(self, frame: object) -> tuple[Table, int]:
        if not isinstance(frame, dict):
            raise malformed(f"split format must be a dictionary. Got {_name_type(frame)}")
        rows, names = frame.get("data"), frame.get("columns")
        if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
            raise malformed("split format must have a list of lists as data")
        if not rows:
            raise schema_error("there must be a row to predict")
        if names is None and self._signature.takes_rows:
            return self._reader.read_rows(rows)
        if not isinstance(names, list):
            raise schema_error(
                "split format must name its columns, as the model's columns have names"
            )
        if not all(isinstance(name, str | int | float) for name in names):
            raise malformed("split format must have texts or numbers as names of columns")
        if any(len(row) != len(names) for row in rows):
            raise malformed("split format must have as many values in each row as it has columns")
        columns = map(list, zip(*rows, strict=True))
        return self._read_columns(dict(zip(map(str, names), columns, strict=True)))

    def _read_columns(self, columns: Mapping[str, list[Any]]) -> tuple[Table, int]:
        if self._signature.has_names:
            return self._reader.read_columns(columns)
        ordered = [columns[name] for name in self._order(columns)]
        return self._reader.read_rows([list(row) for row in zip(*ordered, strict=True)])

    def _read_records(self, records: object) -> tuple[Table, int]:
        if not isinstance(records, list):
            raise malformed(f"records format must be a list of records. Got {_name_type(records)}")
        if self._signature.has_names or not records:
            return self._reader.read_records(records)
        names = self._order(records[0]) if isinstance(records[0], dict) else []
        if any(not isinstance(record, dict) or record.keys() != set(names) for record in records):
            raise schema_error("all records must be dictionaries with the same columns")
        return self._reader.read_rows([[record[name] for name in names] for record in records])

    def _order(self, names: Iterable[str]) -> Sequence[str]:
        """Return the names of a frame in the order in which the model takes what they name."""
        given, known = list(names), self._signature.names
        return known if set(given) == set(known) else given

    def _read_inputs(self, inputs: object) -> tuple[Table, int]:
        if isinstance(inputs, dict) and self._signature.has_names:
            return self._reader.read_columns(
                {
                    name: values if isinstance(values, list) else [values]
                    for name, values in inputs.items()
                }
            )
        if isinstance(inputs, list) and all(isinstance(row, dict) for row in inputs):
            return self._read_records(inputs)
        if isinstance(inputs, list) and self._signature.takes_rows:
            return self._reader.read_rows(inputs)
        raise schema_error(
            "the model's columns have names: send a list of records, or a dictionary of lists"
            if self._signature.has_names
            else "the model's columns have no names: send a list of lists, a row each"
        )


_SHORT: Final = frozenset({"int8", "int16", "uint8", "uint16"})
_TEXTS: Final = frozenset({"string", "large_string"})
_FITTING_TYPES: Final[Mapping[ColumnType, frozenset[str]]] = {
    ColumnType.BOOLEAN: frozenset({"bool"}),
    ColumnType.INTEGER: _SHORT | {"int32"},
    ColumnType.LONG: _SHORT | {"int32", "uint32", "int64"},
    ColumnType.FLOAT: _SHORT | {"halffloat", "float"},
    ColumnType.DOUBLE: _SHORT | {"int32", "uint32", "halffloat", "float", "double"},
    ColumnType.STRING: _TEXTS,
    ColumnType.ANY: _SHORT
    | _TEXTS
    | {"bool", "int32", "uint32", "int64", "uint64", "halffloat", "float", "double"},
}
"""What MLflow enforces where types are told: every value of the one is a value of the other."""


# ---- CSV and types ---------------------------------------------------------------------------


def parse_csv(text: str) -> dict[str, list[str | None]]:
    """Return the columns of a CSV text; an empty cell is a missing value.

    Raises:
        InputError: It is no CSV with a line of names and rows of its width.
    """
    try:
        lines = [line for line in csv.reader(io.StringIO(text), strict=True) if line]
    except csv.Error:
        raise malformed("The input is no valid CSV") from None
    if len(lines) < 2:  # noqa: PLR2004 - the names and a row
        raise malformed("The CSV must have a line of column names and a row")
    names, rows = lines[0], lines[1:]
    for number, row in enumerate(rows):
        if len(row) != len(names):
            raise malformed(f"Row {number} of the CSV has {len(row)} values, not {len(names)}")
    cells = zip(*rows, strict=True)
    return {
        name: [cell or None for cell in column] for name, column in zip(names, cells, strict=True)
    }


def _find_numbers(values: Sequence[str | None]) -> Sequence[float | str | None]:
    """Return a column of a type that nobody declared: numbers where all of them are."""
    try:
        return [None if value is None else float(value) for value in values]
    except ValueError:
        return values


_TYPE_NAMES: Final[Mapping[type, str]] = {dict: "dictionary", list: "list", str: "string"}


def _name_type(value: object) -> str:
    return _TYPE_NAMES.get(type(value), "something else")


# ---- errors ----------------------------------------------------------------------------------


def malformed(message: str) -> InputError:
    """Return the error for a body that is not in the protocol's shape."""
    return InputError(Problem(("body",), _MALFORMED, message), status=HTTPStatus.BAD_REQUEST)


def schema_error(message: str) -> InputError:
    """Return the error for a body whose columns are not the model's."""
    return InputError(Problem(("body",), "schema", message), status=HTTPStatus.BAD_REQUEST)


def describe_error(problems: Iterable[Problem], status: HTTPStatus) -> Json:
    """Return an error as MLflow's clients expect it, without a stack trace and without the data.

    The words for its classes are MLflow's own, as its scoring server (3.17) sends them.
    """
    found = list(problems)
    message = "; ".join(map(_describe, found))
    if status in _BUSY:
        return _error(*_BUSY[status], message)
    is_schema = status == HTTPStatus.UNPROCESSABLE_ENTITY or any(
        problem.kind == "schema" for problem in found
    )
    if not is_schema:
        return _error("BAD_REQUEST", "KAM00", "INVALID_PARAMETER_VALUE", message)
    text = f"Failed to enforce schema: {message}"
    return _error("INVALID_PARAMETER_VALUE", "KAM01", "SCHEMA_ENFORCEMENT_FAILED", text)


_BUSY: Final = {
    HTTPStatus.TOO_MANY_REQUESTS: (
        "REQUEST_LIMIT_EXCEEDED",
        "XXM00",
        "REQUEST_LIMIT_EXCEEDED",
    ),
    HTTPStatus.GATEWAY_TIMEOUT: ("DEADLINE_EXCEEDED", "XXM00", "DEADLINE_EXCEEDED"),
}


def describe_unavailable(message: str) -> Json:
    """Return the error of a server that cannot answer yet."""
    return _error("TEMPORARILY_UNAVAILABLE", "XXM00", "TEMPORARILY_UNAVAILABLE", message)


def _error(code: str, state: str, kind: str, message: str) -> Json:
    return {"error_code": code, "message": message, "sqlstate": state, "error_class": kind}


def _describe(problem: Problem) -> str:
    """Say what is wrong and where; the names of fields are ours, so only the rest is told."""
    place = problem.location[2:]
    rows = [f"row {part}" for part in place if isinstance(part, int)]
    names = [f"column {part!r}" for part in place if isinstance(part, str)]
    return f"{' '.join([*rows, *names])}: {problem.message}" if place else problem.message
