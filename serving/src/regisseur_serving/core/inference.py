"""The Open Inference Protocol (v2) for one model: what its inputs and outputs are.

A request holds either one tensor with a row of all columns each, or one tensor a column where the
columns have names. Columns may come in any order, and as `[n]` or `[n, 1]`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from regisseur_serving.core.invocations import MANNER
from regisseur_serving.core.problems import show_name
from regisseur_serving.core.signature import ColumnType, Signature
from regisseur_serving.core.tables import TableReader
from regisseur_serving.core.tensors import (
    BOOL,
    BYTES,
    Json,
    Tensor,
    parse_tensors,
    refuse_tensor,
    to_bytes,
)
from regisseur_serving.ports.predictor import Prediction, Table

PREDICT: Final = "predict"
PROBABILITIES: Final = "predict_proba"

_DATATYPES: Final[Mapping[ColumnType, str]] = {
    ColumnType.BOOLEAN: BOOL,
    ColumnType.INTEGER: "INT32",
    ColumnType.LONG: "INT64",
    ColumnType.FLOAT: "FP32",
    ColumnType.DOUBLE: "FP64",
    ColumnType.STRING: BYTES,
    ColumnType.ANY: "FP64",  # the protocol has no word for it; texts are taken as well
}
_MATRIX_NAME: Final = "input"
_ROOM: Final = (BOOL, "INT32", "INT64", "FP32", "FP64", BYTES)
"""From the datatype that holds least to the one that holds all of them."""
_MATRIX_DIMENSIONS: Final = 2


@dataclass(frozen=True)
class WantedOutput:
    """An output that a request asks for."""

    name: str
    is_binary: bool


@dataclass(frozen=True)
class Inference:
    """A request that was read.

    Attributes:
        request_id: As the client gave it, which has it back; None where it gave none.
    """

    table: Table
    rows: int
    outputs: tuple[WantedOutput, ...]
    request_id: str | None

    @property
    def wants_probabilities(self) -> bool:
        """Whether an output is about the probabilities of classes."""
        return any(output.name == PROBABILITIES for output in self.outputs)


class InferenceReader:
    """Reads requests for one signature.

    Args:
        signature: Of the model.
        has_probabilities: Whether it has an output with the probabilities of its classes.
    """

    def __init__(self, signature: Signature, *, has_probabilities: bool) -> None:
        self._signature = signature
        self._reader = TableReader(signature, MANNER)
        self._outputs = (PREDICT, PROBABILITIES) if has_probabilities else (PREDICT,)

    def read(self, document: object, tail: bytes = b"") -> Inference:
        """Return what a request asks for.

        Raises:
            InputError: It is not in the protocol's shape, or not what the model takes.
        """
        if not isinstance(document, dict):
            raise refuse_tensor("the request must be a JSON object")
        request_id = document.get("id")
        if not isinstance(request_id, str | None) or (request_id and not _can_be_sent(request_id)):
            raise refuse_tensor("id must be a text")
        table, rows = self._read_table(parse_tensors(document, tail))
        return Inference(table, rows, self._read_outputs(document), request_id)

    def describe_inputs(self) -> list[Json]:
        """Return the metadata of the inputs: a tensor a column, or one for all without names."""
        columns = self._signature.columns
        if not self._signature.has_names:
            datatype = max((_DATATYPES[column.type] for column in columns), key=_ROOM.index)
            return [{"name": _MATRIX_NAME, "datatype": datatype, "shape": [-1, len(columns)]}]
        return [
            {"name": column.name, "datatype": _DATATYPES[column.type], "shape": [-1]}
            for column in columns
        ]

    # ---- inputs ----

    def _read_table(self, tensors: Sequence[Tensor]) -> tuple[Table, int]:
        names, width = self._signature.names, len(self._signature.columns)
        first = tensors[0]
        is_matrix = len(first.shape) == _MATRIX_DIMENSIONS and first.shape[1] == width
        if not self._signature.has_names:
            if len(tensors) > 1 or not (is_matrix or (width == 1 and len(first.shape) == 1)):
                raise refuse_tensor(f"the model takes one input of shape [n, {width}]")
            return self._read_matrix(first)
        if len(tensors) == 1 and is_matrix and (width > 1 or first.name not in names):
            return self._read_matrix(first)
        unknown = [show_name(tensor.name) for tensor in tensors if tensor.name not in names]
        if unknown:
            raise refuse_tensor(
                f"the model has no input {unknown[0]!r}: send one input of shape [n, {width}], or"
                f" one for each of: {', '.join(map(show_name, names[:20]))}"
            )
        return self._reader.read_columns({t.name: _to_column(t) for t in tensors})

    def _read_matrix(self, tensor: Tensor) -> tuple[Table, int]:
        rows, width = tensor.shape[0], len(self._signature.columns)
        if isinstance(tensor.values, np.ndarray):
            values: Any = tensor.values.reshape(rows, width)
            numbers = self._reader.take_numbers(values)
            if numbers is not None:
                return numbers, rows
            columns = {name: values[:, i].tolist() for i, name in enumerate(self._signature.names)}
        else:
            texts = tensor.values
            columns = {name: texts[i::width] for i, name in enumerate(self._signature.names)}
        return self._reader.read_columns(columns)

    # ---- outputs ----

    def _read_outputs(self, document: Json) -> tuple[WantedOutput, ...]:
        by_default = _wants_binary(document, "binary_data_output", default=False)
        wanted = document.get("outputs")
        if wanted is None:
            return (WantedOutput(PREDICT, by_default),)
        if not isinstance(wanted, list) or not wanted:
            raise refuse_tensor("outputs must be a list, or absent")
        return tuple(self._read_output(entry, is_binary=by_default) for entry in wanted)

    def _read_output(self, entry: object, *, is_binary: bool) -> WantedOutput:
        name = entry.get("name") if isinstance(entry, dict) else None
        if not isinstance(entry, dict) or name not in self._outputs:
            raise refuse_tensor(f"the model has these outputs: {', '.join(self._outputs)}")
        parameters = entry.get("parameters")
        if isinstance(parameters, dict) and "classification" in parameters:
            raise refuse_tensor("the parameter classification is not supported")
        return WantedOutput(str(name), _wants_binary(entry, "binary_data", default=is_binary))


def _to_column(tensor: Tensor) -> list[Any]:
    rows = tensor.shape[0]
    if math.prod(tensor.shape) != rows:
        shape = list(tensor.shape)
        raise refuse_tensor(
            f"input {show_name(tensor.name)!r} has shape {shape}, a column has [n] or [n, 1]"
        )
    return tensor.values.tolist() if isinstance(tensor.values, np.ndarray) else tensor.values


def _can_be_sent(text: str) -> bool:
    """Tell whether a text is Unicode: JSON can spell half a character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _wants_binary(holder: Json, name: str, *, default: bool) -> bool:
    parameters = holder.get("parameters")
    if parameters is None:
        return default
    if not isinstance(parameters, dict):
        raise refuse_tensor("parameters must be an object")
    wanted = parameters.get(name, default)
    if not isinstance(wanted, bool):
        raise refuse_tensor(f"the parameter {name} must be true or false")
    return wanted


