"""Who may ask: everybody, or who has a token of the file; and what no answer ever tells."""

import json
import logging
import os
from pathlib import Path
from typing import Any

import pytest

from regisseur_serving.adapters import token_file
from regisseur_serving.adapters.token_file import TokenFile
from regisseur_serving.errors import SettingsError
from support.adding_server import GOOD, Adder, Server, served
from support.asgi import Answer, call

GUARDED = [
    ("POST", "/predict"),
    ("POST", "/explain"),
    ("POST", "/invocations"),
    ("POST", "/v2/models/wïne/ /infer"),
    ("GET", "/v2/models/wïne/ "),
    ("GET", "/v2/models/other/ready"),
    ("GET", "/v2"),
    ("POST", "/v2/repository/index"),
    ("GET", "/model"),
    ("GET", "/docs"),
    ("GET", "/openapi.json"),
    ("GET", "/version"),
    ("GET", "/nowhere"),
]
OPEN = [
    "/healthz",
    "/readyz",
    "/ping",
    "/v2/health/live",
    "/v2/health/ready",
    "/v2/health/ready/",
    "/v2/models/wïne/ /ready",
    "/v2/models/wïne/ /versions/3/ready",
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "tokens"
    file.write_text("an-old-token\na-new-token\n")
    return file


@pytest.fixture
def server(path: Path) -> Server:
    guarded = Server(tokens=TokenFile(path))
    guarded.lifecycle.become_ready(served(Adder()))
    return guarded


async def ask(server: Server, authorization: str) -> int:
    return (await server.post(GOOD, Authorization=authorization)).status


# ---- with a token file -----------------------------------------------------------------------


@pytest.mark.parametrize(("method", "route"), GUARDED)
async def test_without_a_token_nothing_is_told(server: Server, method: str, route: str) -> None:
    answer = await call(server.app, method, route, pieces=[b"{}"])
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    key = {"/v2": "error", "/in": "message"}.get(route[:3], "detail")
    assert answer.json[key] == "Send a valid token as Authorization: Bearer"


@pytest.mark.parametrize("route", OPEN)
async def test_probes_need_no_token(server: Server, route: str) -> None:
    assert (await server.get(route)).status == 200


async def test_the_admin_port_needs_no_token(server: Server) -> None:
    assert (await server.ask_admin("/metrics")).status == 200


async def test_a_model_whose_name_looks_like_a_probe_is_guarded(path: Path) -> None:
    server = Server(tokens=TokenFile(path))
    model = served(Adder())
    object.__setattr__(model, "name", "a/ready")
    server.lifecycle.become_ready(model)
    assert (await server.get("/v2/models/a/ready")).status == 401
    assert (await server.get("/v2/models/a/ready/ready")).status == 200


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        ("Bearer an-old-token", 200),
        ("bearer  a-new-token ", 200),
        ("Bearer a-new-tokem", 401),
        ("Bearer ", 401),
        ("Bearer", 401),
        ("Bearer an-old-token a-new-token", 401),
        ("Basic an-old-token", 401),
        ("an-old-token", 401),
    ],
)
async def test_only_tokens_of_the_file_are_good(
    server: Server, authorization: str, status: int
) -> None:
    assert await ask(server, authorization) == status


async def test_a_changed_file_is_read_again(
    server: Server, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_file, "LOOK_SECONDS", 0.0)
    server = Server(tokens=TokenFile(path))
    server.lifecycle.become_ready(served(Adder()))
    fresh = path.with_name("fresh")
    fresh.write_text("another-token")
    os.replace(fresh, path)  # noqa: PTH105 - as the kubelet does
    assert await ask(server, "Bearer another-token") == 200
    assert await ask(server, "Bearer an-old-token") == 401


