"""The routes of the Open Inference Protocol, without a server."""

import gzip
import json
import struct
from typing import Any
from urllib.parse import quote

import pytest

from support.adding_server import Adder, Server, served
from support.asgi import Answer

Json = dict[str, Any]

MODEL = "/v2/models/wïne/ "
"""The name of the model holds a letter that is none of ASCII, a slash and a space."""

MATRIX: Json = {"name": "x", "shape": [2, 2], "datatype": "FP64", "data": [0.5, 2, 1, 3]}
BODY = {"inputs": [MATRIX]}


@pytest.fixture
def loading() -> Server:
    return Server(max_body_bytes=4000)


@pytest.fixture
def server(loading: Server) -> Server:
    loading.lifecycle.become_ready(served(Adder(classes=["only"])))
    return loading


async def infer(server: Server, body: object, path: str = f"{MODEL}/infer", **more: str) -> Answer:
    return await server.post(body, path=path, **more)


# ---- the server --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/v2", "/v2/"])
async def test_metadata_of_the_server(server: Server, path: str) -> None:
    answer = await server.get(path)

    assert answer.status == 200
    assert answer.json["name"] == "regisseur"
    assert answer.json["extensions"] == ["binary_tensor_data"]


async def test_health_is_what_both_clients_read(loading: Server) -> None:
    live, ready = await loading.get("/v2/health/live"), await loading.get("/v2/health/ready")
    assert (live.status, live.json) == (200, {"live": True, "ready": False})
    assert (ready.status, ready.json) == (503, {"live": True, "ready": False})

    loading.lifecycle.become_ready(served())
    ready = await loading.get("/v2/health/ready")
    assert (ready.status, ready.json) == (200, {"live": True, "ready": True})

    loading.lifecycle.begin_draining()
    assert (await loading.get("/v2/health/ready")).status == 503


async def test_the_index_is_a_bare_list(server: Server) -> None:
    answer = await server.post(b"", path="/v2/repository/index")

    entry = {"name": "wïne/ ", "version": "3", "state": "READY", "reason": ""}
    assert (answer.status, json.loads(answer.body)) == (200, [entry])


# ---- the model ---------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [MODEL, f"{MODEL}/versions/3"])
async def test_metadata_of_the_model(server: Server, path: str) -> None:
    answer = await server.get(path)

    assert answer.json["name"] == "wïne/ "
    assert answer.json["versions"] == ["3"]
    assert [entry["name"] for entry in answer.json["inputs"]] == ["a", "b"]


@pytest.mark.parametrize("path", [f"{MODEL}/ready", f"{MODEL}/versions/3/ready"])
async def test_readiness_of_the_model(server: Server, path: str) -> None:
    answer = await server.get(path)

    assert (answer.status, answer.json) == (200, {"name": "wïne/ ", "ready": True})


UNKNOWN = [
    "/v2/models/other",
    "/v2/models/other/infer",
    f"{MODEL}/versions/4/infer",
    f"{MODEL}/versions/4",
    f"{MODEL}/config",
    f"{MODEL}x",
    "/v2/other",
]


@pytest.mark.parametrize("path", UNKNOWN)
async def test_what_is_not_there_is_said_as_clients_read_it(server: Server, path: str) -> None:
    for answer in (await server.get(path), await server.post(BODY, path=path)):
        assert answer.status == 404
        assert answer.headers["content-type"] == "application/json"
        assert isinstance(answer.json["error"], str)


async def test_while_it_loads_it_says_so(loading: Server) -> None:
    answer = await infer(loading, BODY)

    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    assert isinstance(answer.json["error"], str)


METHODS = [
    ("GET", f"{MODEL}/infer", "POST"),
    ("GET", "/v2/repository/index", "POST"),
    ("POST", "/v2", "GET"),
    ("POST", "/v2/health/live", "GET"),
    ("POST", MODEL, "GET"),
]


@pytest.mark.parametrize(("method", "path", "allowed"), METHODS)
async def test_other_methods(server: Server, method: str, path: str, allowed: str) -> None:
    answer = await (server.get(path) if method == "GET" else server.post({}, path=path))

    assert (answer.status, answer.headers["allow"]) == (405, allowed)


# ---- predictions -------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [f"{MODEL}/infer", f"{MODEL}/versions/3/infer"])
async def test_a_prediction(server: Server, path: str) -> None:
    answer = await infer(server, {"id": "r-1", **BODY}, path)

    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json == {
        "model_name": "wïne/ ",
        "model_version": "3",
        "id": "r-1",
        "outputs": [{"name": "predict", "datatype": "FP64", "shape": [2], "data": [2.5, 4.0]}],
    }


