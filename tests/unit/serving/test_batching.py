"""Requests that wait together are predicted together, and none pays for another."""

import asyncio
import math
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regisseur_serving.adapters.calibration import calibrate
from regisseur_serving.core.batching import Query, is_same, split, stack
from regisseur_serving.ports.predictor import Columns, Prediction, Table
from support.adding_server import GOOD, Adder, Server, served
from support.asgi import Answer

BAD: dict[str, Any] = {"records": [{"a": 11, "b": 2}]}
"""Adds up to 13, which the adder refuses."""


class Recorder(Adder):
    """Remembers how many rows each of its calls had."""

    def __init__(self, classes: Sequence[object] | None = None) -> None:
        super().__init__(classes)
        self.calls: list[int] = []

    def predict(self, table: Table, *, with_probabilities: bool = False) -> Prediction:
        """Predict every row."""
        self.calls.append(len(table))
        return super().predict(table, with_probabilities=with_probabilities)


class Held(Recorder):
    """Answers when it is let go; its calls are made in the thread."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = threading.Event()
        self.let_go = threading.Event()

    def predict(self, table: Table, *, with_probabilities: bool = False) -> Prediction:
        """Predict every row, later."""
        self.begun.set()
        assert self.let_go.wait(1.5)
        return super().predict(table, with_probabilities=with_probabilities)


def serve(predictor: Adder, *, seconds: float = 0.0, batches: bool = True, **limits: Any) -> Server:
    server = Server(**limits)
    server.lifecycle.become_ready(served(predictor, call_seconds=seconds, takes_batches=batches))
    return server


def rows(*sums: float) -> dict[str, Any]:
    return {"records": [{"a": value, "b": 0} for value in sums]}


async def ask(server: Server, *bodies: dict[str, Any]) -> list[Answer]:
    return await asyncio.gather(*(server.post(body) for body in bodies))


async def occupy(server: Server, adder: Held, body: dict[str, Any]) -> "asyncio.Task[Answer]":
    """Send a request and return when the model is busy with it."""
    sent = asyncio.create_task(server.post(body))
    await asyncio.to_thread(adder.begun.wait)
    return sent


async def test_what_arrives_together_is_one_call() -> None:
    adder = Recorder()

    answers = await ask(serve(adder), rows(1), rows(2, 3), rows(4))

    assert [answer.json["predictions"] for answer in answers] == [[1], [2, 3], [4]]
    assert adder.calls == [4]


async def test_a_request_alone_waits_for_nobody() -> None:
    adder = Recorder()
    server = serve(adder)
    for value in range(3):
        assert (await server.post(rows(value))).json["predictions"] == [value]
    assert adder.calls == [1, 1, 1]


async def test_a_call_is_put_off_while_every_turn_of_the_loop_brings_more() -> None:
    adder = Recorder()
    server = serve(adder)
    sent = []
    for value in (1, 2, 3):
        sent.append(asyncio.create_task(server.post(rows(value))))
        await asyncio.sleep(0)

    assert [(await answer).json["predictions"] for answer in sent] == [[1], [2], [3]]
    assert adder.calls == [3]


async def test_a_stream_of_requests_does_not_put_a_call_off_for_ever() -> None:
    adder = Recorder()
    server = serve(adder)
    sent = []
    for value in range(50):
        sent.append(asyncio.create_task(server.post(rows(value))))
        await asyncio.sleep(0)
        if adder.calls:
            break

    assert 1 < adder.calls[0] < 20
    await asyncio.gather(*sent)


async def test_what_waited_for_a_slow_call_is_the_next_one() -> None:
    adder = Held()
    server = serve(adder, seconds=math.inf)
    first = await occupy(server, adder, rows(1))
    others = [asyncio.create_task(server.post(rows(value))) for value in (2, 3, 4)]
    await asyncio.sleep(0)
    assert (await server.get("/readyz")).status == 200

    adder.let_go.set()

    assert (await first).json["predictions"] == [1]
    assert [(await other).json["predictions"] for other in others] == [[2], [3], [4]]
    assert adder.calls == [1, 3]


async def test_a_batch_has_so_many_rows_and_a_larger_request_is_one_alone() -> None:
    adder = Recorder()
    server = serve(adder, batch_max_rows=3)
    answers = await ask(server, rows(1, 2), rows(3, 4, 5, 6), rows(7), rows(8), rows(9))
    assert [answer.json["predictions"] for answer in answers] == [
        [1, 2],
        [3, 4, 5, 6],
        [7],
        [8],
        [9],
    ]
    assert adder.calls == [3, 4, 2]


async def test_who_asks_for_probabilities_is_another_call() -> None:
    adder = Recorder(classes=["x"])
    answers = await ask(serve(adder), rows(1), rows(2) | {"probabilities": True}, rows(3))
    assert [answer.json["predictions"] for answer in answers] == [[1], [2], [3]]
    assert ["probabilities" in answer.json for answer in answers] == [False, True, False]
    assert sorted(adder.calls) == [1, 2]


async def test_a_model_that_wants_its_requests_alone_gets_them_alone() -> None:
    adder = Recorder()
    await ask(serve(adder, batches=False), rows(1), rows(2, 3), rows(4))
    assert adder.calls == [1, 2, 1]


@pytest.mark.parametrize("place", range(8))
async def test_a_bad_row_fails_alone(place: int) -> None:
    adder = Recorder()
    bodies = [rows(value) for value in range(8)]
    bodies[place] = BAD

    answers = await ask(serve(adder), *bodies)

    assert [answer.status for answer in answers] == [
        422 if number == place else 200 for number in range(8)
    ]
    assert answers[place].json["detail"][0]["type"] == "model_refused"
    # All, two halves, four quarters at most of which half are looked at, and so on.
    assert len(adder.calls) == 7


@pytest.mark.parametrize("error", [ValueError, TypeError, KeyError, MemoryError, RuntimeError])
async def test_whatever_a_model_raises_is_a_refusal(error: type[Exception]) -> None:
    class Raising(Adder):
        def predict(self, table: Table, *, with_probabilities: bool = False) -> Prediction:
            raise error("secret value", table, with_probabilities)

    answer = await serve(Raising()).post(GOOD)

    assert answer.status == 422
    assert b"secret" not in answer.body


async def test_a_client_that_left_takes_nobody_with_it() -> None:
    adder = Held()
    server = serve(adder, seconds=math.inf)
    first = await occupy(server, adder, rows(1))
    leaving, staying = (asyncio.create_task(server.post(rows(value))) for value in (2, 3))
    await asyncio.sleep(0)
    leaving.cancel()
    adder.let_go.set()
    assert (await staying).json["predictions"] == [3]
    assert (await first).status == 200


async def test_long_texts_are_predicted_beside_the_loop() -> None:
    assert not Query(np.ones((1, 2)), 1, size_bytes=1 << 20).is_long
    assert not Query({"a": ["text"]}, 1, size_bytes=1 << 10).is_long
    assert Query({"a": ["text"]}, 1, size_bytes=1 << 20).is_long


# ---- too much ----

ROUTES: dict[str, tuple[dict[str, Any], Callable[[dict[str, Any]], str]]] = {
    "/predict": (GOOD, lambda body: body["detail"][0]["msg"]),
    "/invocations": ({"dataframe_records": GOOD["records"]}, lambda body: body["message"]),
    "/v2/models/wïne/ /infer": (
        {"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP64", "data": [0.5, 2]}]},
        lambda body: body["error"],
    ),
}


@pytest.mark.parametrize("path", ROUTES)
async def test_a_full_server_says_so_at_once(path: str) -> None:
    adder = Held()
    server = serve(adder, seconds=math.inf, max_requests=1)
    held = await occupy(server, adder, rows(1))
    body, find_message = ROUTES[path]

    answer = await server.post(body, path=path)

    assert (answer.status, answer.headers["retry-after"]) == (429, "1")
    assert "as many requests as it can hold" in find_message(answer.json)
    adder.let_go.set()
    assert (await held).status == 200
    assert (await server.post(body, path=path)).status == 200


async def test_bodies_are_held_up_to_a_limit_and_let_go_with_their_answer() -> None:
    adder = Held()
    server = serve(adder, seconds=math.inf, max_held_bytes=150)
    held = await occupy(server, adder, rows(1, 2, 3, 4, 5))
    assert (await server.post(rows(1, 2, 3, 4, 5))).status == 429
    adder.let_go.set()
    assert (await held).status == 200
    assert (await server.post(rows(1, 2, 3, 4, 5))).status == 200


async def test_no_more_is_taken_on_than_the_model_can_do_in_time() -> None:
    adder = Held()
    server = serve(adder, seconds=0.5, batch_max_rows=1, max_queue_seconds=1.2)
    first = await occupy(server, adder, rows(1))
    waiting = [asyncio.create_task(server.post(rows(value))) for value in (2, 3, 4)]
    await asyncio.sleep(0)

    assert (await server.post(rows(5))).status == 429

    adder.let_go.set()
    assert [answer.status for answer in await asyncio.gather(first, *waiting)] == [200] * 4
    assert (await server.post(rows(5))).status == 200


async def test_a_refused_request_leaves_its_place() -> None:
    server = serve(Recorder(), max_requests=1)
    for body in (b"{", BAD, b" " * 2000):
        assert (await server.post(body)).status in {400, 413, 422}
    assert (await server.post(GOOD)).status == 200


@pytest.mark.parametrize("path", ROUTES)
async def test_a_request_that_waits_too_long_is_given_up(path: str) -> None:
    adder = Held()
    server = serve(adder, seconds=math.inf, queue_timeout_seconds=0.05)
    held = await occupy(server, adder, rows(1))
    body, find_message = ROUTES[path]

    answer = await server.post(body, path=path)

    assert answer.status == 504
    assert "waited for 0.05 s" in find_message(answer.json)
    adder.let_go.set()
    assert (await held).status == 200
    assert adder.calls == [1]


async def test_a_request_has_so_many_rows() -> None:
    answer = await serve(Recorder(), max_rows=2).post(rows(1, 2, 3))
    assert (answer.status, answer.json["detail"][0]["type"]) == (413, "too_many_rows")


# ---- rows that are put together and taken apart ----

numbers = st.lists(st.integers(1, 5), min_size=1, max_size=6)


@given(sizes=numbers, dtype=st.sampled_from(["f4", "f8"]), wants=st.booleans())
@settings(deadline=None, max_examples=40)
def test_arrays_come_back_as_they_went(sizes: list[int], dtype: str, wants: bool) -> None:
    total = sum(sizes)
    cells = np.arange(total * 2, dtype=dtype).reshape(total, 2)
    tables = np.split(cells, np.cumsum(sizes)[:-1])
    stacked = stack(tables)
    assert isinstance(stacked, np.ndarray)
    assert stacked.dtype == np.dtype(dtype)

    parts = split(Prediction(stacked, stacked.astype(np.float64) * 2 if wants else None), sizes)

    for table, part in zip(tables, parts, strict=True):
        np.testing.assert_array_equal(part.values, table)
        if part.probabilities is not None:
            np.testing.assert_array_equal(part.probabilities, table * 2)
        assert (part.probabilities is not None) == wants


@given(sizes=numbers)
@settings(deadline=None, max_examples=40)
def test_columns_come_back_as_they_went(sizes: list[int]) -> None:
    tables: list[Columns] = [
        {"a": [f"{number}-{row}" for row in range(size)], "b": list(range(size))}
        for number, size in enumerate(sizes)
    ]
    stacked = stack(tables)
    assert not isinstance(stacked, np.ndarray)
    parts = split(Prediction(list(stacked["a"])), sizes)
    assert [part.values for part in parts] == [table["a"] for table in tables]


def test_tables_of_other_kinds_do_not_go_together() -> None:
    tables: list[Table] = [
        np.ones((1, 2)),
        np.ones((1, 2), dtype=np.float32),
        np.ones((1, 3)),
        {"a": [1]},
        {"b": [1]},
    ]
    kinds = {Query(table, 1, wants).kind for table in tables for wants in (False, True)}
    assert len(kinds) == 2 * len(tables)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ([1.0, 2.0], [1.0, 2.0 + 1e-14], True),
        ([1.0, 2.0], [1.0, 2.0 + 1e-9], False),
        (np.array([1.0], dtype="f4"), np.array([1.000001], dtype="f4"), True),
        (["a", "b"], ["a", "b"], True),
        (["a", "b"], ["a", "c"], False),
        ([math.nan], [math.nan], True),
        ([1], [1.0], False),
        ([1, 2], [1], False),
    ],
)
def test_equal_is_equal_labels_and_numbers_within_rounding(
    one: Sequence[object], other: Sequence[object], same: bool
) -> None:
    assert is_same(Prediction(np.asarray(one)), Prediction(np.asarray(other))) is same


# ---- what is found out of a model ----


class Mixing(Adder):
    """Answers how much a row is above the mean of all rows of the call."""

    def predict(self, table: Table, *, with_probabilities: bool = False) -> Prediction:
        """Predict every row from all of them."""
        sums = super().predict(table, with_probabilities=with_probabilities).values
        return Prediction(sums - sums.mean() + len(sums))


class OneRow(Adder):
    """Takes a single row."""

    def predict(self, table: Table, *, with_probabilities: bool = False) -> Prediction:
        """Predict the row."""
        if len(table) > 1:
            raise IndexError
        return super().predict(table, with_probabilities=with_probabilities)


@pytest.mark.parametrize(
    ("predictor", "takes_batches"), [(Adder(), True), (Mixing(), False), (OneRow(), False)]
)
def test_a_model_is_asked_whether_rows_are_alone_to_it(
    predictor: Adder, takes_batches: bool, caplog: pytest.LogCaptureFixture
) -> None:
    found = calibrate(predictor, np.array([[1.0, 2.0]]), 1)
    assert found.takes_batches is takes_batches
    assert found.sample is not None
    assert 0 < found.call_seconds < 0.1
    assert found.row_seconds >= 0
    assert ("predicted alone" in caplog.text) is not takes_batches