@pytest.mark.parametrize("harm", [Path.unlink, lambda path: path.write_text("\n")])
async def test_a_file_that_goes_away_changes_nothing(
    harm: Any,  # noqa: ANN401
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(token_file, "LOOK_SECONDS", 0.0)
    server = Server(tokens=TokenFile(path))
    server.lifecycle.become_ready(served(Adder()))
    harm(path)
    assert await ask(server, "Bearer an-old-token") == 200
    assert "what it held counts" in caplog.text
    assert "an-old-token" not in caplog.text


@pytest.mark.parametrize("content", [None, "", " \n"])
def test_a_file_without_tokens_is_told_at_the_start(content: str | None, tmp_path: Path) -> None:
    if content is not None:
        tmp_path.joinpath("tokens").write_text(content)
    with pytest.raises(SettingsError, match=r"^the token file .* cannot be used: "):
        TokenFile(tmp_path / "tokens")


# ---- what no answer tells --------------------------------------------------------------------


async def test_other_origins_are_not_invited() -> None:
    server = Server()
    server.lifecycle.become_ready(served(Adder()))
    headers = {"Origin": "https://example.com", "Access-Control-Request-Method": "POST"}
    for method in ("OPTIONS", "POST"):
        for route in ("/predict", "/invocations", "/v2", "/docs", "/model"):
            answer = await call(server.app, method, route, pieces=[b"{}"], headers=headers)
            assert not [name for name in answer.headers if name.startswith("access-control")]


MARKER = "MARKER-7f3a"
BODIES = [
    MARKER.encode(),
    json.dumps(MARKER).encode(),
    json.dumps({"records": MARKER}).encode(),
    json.dumps({"records": [MARKER]}).encode(),
    json.dumps({"records": [{"a": MARKER, "b": 1}]}).encode(),
    json.dumps({"records": [{"a": [MARKER], "b": {"x": MARKER}}]}).encode(),
    json.dumps({"columns": {"a": MARKER, "b": [MARKER]}}).encode(),
    json.dumps({"probabilities": MARKER, "records": [{"a": 1, "b": 1}]}).encode(),
    json.dumps({"dataframe_split": {"columns": [MARKER], "data": [[MARKER]]}}).encode(),
    json.dumps({"dataframe_split": MARKER}).encode(),
    json.dumps({"dataframe_records": [{"a": MARKER, "b": 1}]}).encode(),
    json.dumps({"instances": [MARKER]}).encode(),
    json.dumps({"inputs": {"a": [MARKER], "b": [1]}, "params": MARKER}).encode(),
    json.dumps({"inputs": MARKER, "instances": MARKER}).encode(),
    json.dumps({"inputs": [{"name": "x", "shape": MARKER, "datatype": "FP64"}]}).encode(),
    json.dumps(
        {"inputs": [{"name": "x", "shape": [1, 2], "datatype": MARKER, "data": [MARKER]}]}
    ).encode(),
    json.dumps(
        {"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP64", "data": [MARKER, 1]}]}
    ).encode(),
    f"a,b\n{MARKER},1\n".encode(),
    f'{{"records": [{{"a": NaN, "b": "{MARKER}"}}]}}'.encode(),
]
HEADERS: list[dict[str, str]] = [
    {},
    {"Content-Type": MARKER},
    {"Content-Type": "text/csv"},
    {"Content-Type": f"application/json; charset={MARKER}"},
    {"Content-Encoding": MARKER},
    {"Content-Encoding": "gzip"},
    {"Inference-Header-Content-Length": MARKER},
    {"Content-Length": MARKER},
    {"Authorization": f"Bearer {MARKER}", "Accept": MARKER, "Cookie": MARKER},
    {"X-Request-Id": f"{MARKER} with blanks"},
]
ROUTES = [
    "/predict",
    "/explain",
    "/invocations",
    "/v2/models/wïne/ /infer",
    f"/v2/models/{MARKER}/infer",
    f"/v2/{MARKER}",
    f"/{MARKER}",
    "/model",
    "/ping",
]


def check(answer: Answer) -> None:
    assert answer.status < 500
    assert MARKER.encode() not in answer.body, answer
    assert MARKER not in str(answer.headers)


@pytest.mark.parametrize("is_guarded", [False, True])
@pytest.mark.parametrize("route", ROUTES)
async def test_nothing_that_was_sent_comes_back_or_is_logged(
    route: str, is_guarded: bool, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server = Server(tokens=TokenFile(path) if is_guarded else None, logs_access=True)
    server.lifecycle.become_ready(served(Adder()))
    requests = [("POST", body, headers) for body in BODIES for headers in HEADERS]
    for method, body, headers in [*requests, ("GET", b"", {})]:
        check(
            await call(
                server.app,
                method,
                route,
                pieces=[body],
                headers=headers,
                query=f"x={MARKER}",
            )
        )
    assert MARKER not in caplog.text
    assert MARKER not in await server.scrape()
