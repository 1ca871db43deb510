"""The routes on a predictor that adds its columns up, without a server."""

import asyncio
import gzip
import json
import math
import re
import threading
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from starlette.types import Message

from regisseur_serving.api.documentation import describe_predict
from regisseur_serving.core.signature import Column, ColumnType, Signature
from regisseur_serving.core.tables import TableReader
from regisseur_serving.ports.predictor import Table
from support.adding_server import GOOD, SIGNATURE, Adder, Server, served
from support.asgi import call


@pytest.fixture
def loading() -> Server:
    return Server()


@pytest.fixture
def server(loading: Server) -> Server:
    loading.lifecycle.become_ready(served(Adder()))
    return loading


async def test_a_prediction_names_its_model(server: Server) -> None:
    answer = await server.post({"columns": {"a": [0.5, 1], "b": [2, 3]}})
    assert answer.status == 200
    assert answer.json == {
        "predictions": [2.5, 4.0],
        "model": {"name": "wïne/ ", "version": "3", "run_id": "r1"},
    }
    assert answer.headers["x-model-name"] == "w%C3%AFne%2F%20"
    assert (answer.headers["x-model-version"], answer.headers["x-model-run-id"]) == ("3", "r1")


async def test_a_slow_model_answers_from_its_thread(loading: Server) -> None:
    loading.lifecycle.become_ready(served(Adder(), call_seconds=math.inf))
    assert (await loading.post(GOOD)).json["predictions"] == [2.5]


class WaitingReader(TableReader):
    """Reads nothing before it is allowed to, and knows on which threads it was asked."""

    def __init__(self) -> None:
        super().__init__(SIGNATURE)
        self.threads: list[threading.Thread] = []
        self.allowed = threading.Event()
        self.asked = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def read(self, document: object) -> tuple[Table, int]:
        """Wait, unless that would stop the loop that is to allow it."""
        self.threads.append(threading.current_thread())
        self._loop.call_soon_threadsafe(self.asked.set)
        if self.threads[-1] is not threading.main_thread():
            self.allowed.wait()
        return super().read(document)


async def test_probes_are_answered_while_a_large_body_is_read() -> None:
    server, reader = Server(max_body_bytes=2**20), WaitingReader()
    model = served(Adder())
    server.lifecycle.become_ready(replace(model, loaded=replace(model.loaded, reader=reader)))
    large = asyncio.create_task(server.post(json.dumps(GOOD).encode() + b" " * 2**19))
    await reader.asked.wait()
    try:
        assert (await server.get("/readyz")).status == 200
        assert not large.done()
    finally:
        reader.allowed.set()
    assert (await large).json["predictions"] == [2.5]
    assert (await server.post(GOOD)).status == 200
    assert [thread is threading.main_thread() for thread in reader.threads] == [False, True]


async def test_unknown_keys_of_the_body_are_refused(server: Server) -> None:
    answer = await server.post(GOOD | {"probabilites": True, "x" * 500: 1})
    assert answer.status == 422
    assert answer.json["detail"] == [
        {
            "loc": ["body", key],
            "msg": "Extra inputs are not permitted",
            "type": "extra_forbidden",
        }
        for key in ("probabilites", "x" * 80)
    ]


async def test_a_key_that_is_no_unicode_can_be_named(server: Server) -> None:
    answer = await server.post(b'{"\\ud800": NaN}')
    assert (answer.status, answer.json["detail"][0]["loc"]) == (422, ["body", "?"])


@pytest.mark.parametrize(("is_required", "more"), [(True, None), (False, False)])
def test_the_documentation_says_what_becomes_of_unknown_columns(
    is_required: bool, more: bool | None
) -> None:
    model = served(Adder())
    signature = Signature((Column("a", ColumnType.DOUBLE, is_required=is_required),))
    loaded = replace(model.loaded, mlmodel=replace(model.loaded.mlmodel, signature=signature))
    paths = describe_predict(replace(model, loaded=loaded))
    content = paths["/predict"]["post"]["requestBody"]["content"]["application/json"]
    rows, columns = content["schema"]["oneOf"]
    assert rows["additionalProperties"] is columns["additionalProperties"] is False
    parts = (rows["properties"]["records"]["items"], columns["properties"]["columns"])
    for part in parts:
        assert part.get("additionalProperties") is more
        assert ("ignored" if is_required else "refused") in part["description"]


async def test_probabilities_come_when_asked_for(loading: Server) -> None:
    loading.lifecycle.become_ready(served(Adder(classes=["x"])))
    answer = (await loading.post(GOOD | {"probabilities": True})).json
    assert (answer["probabilities"], answer["classes"]) == ([[1.0]], ["x"])


