"""Workers: every outcome of a reconcile leads to the right next look."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from regisseur_operator.errors import ConflictError, TerminalError, TransientError
from regisseur_operator.ports import Key
from regisseur_operator.reconcile import Outcome
from regisseur_operator.reconcile.reconciler import STATUS_WRITE
from regisseur_operator.runtime.queue import KeyedQueue
from regisseur_operator.runtime.workers import Workers
from regisseur_operator.telemetry import Metrics
from support.virtual_time import now, run_in_virtual_time

WINE = Key("ml", "wine")

Reconcile = Callable[[Key], Awaitable[Outcome]]


@asynccontextmanager
async def working(
    reconcile: Reconcile, count: int = 2
) -> AsyncIterator[tuple[KeyedQueue, Workers]]:
    queue = KeyedQueue(jitter=lambda: 1.0)
    workers = Workers(queue, reconcile, count, Metrics())
    task = asyncio.create_task(workers.run())
    try:
        yield queue, workers
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def looks_at(outcomes: list[Outcome | Exception]) -> list[float]:
    """Return when a key is looked at, whose reconciles end in these outcomes one by one."""
    looks: list[float] = []

    async def reconcile(_: Key) -> Outcome:
        looks.append(round(now(), 2))
        outcome = outcomes[len(looks) - 1] if len(looks) <= len(outcomes) else Outcome()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def story() -> None:
        async with working(reconcile) as (queue, _):
            queue.add(WINE)
            await asyncio.sleep(3600)

    run_in_virtual_time(story())
    return looks


@pytest.mark.parametrize(
    ("outcomes", "looks"),
    [
        pytest.param([], [0.0], id="nothing more to do"),
        pytest.param([Outcome(30.0)], [0.0, 30.0], id="it asked for another look"),
        pytest.param(
            [Outcome(30.0, (STATUS_WRITE,)), Outcome(30.0)],
            [0.0, 0.0, 30.0],
            id="the next step rests on what it wrote",
        ),
        pytest.param([ConflictError("old")], [0.0, 0.2], id="its picture was old"),
        pytest.param(
            [TransientError("down"), TransientError("down")], [0.0, 0.2, 0.6], id="trouble grows"
        ),
        pytest.param(
            [TransientError("busy", retry_after_seconds=7.0)], [0.0, 7.0], id="it was told when"
        ),
        pytest.param([TerminalError("Forbidden", "no")], [0.0, 30.0], id="a person must act"),
        pytest.param([KeyError("bug")], [0.0, 0.2], id="a mistake of ours"),
    ],
)
def test_the_next_look_comes_when_it_should(
    outcomes: list[Outcome | Exception], looks: list[float]
) -> None:
    assert looks_at(outcomes) == looks


def test_the_same_trouble_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    looks_at([TransientError("the API server is away")] * 5)

    told = [record.getMessage() for record in caplog.records]
    assert told == ["ml/wine: the API server is away", "ml/wine: goes on"]


def test_what_was_begun_may_end_and_nothing_new_begins() -> None:
    ended: list[Key] = []

    async def reconcile(key: Key) -> Outcome:
        await asyncio.sleep(1)
        ended.append(key)
        return Outcome()

    async def story() -> None:
        async with working(reconcile, count=1) as (queue, workers):
            queue.add(WINE)
            queue.add(Key("ml", "beer"))
            await asyncio.sleep(0.5)
            await workers.drain(3.0)
            await asyncio.sleep(10)
        assert ended == [WINE]

    run_in_virtual_time(story())


def test_what_takes_too_long_is_not_waited_for() -> None:
    async def reconcile(_: Key) -> Outcome:
        await asyncio.sleep(3600)
        return Outcome()

    async def story() -> None:
        async with working(reconcile) as (queue, workers):
            queue.add(WINE)
            await asyncio.sleep(0.5)
            await workers.drain(3.0)
            assert now() <= 4.0

    run_in_virtual_time(story())


def test_after_a_drain_nothing_writes_any_more() -> None:
    written: list[float] = []

    async def reconcile(_: Key) -> Outcome:
        while True:
            await asyncio.sleep(1)
            written.append(now())

    async def story() -> None:
        async with working(reconcile) as (queue, workers):
            queue.add(WINE)
            await asyncio.sleep(0.5)
            await workers.drain(3.0)
            before = list(written)
            await asyncio.sleep(60)
        assert before
        assert written == before

    run_in_virtual_time(story())


def test_workers_that_never_began_are_drained_at_once() -> None:
    async def reconcile(_: Key) -> Outcome:
        return Outcome()

    async def story() -> None:
        await Workers(KeyedQueue(lambda: 1.0), reconcile, 2, Metrics()).drain(3.0)
        assert now() < 1.0

    run_in_virtual_time(story())