@pytest.mark.parametrize("content_type", ["", "application/octet-stream", "text/plain", "a/b; c=d"])
async def test_the_content_type_means_nothing(server: Server, content_type: str) -> None:
    assert (await infer(server, BODY, content_type=content_type)).status == 200


async def test_without_an_id_there_is_none(server: Server) -> None:
    assert "id" not in (await infer(server, BODY)).json


def pack(document: Json, tail: bytes) -> tuple[bytes, dict[str, str]]:
    head = json.dumps(document).encode()
    return head + tail, {"inference_header_content_length": str(len(head))}


BINARY = {"name": "x", "shape": [2, 2], "datatype": "FP64", "parameters": {"binary_data_size": 32}}


async def test_bytes_in_and_out(server: Server) -> None:
    wanted = [
        {"name": "predict", "parameters": {"binary_data": True}},
        {"name": "predict_proba", "parameters": {"binary_data": True}},
    ]
    body, headers = pack({"inputs": [BINARY], "outputs": wanted}, struct.pack("<4d", 0.5, 2, 1, 3))

    answer = await infer(server, body, **headers)

    assert answer.status == 200
    size = int(answer.headers["inference-header-content-length"])
    outputs = json.loads(answer.body[:size])["outputs"]
    assert [output["parameters"] for output in outputs] == [{"binary_data_size": 16}] * 2
    assert struct.unpack("<4d", answer.body[size:]) == (2.5, 4.0, 1.0, 1.0)


async def test_json_in_and_bytes_out_as_tritonclient_asks_by_default(server: Server) -> None:
    answer = await infer(server, {**BODY, "parameters": {"binary_data_output": True}})

    assert answer.headers["content-type"] == "application/octet-stream"
    size = int(answer.headers["inference-header-content-length"])
    assert answer.body[size:] == struct.pack("<2d", 2.5, 4.0)


async def test_a_packed_body_has_its_length_from_before(server: Server) -> None:
    body, headers = pack({"inputs": [BINARY]}, struct.pack("<4d", 0.5, 2, 1, 3))

    answer = await infer(server, gzip.compress(body), content_encoding="gzip", **headers)

    assert answer.json["outputs"][0]["data"] == [2.5, 4.0]


async def test_literals_that_are_no_json_are_numbers_that_are_none(server: Server) -> None:
    body = json.dumps({"inputs": [{**MATRIX, "data": [float("nan"), 2, 1, 3]}]}).encode()

    answer = await infer(server, body)

    assert answer.json["outputs"][0]["data"] == [None, 4.0]


BAD: list[Any] = [
    pytest.param(b"", {}, 400, id="nothing"),
    pytest.param(b"[]", {}, 400, id="a list"),
    pytest.param(b"{", {}, 400, id="half a body"),
    pytest.param(b"\xff", {}, 400, id="no UTF-8"),
    pytest.param(b"[" * 900, {}, 400, id="deep"),
    pytest.param({"inputs": [{**MATRIX, "data": "x"}]}, {}, 400, id="no data"),
    pytest.param({"inputs": [{**MATRIX, "datatype": {}}]}, {}, 400, id="no type"),
    pytest.param({"inputs": [{**MATRIX, "data": [1, 2.5, 3, 4]}]}, {}, 400, id="it would be cut"),
    pytest.param({"inputs": [{**MATRIX, "data": [12, 1, 3, 4]}]}, {}, 400, id="the model refuses"),
    pytest.param(BODY, {"inference_header_content_length": "9999"}, 400, id="a length too long"),
    pytest.param(BODY, {"inference_header_content_length": "x"}, 400, id="a length that is none"),
    pytest.param(BODY, {"inference_header_content_length": "-1"}, 400, id="a length below 0"),
    pytest.param(b" " * 5000, {}, 413, id="too large"),
    pytest.param(BODY, {"content_encoding": "br"}, 415, id="another packing"),
]


@pytest.mark.parametrize(("body", "headers", "status"), BAD)
async def test_errors_are_a_text_that_clients_can_show(
    server: Server, body: object, headers: dict[str, str], status: int
) -> None:
    answer = await infer(server, body, **headers)

    assert answer.status == status
    assert answer.headers["content-type"] == "application/json"
    assert list(answer.json) == ["error"]
    assert isinstance(answer.json["error"], str)
    assert "Traceback" not in answer.json["error"]


async def test_predictions_are_counted_under_a_route_without_the_name(server: Server) -> None:
    await infer(server, BODY)

    metrics = await server.scrape()
    assert 'code="200",route="/v2/infer"' in metrics
    assert quote("wïne") not in metrics.replace("model_info", "")