def describe_outputs(sample: Prediction | None, classes: Sequence[object] | None) -> list[Json]:
    """Return the metadata of the outputs; nothing for a model that was never tried."""
    if sample is None:
        return []
    values = np.asarray(sample.values)
    shape = [-1, *values.shape[1:]]
    outputs: list[Json] = [{"name": PREDICT, "datatype": name_datatype(values), "shape": shape}]
    if classes is not None:
        shape = [-1, len(classes)]
        outputs.append({"name": PROBABILITIES, "datatype": "FP64", "shape": shape})
    return outputs


# ---- answers -----------------------------------------------------------------------------------


def build_outputs(inference: Inference, prediction: Prediction) -> tuple[list[Json], bytes]:
    """Return the outputs of an answer, and the bytes that go behind its JSON."""
    outputs, tail = [], b""
    for wanted in inference.outputs:
        values = prediction.values
        if wanted.name == PROBABILITIES:
            values = prediction.probabilities
        entry, raw = _build_output(wanted, values)
        outputs.append(entry)
        tail += raw
    return outputs, tail


def _build_output(wanted: WantedOutput, values: NDArray[Any] | list[Any]) -> tuple[Json, bytes]:
    array = np.asarray(values)
    datatype = name_datatype(array)
    entry: Json = {"name": wanted.name, "datatype": datatype, "shape": list(array.shape)}
    flat = array.ravel()
    if not wanted.is_binary:
        data = [str(value) for value in flat] if datatype == BYTES else flat
        return {**entry, "data": data}, b""
    raw = to_bytes(flat, datatype)
    return {**entry, "parameters": {"binary_data_size": len(raw)}}, raw


def name_datatype(array: NDArray[Any]) -> str:
    """Return the protocol's name of what an array holds."""
    kind, bits = array.dtype.kind, array.dtype.itemsize * 8
    if kind == "b":
        return BOOL
    if kind in "iu":
        return f"{'U' if kind == 'u' else ''}INT{bits}"
    return f"FP{bits}" if kind == "f" else BYTES
