"""Bytes that no good client sends get an answer or a closed connection, and harm nobody else."""

import gzip
import json
import socket
import zlib
from collections.abc import Iterator
from typing import Any, Final

import pytest

from support.eventually import eventually
from support.model_folders import ModelFolder
from support.raw_http import request, talk
from support.running_servers import Running
from support.serving_process import ServingProcess

pytestmark = pytest.mark.timeout(60, func_only=True)
"""Most of that is for the start of a server on a busy machine."""

PREDICT: Final = "/predict"
EXPLAIN: Final = "/explain"
INVOCATIONS: Final = "/invocations"
INFER: Final = "/v2/models/wine/infer"
ROUTES: Final = (PREDICT, EXPLAIN, INVOCATIONS, INFER)
MEBIBYTE: Final = 2**20


@pytest.fixture(scope="module")
def running(
    linear_folder: ModelFolder, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """Return a server that waits for bodies for a second only."""
    settings = {"REGISSEUR_BODY_TIMEOUT_SECONDS": "1", "REGISSEUR_EXPLAIN": "true"}
    directory = tmp_path_factory.mktemp("bad")
    with ServingProcess(linear_folder.path, directory, settings=settings) as server:
        server.wait_until_ready()
        running = Running(server, linear_folder)
        running.start_explaining()
        yield running
        assert "Traceback" not in server.log.read_text()


@pytest.fixture(autouse=True)
def _it_goes_on(running: Running) -> Iterator[None]:
    yield
    assert running.server.ask("/readyz").status == 200


def good(running: Running, route: str, rows: int = 1) -> bytes:
    """A request of the route's protocol that is in order."""
    if route == INFER:
        values = running.folder.data.head(rows).to_numpy()
        tensor = {"name": "x", "shape": list(values.shape), "datatype": "FP64"}
        return json.dumps({"inputs": [{**tensor, "data": values.ravel().tolist()}]}).encode()
    field = "records" if route in {PREDICT, EXPLAIN} else "dataframe_records"
    return json.dumps({field: running.folder.records(rows)}).encode()


# ---- numbers and JSON --------------------------------------------------------------------------

FIRST: Final = b"14.23"
"""The first value of the data."""

CELLS: Final[list[tuple[str, bytes, dict[str, int]]]] = [
    ("NaN", b"NaN", {PREDICT: 422, INVOCATIONS: 400, INFER: 400}),
    ("Infinity", b"-Infinity", {PREDICT: 422, INVOCATIONS: 400, INFER: 400}),
    ("1e309", b"1e309", {PREDICT: 422, INVOCATIONS: 400, INFER: 400}),
    ("minus nothing", b"-0", dict.fromkeys(ROUTES, 200)),
    ("a number of more digits than any has", b"0." + b"1" * 4000, dict.fromkeys(ROUTES, 200)),
    ("2^64 is a number", b"18446744073709551616", dict.fromkeys(ROUTES, 200)),
    ("a number with a zero before it", b"014.23", dict.fromkeys(ROUTES, 400)),
    ("true", b"true", {PREDICT: 422, INVOCATIONS: 200, INFER: 400}),
    ("a text", b'"14.23"', {PREDICT: 422, INVOCATIONS: 200, INFER: 400}),
    ("an object", b"{}", {PREDICT: 422, INVOCATIONS: 400, INFER: 400}),
    ("a comment", b"14.23 /* x */", dict.fromkeys(ROUTES, 400)),
    ("a comma at an end", b"[1,]", dict.fromkeys(ROUTES, 400)),
    ("half a letter", b'"\\ud800"', dict.fromkeys(ROUTES, 400)),
    ("a control character", b'"\x01"', dict.fromkeys(ROUTES, 400)),
    ("bad UTF-8", b'"\xff"', dict.fromkeys(ROUTES, 400)),
    ("1024 lists in each other", b"[" * 1024 + b"]" * 1024, dict.fromkeys(ROUTES, 400)),
    ("50 lists in each other", b"[" * 50 + b"]" * 50, {PREDICT: 422, INVOCATIONS: 400, INFER: 400}),
    ("deep behind NaN", b"NaN" + b"[" * 100_000, dict.fromkeys(ROUTES, 400)),
]  # fmt: skip


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(("cell", "statuses"), [pytest.param(b, c, id=a) for a, b, c in CELLS])
def test_a_value_of_every_kind(
    running: Running, route: str, cell: bytes, statuses: dict[str, int]
) -> None:
    body = good(running, route).replace(FIRST, cell, 1)

    reply = running.server.send(route, body, {"Content-Type": "application/json"})

    assert reply.status == statuses[PREDICT if route == EXPLAIN else route], reply.body
    assert b"14.23" not in reply.body
    assert b"Traceback" not in reply.body


BODIES: Final[list[Any]] = [
    pytest.param(lambda _: b"", id="nothing"),
    pytest.param(lambda body: body + b"{}", id="something behind"),
    pytest.param(lambda body: body[:-1], id="the end is missing"),
    pytest.param(lambda body: body.decode().encode("utf-16"), id="UTF-16"),
    pytest.param(lambda _: b"\0" * 1000, id="zeros"),
    pytest.param(lambda _: b"[" * 1_000_000, id="a million lists"),
    pytest.param(lambda _: b"[" + b"[]," * 1_000_000 + b"[]]", id="a million empty lists"),
]


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("spoil", BODIES)
def test_a_body_that_is_none(running: Running, route: str, spoil: Any) -> None:  # noqa: ANN401
    body = spoil(good(running, route))

    reply = running.server.send(route, body, {"Content-Type": "application/json"})

    assert reply.status in {400, 422}, reply.body
    assert len(reply.body) < 1000


@pytest.mark.parametrize(("route", "status"), [(PREDICT, 400), (INVOCATIONS, 200), (INFER, 400)])
def test_a_mark_of_the_byte_order_is_taken_where_mlflow_takes_it(
    running: Running, route: str, status: int
) -> None:
    body = b"\xef\xbb\xbf" + good(running, route)

    assert running.server.send(route, body, {}).status == status


# ---- compression -------------------------------------------------------------------------------


@pytest.mark.parametrize("route", ROUTES)
def test_a_bomb_is_not_unpacked(running: Running, route: str) -> None:
    before = running.server.resident_bytes
    bomb = gzip.compress(b" " * 100 * MEBIBYTE)
    assert len(bomb) < 200_000

    reply = running.server.send(route, bomb, {"Content-Encoding": "gzip"})

    assert reply.status == 413
    assert running.server.resident_bytes - before < 64 * MEBIBYTE


PACKED: Final[list[Any]] = [
    pytest.param(gzip.compress, "gzip", 200, id="gzip"),
    pytest.param(zlib.compress, "deflate", 200, id="deflate"),
    pytest.param(zlib.compress, "DEFLATE", 200, id="capitals"),
    pytest.param(bytes, "identity", 200, id="identity"),
    pytest.param(lambda body: gzip.compress(body)[:-9], "gzip", 400, id="cut"),
    pytest.param(lambda body: gzip.compress(body) + b"x", "gzip", 400, id="something behind"),
    pytest.param(bytes, "gzip", 400, id="not packed at all"),
    pytest.param(lambda body: zlib.compress(body)[2:-4], "deflate", 400, id="raw deflate"),
    pytest.param(bytes, "br", 415, id="another packing"),
    pytest.param(lambda body: gzip.compress(gzip.compress(body)), "gzip, gzip", 415, id="twice"),
]


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(("pack", "name", "status"), PACKED)
def test_packed_bodies(running: Running, route: str, pack: Any, name: str, status: int) -> None:  # noqa: ANN401
    body = pack(good(running, route))

    assert running.server.send(route, body, {"Content-Encoding": name}).status == status


# ---- HTTP --------------------------------------------------------------------------------------


def chunk(data: bytes, more: bytes = b"") -> bytes:
    return f"{len(data):x}".encode() + more + b"\r\n" + data + b"\r\n"


def head(*lines: str, path: str = PREDICT) -> bytes:
    return "\r\n".join([f"POST {path} HTTP/1.1", *lines, "", ""]).encode("latin-1")


@pytest.mark.parametrize("route", ROUTES)
def test_a_body_in_chunks(running: Running, route: str) -> None:
    body = good(running, route)
    start = head("Host: x", "Transfer-Encoding: chunked", "Connection: close", path=route)
    pieces = (chunk(body[:7]), chunk(body[7:9], b";name=value"), chunk(body[9:]))

    answer = talk(running.server.port, start, *pieces, b"0\r\nX-Sum: 1\r\n\r\n")

    assert answer.statuses == [200]


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_old_clients_and_such_that_name_no_host(running: Running, version: str) -> None:
    raw = request(PREDICT, good(running, PREDICT), version=version).replace(b"Host: x\r\n", b"")

    assert talk(running.server.port, raw).statuses == [200]


def test_requests_that_do_not_wait_for_answers_are_answered_in_order(running: Running) -> None:
    body = good(running, PREDICT)
    first = head("Host: x", f"Content-Length: {len(body)}") + body
    second = head("Host: x", "Content-Length: 1") + b"x"

    answer = talk(running.server.port, first + second + request(PREDICT, body))

    assert answer.statuses == [200, 400, 200]


def test_a_client_that_asks_before_it_sends(running: Running) -> None:
    body = good(running, PREDICT)
    raw = request(PREDICT, body, "Expect: 100-continue")

    assert talk(running.server.port, raw).statuses == [100, 200]


OFFER: Final = ("Host: x", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings:")


def test_clients_that_offer_another_protocol_are_answered_in_this_one(running: Running) -> None:
    """Their bodies come whole or in chunks, and other requests follow on the connection."""
    body = good(running, PREDICT)
    whole = head(*OFFER, f"Content-Length: {len(body)}") + body
    chunked = head(*OFFER, "Transfer-Encoding: chunked") + chunk(body[:5]) + chunk(body[5:])
    other = b"GET /readyz HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    everything = whole + chunked + b"0\r\n\r\n" + other + request(PREDICT, body)
    bytewise = (bytes([byte]) for byte in everything)

    for pieces in ((everything,), bytewise):
        assert talk(running.server.port, *pieces).statuses == [200] * 4
    assert "upgrade" not in running.server.log.read_text().lower()


def test_a_thousand_offers_at_once_are_answered(running: Running) -> None:
    offers = b"GET /healthz HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n" * 1000

    answer = talk(running.server.port, offers + request("/healthz", method="GET"))

    assert answer.statuses == [200] * 1001


def test_a_body_that_is_too_large_is_not_asked_for(running: Running) -> None:
    raw = head("Host: x", f"Content-Length: {17 * MEBIBYTE}", "Expect: 100-continue")

    answer = talk(running.server.port, raw)

    assert answer.statuses == [413]
    assert b"connection: close" in answer.received


def test_a_body_that_grows_too_large_is_cut_off(running: Running) -> None:
    start = head("Host: x", "Transfer-Encoding: chunked")

    answer = talk(running.server.port, start, *[chunk(b" " * MEBIBYTE)] * 18)

    assert answer.statuses in ([413], [])  # the answer may get lost when much was unread


MALFORMED: Final[list[Any]] = [
    pytest.param(head("Host: x", "Content-Length: x"), id="a length that is none"),
    pytest.param(head("Host: x", "Content-Length: -1"), id="a length below nothing"),
    pytest.param(head("Host: x", f"Content-Length: {10**30}"), id="a length of 30 digits"),
    pytest.param(head("Host: x", "Content-Length: 1", "Content-Length: 2"), id="two lengths"),
    pytest.param(
        head("Host: x", "Content-Length: 3", "Transfer-Encoding: chunked") + b"0\r\n\r\n",
        id="a length and chunks",
    ),
    pytest.param(head("Host: x", "Transfer-Encoding: gzip"), id="another transfer encoding"),
    pytest.param(
        head("Host: x", "Transfer-Encoding: chunked") + b"zz\r\n", id="a chunk without a length"
    ),
    pytest.param(b"POST /predict HTTP/1.1\r\nHost : x\r\n\r\n", id="a space in a name"),
    pytest.param(b"post /predict HTTP/1.1\r\n\r\n", id="a method in small letters"),
    pytest.param(b"GET /readyz HTTP/9.9\r\n\r\n", id="another version"),
    pytest.param(b"GET\r\n\r\n", id="a method only"),
    pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", id="TLS"),
    pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", id="HTTP/2"),
    pytest.param(b"\0" * 64, id="zeros"),
]


@pytest.mark.parametrize("raw", MALFORMED)
def test_what_is_no_request_is_refused_and_the_connection_closed(
    running: Running, raw: bytes
) -> None:
    assert talk(running.server.port, raw).statuses == [400]


TARGETS: Final = [
    "//predict",
    "/predict/",
    "/predict/../predict",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/v2/models/%ff/infer",
    "/v2/models/wine/versions/7%00/infer",
    "/v2/models/" + "x" * 5000,
    "/docs/../model?x=%",
    "*",
    "/v2/models/wine%2Finfer%3F",
]


@pytest.mark.parametrize("target", TARGETS)
def test_paths_that_lead_nowhere(running: Running, target: str) -> None:
    answer = talk(running.server.port, request(target, b"{}"))

    assert answer.statuses in ([404], [400], [405])


@pytest.mark.parametrize("route", ROUTES)
def test_a_body_that_does_not_arrive_is_given_up(running: Running, route: str) -> None:
    answer = talk(running.server.port, head("Host: x", "Content-Length: 100", path=route), b"{")

    assert answer.statuses == [408]
    assert b"connection: close" in answer.received


def test_clients_that_leave_in_the_middle_are_let_go(running: Running) -> None:
    before = running.server.open_files
    for _ in range(50):
        with socket.create_connection(("127.0.0.1", running.server.port)) as connection:
            connection.sendall(head("Host: x", "Content-Length: 100") + b"{")
    eventually(lambda: running.server.open_files <= before, deadline_seconds=10)
