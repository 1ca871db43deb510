"""What is counted, timed, named and logged of every request."""

import logging
from bisect import bisect_left
from itertools import pairwise
from typing import cast

import pytest
from starlette.types import Message

from regisseur_serving.adapters.loading import LoadedModel
from regisseur_serving.api.lifecycle import Served
from regisseur_serving.telemetry import LATENCY_BOUNDS_SECONDS, Metrics, _Formatter
from support.adding_server import GOOD, Adder, Server, served
from support.asgi import call


@pytest.fixture
def server() -> Server:
    started = Server()
    become_ready(started)
    return started


def become_ready(server: Server) -> None:
    model = served(Adder())
    server.lifecycle.become_ready(model)
    server.metrics.show_model(model.name, model.version, model.run_id, 1.0)


async def never_sent(message: Message) -> None:
    raise AssertionError(message)


# ---- metrics ---------------------------------------------------------------------------------


async def test_requests_are_counted_by_version_known_route_and_code(server: Server) -> None:
    await server.post(GOOD)
    await server.post(b"x")
    await server.get("/some/path/of/a/scanner")
    text = await server.scrape()
    counted = "regisseur_serving_requests_total"
    assert f'{counted}{{code="200",route="/predict",version="3"}} 1.0' in text
    assert f'{counted}{{code="400",route="/predict",version="3"}} 1.0' in text
    assert f'{counted}{{code="404",route="other",version="3"}} 1.0' in text
    assert 'regisseur_serving_predicted_rows_total{version="3"} 1.0' in text
    assert "regisseur_serving_ready 1.0" in text
    assert "scanner" not in text


async def test_what_came_before_the_model_is_counted_as_no_versions() -> None:
    loading = Server()
    await loading.post(GOOD)
    become_ready(loading)
    await loading.post(GOOD)
    text = await loading.scrape()
    assert 'requests_total{code="503",route="/predict",version=""} 1.0' in text
    assert 'requests_total{code="200",route="/predict",version="3"} 1.0' in text
    assert 'batch_rows_count{version="3"} 1.0' in text
    assert 'batch_rows_count{version=""}' not in text


async def test_latencies_have_no_code(server: Server) -> None:
    await server.post(GOOD)
    await server.post(b"x")
    lines = (await server.scrape()).splitlines()
    buckets = [line for line in lines if line.startswith("regisseur_serving_request_seconds_b")]
    assert buckets[-1].startswith('regisseur_serving_request_seconds_bucket{le="+Inf",route="/pre')
    assert buckets[-1].endswith(" 2.0")
    assert len(buckets) == len(LATENCY_BOUNDS_SECONDS) + 1
    assert not any("code=" in line for line in buckets)


def test_a_latency_that_doubles_moves_by_four_buckets() -> None:
    assert (LATENCY_BOUNDS_SECONDS[0], len(LATENCY_BOUNDS_SECONDS)) == (0.00025, 73)
    assert LATENCY_BOUNDS_SECONDS[-2] < 60 < LATENCY_BOUNDS_SECONDS[-1]
    for low, high in pairwise(LATENCY_BOUNDS_SECONDS):
        assert high / low == pytest.approx(2**0.25, rel=1e-5)
    for seconds in (0.0003, 0.0042, 1.7):
        places = [bisect_left(LATENCY_BOUNDS_SECONDS, time) for time in (seconds, 2 * seconds)]
        assert places[1] - places[0] == 4


def test_a_bucket_holds_its_own_bound_and_all_below_it() -> None:
    metrics = Metrics()
    metrics.show_model("wine", "3", "", 1.0)
    for rows in (1, 2, 3, 10_000):
        metrics.observe_batch(rows, 1, 0.01)
    lines = metrics.render().decode().splitlines()
    told = {
        bound: f'regisseur_serving_batch_rows_bucket{{le="{bound}",version="3"}} {count}'
        for bound, count in (("1.0", 1.0), ("2.0", 2.0), ("4.0", 3.0), ("+Inf", 4.0))
    }
    assert set(told.values()) <= set(lines)
    assert 'regisseur_serving_batch_rows_sum{version="3"} 10006.0' in lines


def test_model_and_queue_are_timed_apart() -> None:
    metrics = Metrics()
    metrics.show_model("wine", "3", "", 1.0)
    metrics.observe_batch(rows=8, requests=4, model_seconds=0.5)
    metrics.observe_queue(0.25)
    lines = metrics.render().decode().splitlines()
    assert 'regisseur_serving_batch_requests_sum{version="3"} 4.0' in lines
    assert 'regisseur_serving_model_seconds_sum{version="3"} 0.5' in lines
    assert 'regisseur_serving_queue_seconds_sum{version="3"} 0.25' in lines


