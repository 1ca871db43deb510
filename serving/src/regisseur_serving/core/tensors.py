"""Tensors of the Open Inference Protocol (v2), as JSON and as bytes behind it.

Source: the protocol's specification, and Triton's binary tensor extension: little-endian values
without padding; BYTES as a 4-byte length before each element.
"""

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from regisseur_serving.errors import InputError, Problem

BYTES: Final = "BYTES"
BOOL: Final = "BOOL"
HALF: Final = "FP16"

DTYPES: Final[dict[str, str]] = {
    BOOL: "?",
    **{f"UINT{bits}": f"<u{bits // 8}" for bits in (8, 16, 32, 64)},
    **{f"INT{bits}": f"<i{bits // 8}" for bits in (8, 16, 32, 64)},
    **{f"FP{bits}": f"<f{bits // 8}" for bits in (16, 32, 64)},
}
"""NumPy's name by the protocol's."""

FLOATS: Final = frozenset({HALF, "FP32", "FP64"})

_LENGTH: Final = struct.Struct("<I")
MOST_DIMENSIONS: Final = 8

Json = dict[str, Any]


@dataclass(frozen=True)
class Tensor:
    """One named input.

    Attributes:
        values: All values in a row: an array of numbers, or a list of texts.
    """

    name: str
    datatype: str
    shape: tuple[int, ...]
    values: NDArray[Any] | list[str]


