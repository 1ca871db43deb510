"""Read parquet bodies of requests, in a process of their own.

The reader is written for files that somebody trusts: damaged ones have been seen to end the process
that reads them, and a small one can unpack to whatever its writer likes. So one that is for nothing
else reads, with limits of its own; it costs a part of a second, which is little for a file of rows.
"""

import subprocess
import sys
from importlib.util import find_spec
from typing import Final

import orjson

from regisseur_serving.core.invocations import TypedColumn, malformed

_COMMAND: Final = (sys.executable, "-m", "regisseur_serving.adapters.parquet_child")
_TIMEOUT_SECONDS: Final = 25.0


def has_parquet() -> bool:
    """Tell whether this image can read parquet."""
    return find_spec("pyarrow") is not None


def read_parquet(body: bytes) -> list[TypedColumn]:
    """Return the columns of a parquet file.

    Raises:
        InputError: It is no parquet file, holds what no column of a model can, or too much of it.
    """
    try:
        ended = subprocess.run(
            _COMMAND, input=body, capture_output=True, check=True, timeout=_TIMEOUT_SECONDS
        )
        answer = orjson.loads(ended.stdout)
    except (subprocess.SubprocessError, orjson.JSONDecodeError):
        raise malformed("The input is no valid parquet file, or too large a one") from None
    if isinstance(answer, dict):
        raise malformed(answer["refused"])
    return [TypedColumn(name, kind, values) for name, kind, values in answer]
