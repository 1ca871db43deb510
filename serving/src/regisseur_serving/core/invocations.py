"""Requests and errors of MLflow's scoring protocol.

One of four fields holds the rows: `dataframe_split`, `dataframe_records`, `instances` or `inputs`.
All of them, and CSV, come down to records or to columns. What MLflow's own server passes over is
passed over here: unknown fields and columns, the index of a frame, params that no model asks for.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final

from regisseur_serving.core.mlflow_cells import take_cell
from regisseur_serving.core.signature import Signature
from regisseur_serving.core.tables import COLUMNS, RECORDS, Manner, TableReader
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
Content = tuple[str, object]


class InvocationReader:
    """Reads requests of the scoring protocol for one signature."""

    def __init__(self, signature: Signature) -> None:
        self._reader = TableReader(signature, MANNER)

    def read_json(self, document: object) -> tuple[Table, int]:
        """Return the table of a parsed JSON body and its number of rows.

        Raises:
            InputError: It is not in the protocol's shape, or not what the signature asks for.
        """
        field, content = _choose(document)
        return self._reader.read({field: content})

    def read_csv(self, text: str) -> tuple[Table, int]:
        """Return the table of a CSV body, whose first line names the columns.

        Raises:
            InputError: It is no CSV, or not what the signature asks for.
        """
        return self._reader.read({COLUMNS: parse_csv(text)})


# ---- shapes ----------------------------------------------------------------------------------


def _choose(document: object) -> Content:
    given = [field for field in FIELDS if field in document] if isinstance(document, dict) else []
    if not isinstance(document, dict) or len(given) != 1:
        raise malformed(f"The input must be a JSON dictionary with {_SHAPES}")
    if not isinstance(document.get(PARAMS), dict | None):
        raise malformed("params must be a dictionary")
    return _READERS[given[0]](document[given[0]])


def _read_split(frame: object) -> Content:
    if not isinstance(frame, dict):
        raise malformed(f"split format must be a dictionary. Got {_name_type(frame)}")
    rows, names = frame.get("data"), frame.get("columns")
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise malformed("split format must have a list of lists as data")
    if not isinstance(names, list):
        raise schema_error("split format must name its columns, as the model's columns have names")
    if any(len(row) != len(names) for row in rows):
        raise malformed("split format must have as many values in each row as it has columns")
    if not rows:
        raise schema_error("there must be a row to predict")
    return COLUMNS, dict(zip(map(str, names), map(list, zip(*rows, strict=True)), strict=True))


def _read_records(records: object) -> Content:
    if not isinstance(records, list):
        raise malformed(f"records format must be a list of records. Got {_name_type(records)}")
    return RECORDS, records


def _read_inputs(inputs: object) -> Content:
    if isinstance(inputs, dict):
        return COLUMNS, {
            name: values if isinstance(values, list) else [values]
            for name, values in inputs.items()
        }
    if isinstance(inputs, list) and all(isinstance(row, dict) for row in inputs):
        return RECORDS, inputs
    raise schema_error(
        "the model's columns have names: send a list of records, or a dictionary of lists"
    )


_READERS: Final = {
    SPLIT: _read_split,
    FRAME_RECORDS: _read_records,
    INSTANCES: _read_inputs,
    INPUTS: _read_inputs,
}


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
    place = [str(part) for part in problem.location[2:]]
    return f"{' '.join(_name_place(place))}: {problem.message}" if place else problem.message


def _name_place(place: list[str]) -> list[str]:
    rows = [part for part in place if part.isdigit()]
    names = [part for part in place if not part.isdigit()]
    return [*(f"row {row}" for row in rows), *(f"column {name!r}" for name in names)]