@pytest.mark.parametrize("wanted", [True, "yes"])
async def test_probabilities_that_cannot_be_had_are_refused(server: Server, wanted: object) -> None:
    answer = await server.post(GOOD | {"probabilities": wanted})
    assert answer.status == 422
    assert answer.json["detail"][0]["loc"] == ["body", "probabilities"]


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        pytest.param(b"", 400, "json_invalid", id="nothing"),
        pytest.param(b"{", 400, "json_invalid", id="half of it"),
        pytest.param(b'{"records": "\xff"}', 400, "json_invalid", id="bad UTF-8"),
        pytest.param(b"[" * 900, 400, "json_invalid", id="very deep"),
        pytest.param(b"NaN" + b"[" * 900, 400, "json_invalid", id="deep behind NaN"),
        pytest.param(b'{"records": [{"a": NaN, "b": 1}]}', 422, "finite_number", id="NaN"),
        pytest.param(b'{"records": [{"a": 1, "b": -Infinity}]}', 422, "finite_number", id="inf"),
        pytest.param(b'{"records": [{"a": 1e999, "b": 1}]}', 422, "finite_number", id="1e999"),
        pytest.param(b"1e999" + b"[" * 900, 400, "json_invalid", id="deep behind 1e999"),
        pytest.param(b'{"records": [{"a": 11, "b": 2}]}', 422, "model_refused", id="refused"),
        pytest.param(b"[" + b" " * 1000, 413, "body_too_large", id="large"),
    ],
)
async def test_a_bad_body_gets_a_reason_and_no_echo(
    server: Server, body: bytes, status: int, kind: str
) -> None:
    answer = await server.post(body)
    assert (answer.status, answer.json["detail"][0]["type"]) == (status, kind)
    assert b"13" not in answer.body


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("Application/JSON; charset=UTF-8", 200),
        ("application/x-www-form-urlencoded", 415),
        ("application/json; charset=latin-1", 415),
        ("text/csv", 415),
    ],
)
async def test_only_json_is_read(server: Server, content_type: str, status: int) -> None:
    assert (await server.post(GOOD, Content_Type=content_type)).status == status


PACKED: list[Any] = [
    pytest.param(gzip.compress(json.dumps(GOOD).encode()), "gzip", 200, id="gzip"),
    pytest.param(zlib.compress(json.dumps(GOOD).encode()), "deflate", 200, id="deflate"),
    pytest.param(json.dumps(GOOD).encode(), "gzip", 400, id="it says so and is not"),
    pytest.param(gzip.compress(b"{}" * 9)[:-9], "gzip", 400, id="cut"),
    pytest.param(gzip.compress(b"{}") + b"more", "gzip", 400, id="something behind"),
    pytest.param(gzip.compress(b" " * 10_000_000), "gzip", 413, id="a bomb"),
    pytest.param(json.dumps(GOOD).encode(), "br", 415, id="another packing"),
    pytest.param(json.dumps(GOOD).encode(), "gzip, gzip", 415, id="packed twice"),
]


@pytest.mark.parametrize(("body", "encoding", "status"), PACKED)
async def test_packed_bodies(body: bytes, encoding: str, status: int) -> None:
    server = Server(max_body_bytes=20_000)
    server.lifecycle.become_ready(served())

    assert (await server.post(body, Content_Encoding=encoding)).status == status


async def test_an_announced_large_body_is_refused_unread(server: Server) -> None:
    answer = await server.post(b"", Content_Length="1001")
    assert answer.status == 413
    assert answer.headers["connection"] == "close"


async def test_a_body_in_pieces_is_limited_too(server: Server) -> None:
    pieces = [b" " * 400] * 3
    assert (await call(server.app, "POST", "/predict", pieces=pieces)).status == 413


async def test_a_body_that_does_not_arrive_is_given_up(server: Server) -> None:
    never = asyncio.Event()
    sent: list[Message] = []

    async def receive() -> dict[str, Any]:
        await never.wait()
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/predict", "headers": []}
    await server.app(scope, receive, send)
    assert sent[0]["status"] == 408


async def test_another_method_is_refused(server: Server) -> None:
    answer = await server.get("/predict")
    assert (answer.status, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(
    ("path", "status"), [("/healthz", 200), ("/readyz", 503), ("/model", 503), ("/metrics", 404)]
)
async def test_while_loading_only_liveness_is_good(loading: Server, path: str, status: int) -> None:
    assert (await loading.get(path)).status == status
    assert (await loading.post(GOOD)).status == 503


async def test_readiness_follows_the_phase(server: Server) -> None:
    assert (await server.get("/readyz")).json == {"status": "ready"}
    server.lifecycle.begin_draining()
    answer = await server.get("/readyz")
    assert (answer.status, answer.json) == (503, {"status": "draining"})
    assert (await server.get("/healthz")).status == 200


@pytest.mark.parametrize(
    "send",
    [
        pytest.param(lambda server: server.post(GOOD), id="a prediction"),
        pytest.param(lambda server: server.post(b"x"), id="a refusal"),
        pytest.param(lambda server: server.get("/readyz"), id="a probe"),
        pytest.param(lambda server: server.get("/nowhere"), id="a path that is none"),
        pytest.param(lambda server: server.ask_admin("/metrics"), id="a scrape"),
    ],
)
async def test_while_draining_every_answer_closes_its_connection(
    server: Server, send: Callable[[Server], Any]
) -> None:
    assert "connection" not in (await send(server)).headers
    server.lifecycle.begin_draining()
    assert (await send(server)).headers["connection"] == "close"


async def test_the_documentation_shows_the_models_own_columns(loading: Server) -> None:
    before = (await loading.get("/openapi.json")).json
    loading.lifecycle.become_ready(served(Adder()))
    after = (await loading.get("/openapi.json")).json
    content = after["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]
    record = content["schema"]["oneOf"][0]["properties"]["records"]["items"]
    assert record["properties"] == {"a": {"type": "number"}, "b": {"type": "integer"}}
    assert content["example"] == GOOD
    assert set(before["paths"]) == set(after["paths"])
    assert (await loading.get("/docs")).status == 200


async def test_the_page_of_the_documentation_needs_nothing_from_elsewhere(server: Server) -> None:
    page = (await server.get("/docs")).body.decode()
    links = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert links
    for link in links:
        assert link.startswith("/")
        assert (await server.get(link)).status == 200
    assert "://" not in page


async def test_the_model_is_described(server: Server) -> None:
    described = (await server.get("/model")).json
    assert described["version"] == "3"
    assert described["model_id"] == "m-1"
    assert described["loaded_at"] == "2026-01-01T00:00:00Z"
