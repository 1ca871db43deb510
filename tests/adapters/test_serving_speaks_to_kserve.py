"""KServe's own client works unchanged against the running server.

It wants older libraries than ours, so it runs in an environment of its own, one program a server.
"""

import json
import math
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from support import apart
from support.running_servers import Running

pytestmark = pytest.mark.timeout(60, func_only=True)
"""The client takes seconds to import on a busy machine."""

PROGRAM = Path(apart.__file__).with_name("kserve_program.py")

Json = dict[str, Any]


class KServe:
    """The client's program, asked line by line."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def ask(self, question: str, **more: object) -> Json:
        """Return `{"answer": …}`, or `{"error": …}` with what the client raised."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(f"{json.dumps({'ask': question, **more})}\n")
        stdin.flush()
        line = stdout.readline()
        assert line, f"the client's program ended with {self._process.wait()}"
        reply: Json = json.loads(line)
        return reply

    def infer(self, *inputs: Json, binary: bool, **more: object) -> Json:
        """Send inputs and return the answer."""
        question = {"inputs": inputs, "outputs": (), "binary": binary, **more}
        return self.ask("infer", **question)


@contextmanager
def program(running: Running, directory: Path) -> Iterator[KServe]:
    # With a slash at its end, as people write it.
    command = [str(apart.python_of("kserve")), str(PROGRAM), f"http://{running.address}/"]
    with (
        (directory / "kserve.log").open("w") as log,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
        ) as process,
    ):
        try:
            yield KServe(process)
        finally:
            process.kill()


@pytest.fixture(scope="module")
def kserve(linear: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KServe]:
    with program(linear, tmp_path_factory.mktemp("kserve")) as client:
        yield client


def matrix(running: Running, rows: int) -> Json:
    return {"name": "x", "datatype": "FP64", "data": running.folder.data.head(rows).values.tolist()}


def test_health_of_server_and_model(kserve: KServe) -> None:
    assert kserve.ask("live") == {"answer": True}
    assert kserve.ask("ready") == {"answer": True}
    assert kserve.ask("model") == {"answer": True}
    assert kserve.ask("model", model="beer") == {"answer": False}


@pytest.mark.parametrize("binary", [True, False])
def test_predictions_by_json_and_by_bytes(kserve: KServe, linear: Running, binary: bool) -> None:
    reply = kserve.infer(matrix(linear, 20), binary=binary, id="r-1")

    assert reply["answer"] == {
        "model_name": "wine",
        "id": "r-1",
        "outputs": {"predict": linear.folder.predictions[:20]},
    }


@pytest.mark.parametrize("binary", [True, False])
def test_outputs_that_were_asked_for(kserve: KServe, linear: Running, binary: bool) -> None:
    wanted = ["predict_proba", "predict"]

    outputs = kserve.infer(matrix(linear, 4), binary=binary, outputs=wanted)["answer"]["outputs"]

    assert list(outputs) == wanted
    assert outputs["predict"] == linear.folder.predictions[:4]
    assert len(outputs["predict_proba"]) == 12
    assert sum(outputs["predict_proba"]) == pytest.approx(4)


@pytest.mark.parametrize("binary", [True, False])
def test_a_frame_is_a_tensor_a_column(kserve: KServe, linear: Running, binary: bool) -> None:
    data = linear.folder.data.head(3)
    columns = [
        {"name": name, "datatype": "FP64", "data": data[name].tolist()} for name in data.columns
    ]

    reply = kserve.infer(*columns, binary=binary, parameters={"content_type": "pd"})

    assert reply["answer"]["outputs"] == {"predict": linear.folder.predictions[:3]}


def test_texts_and_numbers_that_are_none(mixed: Running, forest: Running, tmp_path: Path) -> None:
    """The client writes NaN as null in JSON, and as it is in bytes."""
    data = mixed.folder.data.head(4)
    color = {"name": "color", "datatype": "BYTES", "data": data["color"].tolist()}
    size = {"name": "size", "datatype": "INT64", "data": data["size"].tolist()}
    with program(mixed, tmp_path) as client:
        for binary in (True, False):
            reply = client.infer(color, size, binary=binary)
            assert reply["answer"]["outputs"] == {"predict": mixed.folder.predictions[:4]}
    holed = matrix(forest, 6)
    for row in holed["data"]:
        row[0] = math.nan
    records = [dict(zip(forest.folder.data.columns, row, strict=True)) for row in holed["data"]]
    expected = forest.server.ask("/invocations", {"dataframe_records": records}).json
    with program(forest, tmp_path) as client:
        for binary in (True, False):
            reply = client.infer(holed, binary=binary)
            assert reply["answer"]["outputs"]["predict"] == expected["predictions"]


REFUSED: list[Any] = [
    pytest.param({"name": "x", "datatype": "FP64", "data": [[1.0]]}, "no input 'x'", id="shape"),
    pytest.param({"name": "alcohol", "datatype": "FP64", "data": [1.0]}, "required", id="columns"),
    pytest.param(
        {"name": "x", "datatype": "FP64", "data": [[math.nan] * 13]},
        "cannot predict these values",
        id="what the model does not take",
    ),
]


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize(("given", "message"), REFUSED)
def test_a_refusal_reaches_people(kserve: KServe, given: Json, message: str, binary: bool) -> None:
    error = kserve.infer(given, binary=binary)["error"]

    assert error.startswith("HTTPStatusError")
    assert "400 Bad Request" in error
    assert message in error


def test_an_unknown_model_is_told(kserve: KServe, linear: Running) -> None:
    error = kserve.infer(matrix(linear, 1), binary=False, model="beer")["error"]

    assert "this server has model 'wine' in version '7' only" in error
    assert "404 Not Found" in error