def refuse_tensor(message: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> InputError:
    """Return the error for a request that is not what the protocol or the model asks for."""
    return InputError(Problem(("body",), "tensor", message), status=status)


def parse_tensors(document: Json, tail: bytes) -> list[Tensor]:
    """Read the inputs of a request; `tail` is what came behind the JSON.

    Raises:
        InputError: They are not in the protocol's shape; says which and why, never the data.
    """
    inputs = document.get("inputs")
    if not isinstance(inputs, list) or not inputs:
        raise refuse_tensor("the request must have a list of inputs")
    tensors: list[Tensor] = []
    used, rest = 0, memoryview(tail)
    for number, entry in enumerate(inputs):
        tensor, size = _parse_tensor(number, entry, rest[used:])
        tensors.append(tensor)
        used += size
    if used != len(tail):
        raise refuse_tensor(f"there are {len(tail) - used} bytes behind the last binary input")
    names = [tensor.name for tensor in tensors]
    if len(set(names)) != len(names):
        raise refuse_tensor("two inputs have one name")
    return tensors


def _parse_tensor(number: int, entry: object, rest: memoryview) -> tuple[Tensor, int]:
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        raise refuse_tensor(f"input {number} must be an object with a name")
    label = f"input {entry['name'][:80].encode('utf-8', 'replace').decode()!r}"
    datatype, shape = entry.get("datatype"), _parse_shape(label, entry.get("shape"))
    if not isinstance(datatype, str) or (datatype != BYTES and datatype not in DTYPES):
        known = ", ".join([*DTYPES, BYTES])
        raise refuse_tensor(f"{label} must have a datatype out of: {known}")
    parameters = entry.get("parameters")
    size = parameters.get("binary_data_size") if isinstance(parameters, dict) else None
    count = math.prod(shape)
    if size is None:
        values = _read_json(label, datatype, count, entry.get("data"))
        return Tensor(entry["name"], datatype, shape, values), 0
    if isinstance(size, bool) or not isinstance(size, int) or not 0 <= size <= len(rest):
        raise refuse_tensor(f"{label} has a binary_data_size that the body does not have")
    if "data" in entry:
        raise refuse_tensor(f"{label} has both data and binary_data_size")
    values = _read_binary(label, datatype, count, bytes(rest[:size]))
    return Tensor(entry["name"], datatype, shape, values), size


def _parse_shape(label: str, shape: object) -> tuple[int, ...]:
    is_shape = isinstance(shape, list) and 0 < len(shape) <= MOST_DIMENSIONS
    if not isinstance(shape, list) or not is_shape:
        raise refuse_tensor(f"{label} must have a shape of 1 to {MOST_DIMENSIONS} numbers")
    if any(isinstance(n, bool) or not isinstance(n, int) or n < 0 for n in shape):
        raise refuse_tensor(f"{label} must have a shape of whole numbers, none below 0")
    return tuple(shape)


# ---- values as JSON --------------------------------------------------------------------------


def _read_json(label: str, datatype: str, count: int, data: object) -> NDArray[Any] | list[str]:
    if not isinstance(data, list):
        raise refuse_tensor(f"{label} must have a list of data")
    flat = _flatten(label, data)
    if len(flat) != count:
        raise refuse_tensor(f"{label} has {len(flat)} values, its shape asks for {count}")
    if datatype == BYTES:
        return [_take_text(label, value) for value in flat]
    if datatype == HALF:
        raise refuse_tensor(f"{label}: FP16 can be sent as binary data only")
    _check_types(label, datatype, flat)
    if datatype in FLOATS:
        flat = [math.nan if value is None else value for value in flat]
    try:
        return np.array(flat, dtype=DTYPES[datatype])
    except (OverflowError, ValueError, TypeError):
        raise refuse_tensor(f"{label} has a value that {datatype} does not hold") from None


def _flatten(label: str, data: list[object]) -> list[object]:
    """Return the values of nested lists in their order, a level after the other."""
    for _ in range(MOST_DIMENSIONS):
        if not any(isinstance(item, list) for item in data):
            return data
        data = [value for item in data for value in (item if isinstance(item, list) else (item,))]
    raise refuse_tensor(f"{label} has data in more than {MOST_DIMENSIONS} levels of lists")


def _check_types(label: str, datatype: str, flat: Sequence[object]) -> None:
    allowed: set[type] = {bool} if datatype == BOOL else {int}
    if datatype in FLOATS:
        allowed = {int, float, type(None)}
    if not set(map(type, flat)) <= allowed:
        raise refuse_tensor(f"{label} has a value that is no {datatype}")


def _take_text(label: str, value: object) -> str:
    if not isinstance(value, str):
        raise refuse_tensor(f"{label} has a value that is no text")
    return value


# ---- values as bytes -------------------------------------------------------------------------


def _read_binary(label: str, datatype: str, count: int, raw: bytes) -> NDArray[Any] | list[str]:
    if datatype == BYTES:
        texts = _split_texts(label, raw)
        if len(texts) != count:
            raise refuse_tensor(f"{label} has {len(texts)} values, its shape asks for {count}")
        return texts
    dtype = np.dtype(DTYPES[datatype])
    if len(raw) != count * dtype.itemsize:
        asked = count * dtype.itemsize
        raise refuse_tensor(f"{label} has {len(raw)} bytes, its shape asks for {asked}")
    return np.frombuffer(raw, dtype=dtype)


def _split_texts(label: str, raw: bytes) -> list[str]:
    texts, at = [], 0
    while at < len(raw):
        if at + _LENGTH.size > len(raw):
            raise refuse_tensor(f"{label} ends within the length of a value")
        (size,) = _LENGTH.unpack_from(raw, at)
        at += _LENGTH.size
        if at + size > len(raw):
            raise refuse_tensor(f"{label} ends within a value")
        try:
            texts.append(raw[at : at + size].decode())
        except UnicodeDecodeError:
            raise refuse_tensor(f"{label} has a value that is no UTF-8") from None
        at += size
    return texts


def to_bytes(values: NDArray[Any] | Sequence[object], datatype: str) -> bytes:
    """Return the values of an output as the binary extension sends them."""
    if datatype == BYTES:
        texts = [str(value).encode("utf-8", "replace") for value in values]
        return b"".join(_LENGTH.pack(len(text)) + text for text in texts)
    return np.ascontiguousarray(values, dtype=DTYPES[datatype]).tobytes()
