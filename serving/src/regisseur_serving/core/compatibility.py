"""Whether callers of the served version can call a new version without noticing.

Every request that was valid has to stay valid, and answers have to keep their shape. What is
valid is what `cells` and `tables` take, so a type may grow (`integer` to `double`) but not
shrink; what an answer looks like is what its JSON looks like, so 32 or 64 bits are the same.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from regisseur_serving.core.mlmodel import MLmodel
from regisseur_serving.core.signature import Column, ColumnType, Signature

_WIDER: Mapping[ColumnType, frozenset[ColumnType]] = {
    ColumnType.BOOLEAN: frozenset({ColumnType.ANY}),
    ColumnType.STRING: frozenset({ColumnType.ANY}),
    ColumnType.INTEGER: frozenset(
        {ColumnType.LONG, ColumnType.FLOAT, ColumnType.DOUBLE, ColumnType.ANY}
    ),
    ColumnType.LONG: frozenset({ColumnType.FLOAT, ColumnType.DOUBLE, ColumnType.ANY}),
    ColumnType.FLOAT: frozenset({ColumnType.DOUBLE, ColumnType.ANY}),
    ColumnType.DOUBLE: frozenset({ColumnType.ANY}),
    ColumnType.ANY: frozenset(),
}
"""The types that take everything that a type takes."""

_MAX_DIFFERENCES = 5
_SHOWN_CHARACTERS = 80


def find_incompatibilities(served: MLmodel, new: MLmodel) -> tuple[str, ...]:
    """Return what callers of the served version would notice, a line each, up to a limit."""
    found = [
        *_compare_inputs(served.signature, new.signature),
        *_compare_answers(served, new),
    ]
    if len(found) > _MAX_DIFFERENCES:
        rest = len(found) - _MAX_DIFFERENCES
        return (*found[:_MAX_DIFFERENCES], f"and {rest} more")
    return tuple(found)


def _compare_inputs(served: Signature, new: Signature) -> Iterator[str]:
    if not served.is_declared:
        return  # nothing was promised
    if not new.is_declared:
        yield "inputs were described, and the new version has no signature"
    elif served.has_names != new.has_names:
        had, has = _describe_form(served), _describe_form(new)
        yield f"inputs were {had} and are {has} now"
    elif not new.has_names and len(served.columns) != len(new.columns):
        yield f"rows had {len(served.columns)} values and have {len(new.columns)} now"
    else:
        yield from _compare_columns(served, new)


def _describe_form(signature: Signature) -> str:
    return "columns with names" if signature.has_names else "rows of values without names"


def _compare_columns(served: Signature, new: Signature) -> Iterator[str]:
    before = {column.name: column for column in served.columns}
    for column in new.columns:
        yield from _compare_column(before.get(column.name), column)
    if new.optional_names:
        yield from _compare_unknown(served, new)


def _compare_unknown(served: Signature, new: Signature) -> Iterator[str]:
    """Say what a signature that refuses every name that it does not know takes away."""
    for name in served.names:
        if name not in new.names:
            yield f"the input {_show(name)} is gone, and requests that send it are refused"
    if not served.optional_names:
        name = _show(new.optional_names[0])
        yield f"columns that are no inputs were ignored and are refused now: {name} is optional"


def _compare_column(before: Column | None, after: Column) -> Iterator[str]:
    name = _show(after.name)
    if before is None:
        if after.is_required:
            yield f"the input {name} is new and required"
        return
    if after.is_required and not before.is_required:
        yield f"the input {name} was optional and is required now"
    if after.type is not before.type and after.type not in _WIDER[before.type]:
        yield f"the input {name} was {before.type} and is {after.type} now"


def _compare_answers(served: MLmodel, new: MLmodel) -> Iterator[str]:
    if served.predict_method != new.predict_method:
        yield f"answers came from {served.predict_method} and come from {new.predict_method} now"
        return
    before = _read_answer(served.signature_document.get("outputs"))
    after = _read_answer(new.signature_document.get("outputs"))
    if before is None or before == after:
        return
    if after is None:
        yield f"answers were {before}, and the new signature does not say what they are"
    else:
        yield f"answers were {before} and are {after} now"


@dataclass(frozen=True)
class _Answer:
    """What the prediction of one row looks like in JSON."""

    kinds: tuple[str, ...]
    shape: tuple[int, ...]

    def __str__(self) -> str:
        kinds = " and ".join(self.kinds)
        if not self.shape:
            return f"one {kinds} a row"
        size = "x".join("any" if length < 0 else str(length) for length in self.shape)
        return f"lists of {size} {kinds} a row"


def _read_answer(text: object) -> _Answer | None:
    """Read the outputs of a signature; None where it has none that can be read."""
    try:
        outputs = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(outputs, list) or not outputs:
        return None
    if not all(isinstance(item, Mapping) for item in outputs):
        return None
    if len(outputs) == 1 and isinstance(spec := outputs[0].get("tensor-spec"), Mapping):
        return _Answer((_kind(spec.get("dtype")),), _inner_shape(spec.get("shape")))
    kinds = tuple(_kind(item.get("type")) for item in outputs)
    # One column and a vector are the same list of values, several columns and a matrix as well.
    shape = (len(kinds),) if len(kinds) > 1 else ()
    return _Answer(kinds[:1] if len(set(kinds)) == 1 else kinds, shape)


def _inner_shape(shape: object) -> tuple[int, ...]:
    if not isinstance(shape, list):
        return ()
    return tuple(length if isinstance(length, int) else -1 for length in shape[1:])


def _kind(kind: object) -> str:
    """Return what JSON makes of an MLflow or NumPy type."""
    name = str(kind)[:_SHOWN_CHARACTERS]
    if name in {"bool", "boolean"}:
        return "boolean"
    if name.startswith(("int", "uint", "long")):
        return "integer"
    if name.startswith(("float", "double")):
        return "number"
    if name.startswith(("str", "object", "<U", "bytes")):
        return "string"
    return name


def _show(name: str) -> str:
    return repr(name[:_SHOWN_CHARACTERS])
