"""The route of MLflow's scoring protocol, without a server."""

import pytest

from support.adding_server import GOOD, Server, served
from support.asgi import Answer

BODY = {"dataframe_records": GOOD["records"]}


@pytest.fixture
def loading() -> Server:
    return Server()


@pytest.fixture
def server(loading: Server) -> Server:
    loading.lifecycle.become_ready(served())
    return loading


async def post(server: Server, body: object, content_type: str = "application/json") -> Answer:
    return await server.post(body, path="/invocations", content_type=content_type)


async def test_the_answer_is_predictions_and_nothing_else(server: Server) -> None:
    answer = await post(server, BODY)

    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json == {"predictions": [2.5]}
    assert answer.headers["x-model-version"] == "3"


TYPES = [
    ("application/json", 200),
    ("application/json; charset=utf-8", 200),
    ("", 200),
    ("text/plain", 415),
    ("application/x-www-form-urlencoded", 415),
    ("application/octet-stream", 415),
    ("application/json; charset=latin-1", 415),
]


@pytest.mark.parametrize(("content_type", "status"), TYPES)
async def test_types_of_bodies(server: Server, content_type: str, status: int) -> None:
    answer = await post(server, BODY, content_type)

    assert answer.status == status
    if status != 200:
        assert answer.json["error_code"] == "BAD_REQUEST"


async def test_csv_is_taken(server: Server) -> None:
    answer = await post(server, b"\xef\xbb\xbfa,b\n0.5,2\n1,3\n", "text/csv")

    assert answer.json == {"predictions": [2.5, 4.0]}


BAD = [
    pytest.param(b"", "application/json", 400, id="nothing"),
    pytest.param(b"{", "application/json", 400, id="half a body"),
    pytest.param(b"[" * 900, "application/json", 400, id="deep"),
    pytest.param(b'{"inputs": NaN' + b"[" * 900, "application/json", 400, id="deep behind NaN"),
    pytest.param(b"\xff\xfe", "application/json", 400, id="no UTF-8"),
    pytest.param(b"a,b\n\xff,1\n", "text/csv", 400, id="CSV that is no UTF-8"),
    pytest.param(b"a,b\n1,1.5\n", "text/csv", 400, id="a wrong value"),
    pytest.param(b" " * 2000, "application/json", 413, id="too large"),
    pytest.param(
        b'{"inputs": {"a": ["\\ud800"], "b": [1]}}', "application/json", 400, id="half a letter"
    ),
    pytest.param(b'{"inputs": {"a": [10.5], "b": [2.5]}}', "application/json", 400, id="cut"),
]


@pytest.mark.parametrize(("body", "content_type", "status"), BAD)
async def test_what_is_wrong_is_told_in_mlflows_shape(
    server: Server, body: bytes, content_type: str, status: int
) -> None:
    answer = await post(server, body, content_type)

    assert answer.status == status
    assert set(answer.json) == {"error_code", "message", "sqlstate", "error_class"}
    assert "Traceback" not in answer.json["message"]


async def test_literals_that_are_no_json_are_numbers_that_are_none(server: Server) -> None:
    answer = await post(server, b'{"inputs": {"a": [NaN], "b": [1]}}')

    assert answer.json == {"predictions": [None]}


async def test_a_bom_is_passed_over(server: Server) -> None:
    answer = await post(server, b'\xef\xbb\xbf{"inputs": {"a": [1], "b": [1]}}')

    assert answer.json == {"predictions": [2.0]}


async def test_values_that_the_model_refuses_are_not_told(server: Server) -> None:
    answer = await post(server, {"inputs": {"a": [12], "b": [1]}})

    assert answer.status == 400
    assert "13" not in answer.json["message"]


async def test_while_it_loads_it_says_so(loading: Server) -> None:
    answer = await post(loading, BODY)

    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    assert (await loading.get("/ping")).status == 503


async def test_other_methods_are_not_allowed(server: Server) -> None:
    answer = await server.get("/invocations")

    assert (answer.status, answer.headers["allow"]) == (405, "POST")


async def test_ping_and_version(server: Server) -> None:
    ping, version = await server.get("/ping"), await server.get("/version")

    assert (ping.status, ping.body) == (200, b"\n")
    assert version.status == 200
    assert version.body.decode().count(".") == 2


async def test_it_is_documented(server: Server) -> None:
    paths = (await server.get("/openapi.json")).json["paths"]

    assert {"/invocations", "/ping", "/version", "/predict"} <= set(paths)
    assert "415" in paths["/invocations"]["post"]["responses"]