async def test_a_client_that_leaves_is_no_fault_of_the_server(server: Server) -> None:
    async def receive() -> Message:
        return {"type": "http.disconnect"}

    scope = {"type": "http", "method": "POST", "path": "/predict", "headers": []}
    await server.app(scope, receive, never_sent)
    text = await server.scrape()
    assert 'requests_total{code="499",route="/predict",version="3"} 1.0' in text
    assert 'code="500"' not in text


# ---- faults ----------------------------------------------------------------------------------


class Talkative:
    """A model without anything, which says so with what it was asked."""

    name, version = "wïne/ ", "3"

    @property
    def loaded(self) -> LoadedModel:
        """Fail."""
        raise RuntimeError("met the value SECRET")


@pytest.mark.parametrize("path", ["/predict", "/invocations", "/v2/models/wïne/ /infer"])
async def test_a_fault_is_told_without_what_it_met(
    path: str, caplog: pytest.LogCaptureFixture
) -> None:
    server = Server()
    server.lifecycle.served = cast(Served, Talkative())
    tensor = {"name": "x", "shape": [1, 2], "datatype": "FP64", "data": [1, 2]}
    bodies = {"/predict": GOOD, "/invocations": {"instances": GOOD["records"]}}
    answer = await server.post(bodies.get(path, {"inputs": [tensor]}), path=path)
    said = answer.json.get("detail") or answer.json.get("message") or answer.json.get("error")
    assert (answer.status, said) == (500, "Internal Server Error")
    assert answer.headers["x-request-id"]
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith("a request failed with RuntimeError at measuring.py:")
    assert "SECRET" not in line


async def test_a_fault_in_the_middle_of_an_answer_is_counted(server: Server) -> None:
    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            raise RuntimeError

    async def receive() -> Message:
        return {"type": "http.request", "body": b"x"}

    scope = {"type": "http", "method": "POST", "path": "/predict", "headers": []}
    await server.app(scope, receive, send)
    assert 'requests_total{code="500",route="/predict"' in await server.scrape()


# ---- ids and log lines -----------------------------------------------------------------------


@pytest.mark.parametrize("request_id", ["r-1", "!~", "x" * 128])
async def test_an_id_comes_back_with_every_answer(server: Server, request_id: str) -> None:
    headers = {"X-Request-Id": request_id}
    for method, path in (("POST", "/predict"), ("GET", "/nowhere"), ("GET", "/v2")):
        answer = await call(server.app, method, path, pieces=[b"x"], headers=headers)
        assert answer.headers["x-request-id"] == request_id


@pytest.mark.parametrize("request_id", ["", "two words", "x" * 129, "a\tb", "ümlaut", "a\x7f"])
async def test_an_id_that_could_do_harm_is_replaced(server: Server, request_id: str) -> None:
    headers = {"X-Request-Id": request_id}
    found = {
        (await call(server.app, "GET", "/healthz", headers=headers)).headers["x-request-id"]
        for _ in range(3)
    }
    assert len(found) == 3
    assert all(own.startswith(f"{server.lifecycle.boot_id}-") for own in found)


async def test_log_lines_about_a_request_name_it(server: Server) -> None:
    lines: list[str] = []
    handler = logging.Handler()
    handler.setFormatter(_Formatter("%(levelname)s %(message)s"))
    handler.emit = lambda record: lines.append(handler.format(record))  # type: ignore[method-assign]
    logger = logging.getLogger("regisseur_serving.predict")
    logger.addHandler(handler)
    try:
        await server.post({"records": [{"a": 11, "b": 2}]}, X_Request_Id="r-7")
        await server.post({"records": [{"a": 11, "b": 2}]}, X_Request_Id="r-8")
    finally:
        logger.removeHandler(handler)
    said = "WARNING the model refused a request (ValueError)"
    assert lines == [f"{said} (request r-7)", f"{said} (request r-8)"]


async def test_the_access_log_is_off(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    await server.post(GOOD)
    assert caplog.records == []


async def test_the_access_log_tells_nothing_that_was_sent(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = Server(logs_access=True)
    become_ready(server)
    caplog.set_level(logging.INFO)
    await server.post(GOOD)
    await server.get("/some/path/of/a/scanner")
    lines = [record.getMessage() for record in caplog.records]
    assert lines[0].startswith("POST /predict 200 ")
    assert lines[1].startswith("GET other 404 ")
    assert all(line.endswith(" ms") for line in lines)
