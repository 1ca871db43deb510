"""Parquet bodies are read as pandas writes them, strictly and within bounds."""

import contextlib
import io
import random
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as arrow
import pytest
from pyarrow import parquet

from regisseur_serving.adapters.parquet import read_parquet
from regisseur_serving.core.invocations import InvocationReader, TypedColumn, describe_error
from regisseur_serving.errors import InputError
from support.adding_server import Adder, Server, served
from support.signatures import build_signature, build_undeclared

TYPE = "application/vnd.apache.parquet"
FRAME = pd.DataFrame({"a": [0.5, 1.0], "b": [2, 3]})


def pack(table: pd.DataFrame | dict[str, Any], **options: Any) -> bytes:
    """Return the bytes of a frame, or of columns by name."""
    file = io.BytesIO()
    if isinstance(table, pd.DataFrame):
        table.to_parquet(file, **options)
    else:
        parquet.write_table(arrow.table(table), file, **options)
    return file.getvalue()


def refusal(reader: InvocationReader, body: bytes) -> str:
    with pytest.raises(InputError) as caught:
        reader.read_typed(read_parquet(body))
    assert caught.value.status in {400, 422}
    return str(describe_error(caught.value.problems, caught.value.status)["message"])


async def test_a_frame_is_predicted() -> None:
    server = Server(max_body_bytes=10_000)
    server.lifecycle.become_ready(served(Adder()))
    answer = await server.post(pack(FRAME), path="/invocations", content_type=TYPE)
    assert (answer.status, answer.json) == (200, {"predictions": [2.5, 4.0]})
    answer = await server.post(b"PAR1", path="/invocations", content_type=TYPE)
    assert (answer.status, answer.json["error_code"]) == (400, "BAD_REQUEST")


async def test_a_few_bytes_are_read_beside_the_loop_as_they_may_hold_millions_of_values(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    threads = []

    def read(body: bytes) -> list[TypedColumn]:
        threads.append(threading.current_thread())
        return read_parquet(body)

    monkeypatch.setattr("regisseur_serving.api.invocations.read_parquet", read)
    server = Server(max_body_bytes=10_000)
    server.lifecycle.become_ready(served(Adder()))
    answer = await server.post(pack(FRAME), path="/invocations", content_type=TYPE)
    assert (answer.status, len(threads)) == (200, 1)
    assert threads[0] is not threading.main_thread()


async def test_an_image_without_pyarrow_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regisseur_serving.api.invocations.has_parquet", lambda: False)
    server = Server(max_body_bytes=10_000)
    server.lifecycle.become_ready(served(Adder()))
    answer = await server.post(pack(FRAME), path="/invocations", content_type=TYPE)
    assert answer.status == 415
    assert "This image has no pyarrow" in answer.json["message"]


@pytest.mark.parametrize("compression", ["snappy", None])
def test_texts_and_gaps_and_an_index_are_read(compression: str | None) -> None:
    frame = pd.DataFrame(
        {"word": ["rëd", None, "blue"], "n": [1.5, None, 3]}, index=["x", "y", "z"]
    )
    reader = InvocationReader(build_signature(n="double", word="string"))
    table, rows = reader.read_typed(read_parquet(pack(frame, compression=compression)))
    assert isinstance(table, dict)
    assert (table["word"], rows) == (["rëd", None, "blue"], 3)
    np.testing.assert_array_equal(table["n"], [1.5, np.nan, 3])
    nameless = InvocationReader(build_undeclared(width=2))
    assert nameless.read_typed(read_parquet(pack(frame)))[1] == 3


ANY = InvocationReader(build_undeclared(width=1))
ONE = arrow.array([1])
REPEATED = arrow.DictionaryArray.from_arrays(np.zeros(2_000, np.int32), ["x" * 2**16])

HOSTILE: list[Any] = [
    pytest.param(lambda: b"", "no valid parquet", id="nothing"),
    pytest.param(lambda: b"PAR1" * 9, "no valid parquet", id="no footer"),
    pytest.param(lambda: pack(FRAME)[:200], "no valid parquet", id="half a file"),
    pytest.param(lambda: pack({"a": [[1, 2]]}), "nested", id="lists"),
    pytest.param(lambda: pack({"a": [{"b": 1}]}), "Column 0", id="objects"),
    pytest.param(lambda: pack({"a": [pd.Timestamp(0)]}), "Column 0", id="dates"),
    pytest.param(lambda: pack({"a": [b"x"]}), "Column 0", id="bytes"),
    pytest.param(
        lambda: pack({"a": np.zeros(3_000_000, np.int8)}), "more than 2000000 values", id="rows"
    ),
    pytest.param(
        lambda: pack({str(n): ONE for n in range(10_001)}), "too many columns", id="columns"
    ),
    pytest.param(
        lambda: pack({"a": np.arange(1_001)}, row_group_size=1), "row groups", id="row groups"
    ),
    pytest.param(lambda: pack({"a": [1]}, compression="zstd"), "snappy", id="a strong compression"),
    pytest.param(lambda: pack({"a": REPEATED}), "of text", id="one long text, many times"),
]


@pytest.mark.parametrize(("build", "message"), HOSTILE)
def test_what_would_hurt_is_refused(build: Callable[[], bytes], message: str) -> None:
    assert message in refusal(ANY, build())


def test_a_file_that_ends_its_reader_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    abort = (sys.executable, "-c", "import os; os.abort()")
    monkeypatch.setattr("regisseur_serving.adapters.parquet._COMMAND", abort)
    assert "no valid parquet file" in refusal(ANY, pack(FRAME))


@pytest.mark.deep
@pytest.mark.timeout(600)
def test_damaged_files_are_read_or_refused() -> None:
    chance = random.Random(0)  # noqa: S311 - nobody has to guess it
    whole = pack(pd.DataFrame({"word": ["x", "yy", None] * 50, "n": np.arange(150)}))
    for _ in range(100):
        damaged = bytearray(whole)
        damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        with contextlib.suppress(InputError):
            read_parquet(bytes(damaged))
