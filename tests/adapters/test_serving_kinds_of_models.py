"""Every kind of model is served in all three protocols, by a process, to what clients send."""

import json
import struct
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from support.model_folders import ModelFolder
from support.serving_process import Reply, ServingProcess

pytestmark = pytest.mark.timeout(60, func_only=True)

NAMELESS = ["tensor_folder", "unsigned_folder", "text_folder"]
NAMED = ["price_folder", "outputs_folder", "mixed_folder"]
ROWS = 6

Json = dict[str, Any]
Served = tuple[ServingProcess, ModelFolder]


@pytest.fixture(scope="module", params=[*NAMELESS, *NAMED])
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """Return a server and the model that it serves."""
    folder: ModelFolder = request.getfixturevalue(request.param)
    with ServingProcess(folder.path, tmp_path_factory.mktemp(request.param)) as server:
        server.wait_until_ready()
        yield server, folder


def has_names(folder: ModelFolder) -> bool:
    return isinstance(folder.data.columns[0], str)


def rows_of(folder: ModelFolder) -> list[list[Any]]:
    rows: list[list[Any]] = json.loads(folder.data.head(ROWS).to_json(orient="values"))
    return rows


def assert_same(found: list[Any], folder: ModelFolder) -> None:
    """Compare predictions; numbers may differ in their last digit, as JSON cuts some."""
    if isinstance(folder.predictions[0], str):
        assert found == folder.predictions[:ROWS]
    else:
        np.testing.assert_allclose(found, folder.predictions[:ROWS], rtol=1e-9)


def expect_ok(reply: Reply) -> Json:
    assert reply.status == 200, reply.body
    return reply.json


def test_predict_answers_what_the_model_does(served: Served) -> None:
    server, folder = served
    body: Json = {"rows": rows_of(folder)}
    if has_names(folder):
        body = {"records": json.loads(folder.data.head(ROWS).to_json(orient="records"))}

    assert_same(expect_ok(server.ask("/predict", body))["predictions"], folder)


def test_the_documented_example_is_answered(served: Served) -> None:
    server, folder = served
    paths = server.ask("/openapi.json").json["paths"]
    content = paths["/predict"]["post"]["requestBody"]["content"]["application/json"]
    if "unsigned" in str(folder.path):
        assert "example" not in content
        return
    answer = expect_ok(server.ask("/predict", content["example"]))

    assert len(answer["predictions"]) == 2


def test_frames_of_mlflows_clients_are_answered(served: Served) -> None:
    server, folder = served
    head = folder.data.head(ROWS)
    bodies = [
        {"dataframe_split": json.loads(head.to_json(orient="split"))},
        {"dataframe_records": json.loads(head.to_json(orient="records"))},
    ]
    if not has_names(folder):
        rows = rows_of(folder)
        bodies += [{"inputs": rows}, {"instances": rows}, {"dataframe_split": {"data": rows}}]

    for body in bodies:
        assert_same(expect_ok(server.ask("/invocations", body))["predictions"], folder)


def test_csv_of_mlflows_clients_is_answered(served: Served) -> None:
    server, folder = served
    raw = folder.data.head(ROWS).to_csv(index=False).encode()
    reply = server.send("/invocations", raw, {"Content-Type": "text/csv"})

    assert_same(expect_ok(reply)["predictions"], folder)


# ---- the Open Inference Protocol ---------------------------------------------------------------


def tensors_of(server: ServingProcess, folder: ModelFolder) -> list[tuple[Json, Sequence[Any]]]:
    """Return what the server's own metadata asks for, and the values of each input."""
    inputs = server.ask("/v2/models/wine").json["inputs"]
    rows = rows_of(folder)
    if has_names(folder):
        columns = zip(inputs, zip(*rows, strict=True), strict=True)
        return [({**entry, "shape": [ROWS]}, values) for entry, values in columns]
    (entry,) = inputs
    assert entry["shape"] == [-1, len(rows[0])]
    return [({**entry, "shape": [ROWS, len(rows[0])]}, [cell for row in rows for cell in row])]


def test_json_tensors_are_answered(served: Served) -> None:
    server, folder = served
    inputs = [{**entry, "data": values} for entry, values in tensors_of(server, folder)]
    answer = expect_ok(server.ask("/v2/models/wine/infer", {"inputs": inputs}))

    (output,) = answer["outputs"]
    assert output["shape"] == list(np.shape(folder.predictions[:ROWS]))
    assert_same(np.reshape(output["data"], output["shape"]).tolist(), folder)


FORMATS = {"FP64": "d", "FP32": "f", "INT64": "q", "INT32": "i", "BOOL": "?"}


def pack(datatype: str, values: Sequence[Any]) -> bytes:
    if datatype != "BYTES":
        return struct.pack(f"<{len(values)}{FORMATS[datatype]}", *values)
    texts = [text.encode() for text in values]
    return b"".join(struct.pack("<I", len(text)) + text for text in texts)


def unpack(datatype: str, raw: bytes) -> list[Any]:
    if datatype != "BYTES":
        size = struct.calcsize(FORMATS[datatype])
        return list(struct.unpack(f"<{len(raw) // size}{FORMATS[datatype]}", raw))
    texts = []
    while raw:
        end = 4 + int.from_bytes(raw[:4], "little")
        texts.append(raw[4:end].decode())
        raw = raw[end:]
    return texts


def test_binary_tensors_are_answered(served: Served) -> None:
    server, folder = served
    inputs, tail = [], b""
    for entry, values in tensors_of(server, folder):
        raw = pack(entry["datatype"], values)
        inputs.append({**entry, "parameters": {"binary_data_size": len(raw)}})
        tail += raw
    head = json.dumps({"inputs": inputs, "parameters": {"binary_data_output": True}}).encode()
    lengths = {"Inference-Header-Content-Length": str(len(head))}
    reply = server.send("/v2/models/wine/infer", head + tail, lengths)

    assert reply.status == 200, reply.body
    end = int(reply.headers["inference-header-content-length"])
    (output,) = json.loads(reply.body[:end])["outputs"]
    found = np.reshape(unpack(output["datatype"], reply.body[end:]), output["shape"])
    assert_same(found.tolist(), folder)


# ---- what does not fit -------------------------------------------------------------------------


def test_what_does_not_fit_is_the_clients_mistake(served: Served) -> None:
    server, folder = served
    width = folder.data.shape[1]
    wide: list[list[object]] = [[1.0] * (width + 1)]
    wrong = {"name": "input", "datatype": "FP64", "shape": [1, width + 1], "data": wide[0]}
    bodies: list[tuple[str, Json]] = [
        ("/predict", {"rows": wide}),
        ("/predict", {"rows": [[{}] * width]}),
        ("/predict", {"records": [{"nothing": 1}]}),
        ("/invocations", {"inputs": wide}),
        ("/invocations", {"instances": [[[1.0]] * width]}),
        ("/invocations", {"dataframe_split": {"columns": ["nothing"], "data": [[[]]]}}),
        ("/v2/models/wine/infer", {"inputs": [wrong]}),
        ("/v2/models/wine/infer", {"inputs": [{**wrong, "shape": [width + 1, 1], "name": "?"}]}),
    ]
    if width == 1:
        bodies.pop()

    for path, body in bodies:
        reply = server.ask(path, body)
        assert reply.status in {400, 422}, (path, body, reply.body)
    texts = [["words"] * width]
    for path, field in (("/predict", "rows"), ("/invocations", "inputs")):
        assert server.ask(path, {field: texts}).status in {200, 400, 422}
    nothing: Json = {"inputs": [[None] * width]}
    assert server.ask("/invocations", nothing).status in {200, 400}
