"""The process that reads one parquet file: from its input, to JSON on its output.

Everything is bounded before it is unpacked: rows, columns, and how it is compressed. Snappy, which
pandas writes, gives at most about twenty times what it takes; other compressions give a thousand
times and more. A text that a dictionary holds once and a million rows refer to is counted as often
as it is referred to. Where a lie about any of this gets through, the memory of the process ends.
"""

import re
import resource
import sys
from collections.abc import Iterator, Sequence
from typing import Any, Final

import orjson
import pyarrow as arrow
from pyarrow import parquet

from regisseur_serving.adapters.process_limits import limit_memory

_COMPRESSIONS: Final = frozenset({"UNCOMPRESSED", "SNAPPY"})
_FLOATS: Final = frozenset({"halffloat", "float", "double"})
_INFINITIES: Final = frozenset({float("inf"), float("-inf")})
_TYPES: Final = re.compile(r"bool|u?int(8|16|32|64)|halffloat|float|double|(large_)?string")
_INDEX: Final = re.compile(r"__index_level_[0-9]+__")
"""What pandas calls the columns of an index that it keeps; MLflow's server passes over it."""

_MOST_COLUMNS: Final = 10_000
_MOST_ROW_GROUPS: Final = 1_000
_MOST_CELLS: Final = 2_000_000
_MOST_TEXT: Final = 16 << 20
_MOST_MEMORY_BYTES: Final = 384 << 20
"""What it may take for a file, beside its libraries."""
_MOST_CPU_SECONDS: Final = 20

Arrow = Any
"""Of pyarrow, which comes without types."""

Column = tuple[str, str, list[Any]]


class RefusedError(Exception):
    """The file is not read; the message says why, for whoever sent it."""


def main() -> None:
    """Read a file and answer its columns, or why there are none."""
    _limit_process()
    try:
        answer: Any = _read(sys.stdin.buffer.read())
    except RefusedError as refusal:
        answer = {"refused": str(refusal)}
    sys.stdout.buffer.write(orjson.dumps(answer))


def _limit_process() -> None:
    limit_memory(_MOST_MEMORY_BYTES)
    resource.setrlimit(resource.RLIMIT_CPU, (_MOST_CPU_SECONDS, _MOST_CPU_SECONDS))


def _read(body: bytes) -> list[Column]:
    try:
        texts = list(_check_layout(parquet.read_metadata(arrow.BufferReader(body))))
        file = parquet.ParquetFile(arrow.BufferReader(body), read_dictionary=texts)
        types = _read_types(file.schema_arrow)
        table = file.read(columns=list(types), use_threads=False)
    except (arrow.ArrowException, OSError, ValueError):
        raise RefusedError("The input is no valid parquet file") from None
    columns = [(name, kind, _read_values(table[name])) for name, kind in types.items()]
    for number, (_, kind, values) in enumerate(columns):
        # JSON has no word for them, and would tell of missing numbers instead.
        if kind in _FLOATS and any(value in _INFINITIES for value in values):
            raise RefusedError(f"Column {number} of the parquet file holds an infinite number")
    return columns


def _check_layout(metadata: Arrow) -> Iterator[str]:
    """Refuse what would unpack to too much; yield the names of columns of texts."""
    if metadata.num_columns > _MOST_COLUMNS or metadata.num_row_groups > _MOST_ROW_GROUPS:
        raise RefusedError("The parquet file has too many columns or row groups")
    # What a row group says is what is read; what the file says of all of them is not looked at.
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    if sum(group.num_rows for group in groups) * metadata.num_columns > _MOST_CELLS:
        raise RefusedError(f"The parquet file has more than {_MOST_CELLS} values; send fewer rows")
    for number in range(metadata.num_columns):
        column = metadata.schema.column(number)
        if column.max_repetition_level > 0:
            raise RefusedError("The columns of the parquet file must not be nested")
        if any(group.column(number).compression not in _COMPRESSIONS for group in groups):
            raise RefusedError("The parquet file must be compressed with snappy, or not at all")
        if column.physical_type == "BYTE_ARRAY":
            yield column.path


def _read_types(schema: Arrow) -> dict[str, str]:
    names: Sequence[str] = schema.names
    if len(set(names)) != len(names):
        raise RefusedError("Two columns of the parquet file have one name")
    types = {field.name: _name_type(field.type) for field in schema}
    for number, kind in enumerate(types.values()):
        if not _TYPES.fullmatch(kind):
            raise RefusedError(
                f"Column {number} of the parquet file is {kind[:40]}; served are numbers, truth "
                "values and text"
            )
    return {name: kind for name, kind in types.items() if not _INDEX.fullmatch(name)}


def _name_type(kind: Arrow) -> str:
    return str(getattr(kind, "value_type", kind))


def _read_values(column: Arrow) -> list[Any]:
    values: list[Any] = []
    size = 0
    for chunk in column.chunks:
        if not hasattr(chunk, "dictionary"):
            values += chunk.to_pylist()
            continue
        texts, places = chunk.dictionary.to_pylist(), chunk.indices.to_pylist()
        lengths = [len(text or "") for text in texts]
        size += sum(lengths[place] for place in places if place is not None)
        if size > _MOST_TEXT:
            raise RefusedError(f"The parquet file has more than {_MOST_TEXT} characters of text")
        values += [None if place is None else texts[place] for place in places]
    return values


if __name__ == "__main__":
    main()
