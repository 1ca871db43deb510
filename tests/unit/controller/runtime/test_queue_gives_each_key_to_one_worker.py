"""The keyed queue: each key once, one worker at a time, back-off per key."""

import asyncio

from regisseur_operator.ports import Key
from regisseur_operator.runtime.queue import KeyedQueue

WINE, BEER = Key("ml", "wine"), Key("ml", "beer")


def build_queue() -> KeyedQueue:
    return KeyedQueue(jitter=lambda: 1.0)


async def get_all(queue: KeyedQueue) -> list[Key]:
    return [await queue.get() for _ in range(len(queue))]


async def test_a_key_is_queued_once_and_in_order() -> None:
    queue = build_queue()

    for key in (WINE, BEER, WINE):
        queue.add(key)

    assert await get_all(queue) == [WINE, BEER]


async def test_a_key_that_is_worked_on_comes_again_only_afterwards() -> None:
    queue = build_queue()
    queue.add(WINE)
    await queue.get()

    queue.add(WINE)

    assert len(queue) == 0
    queue.done(WINE)
    assert await get_all(queue) == [WINE]


async def test_a_key_that_is_done_does_not_come_again_by_itself() -> None:
    queue = build_queue()
    queue.add(WINE)

    queue.done(await queue.get())

    assert len(queue) == 0


async def test_the_earliest_of_several_moments_counts() -> None:
    queue = build_queue()
    queue.add_after(WINE, 60.0)
    queue.add_after(WINE, 0.01)
    queue.add_after(WINE, 60.0)

    async with asyncio.timeout(1):
        assert await queue.get() == WINE


async def test_a_look_takes_back_the_moment_that_was_set_before() -> None:
    queue = build_queue()
    queue.add_after(WINE, 0.01)
    queue.add(WINE)
    await queue.get()
    queue.done(WINE)

    queue.add_after(BEER, 0.02)

    async with asyncio.timeout(1):
        assert await queue.get() == BEER


async def test_a_key_that_is_done_comes_again_when_it_asked_to() -> None:
    queue = build_queue()
    queue.add(WINE)
    queue.done(await queue.get(), again_after_seconds=0.01)

    async with asyncio.timeout(1):
        assert await queue.get() == WINE


async def test_back_off_grows_by_key_and_ends_with_success() -> None:
    queue = build_queue()
    waits = []
    for _ in range(3):
        queue.add(WINE)
        await queue.get()
        waits.append(queue.fail(WINE))
    queue.add(BEER)
    await queue.get()
    waits.append(queue.fail(BEER))
    queue.add(WINE)
    queue.done(await queue.get())
    queue.add(WINE)
    await queue.get()
    waits.append(queue.fail(WINE))

    assert waits == [0.2, 0.4, 0.8, 0.2, 0.2]


async def test_back_off_has_an_end_and_what_the_server_asks_for_counts() -> None:
    queue = build_queue()
    for _ in range(40):
        queue.add(WINE)
        await queue.get()
        longest = queue.fail(WINE)
    queue.add(WINE)
    await queue.get()

    assert longest == 60.0
    assert queue.fail(WINE, at_least_seconds=90.0) == 90.0


async def test_news_about_a_failing_key_do_not_make_it_spin() -> None:
    queue = build_queue()
    queue.add(WINE)
    await queue.get()
    queue.add(WINE)

    queue.fail(WINE)

    assert len(queue) == 0


async def test_who_waits_is_woken() -> None:
    queue = build_queue()
    waiting = asyncio.create_task(queue.get())
    await asyncio.sleep(0)

    queue.add(WINE)

    async with asyncio.timeout(1):
        assert await waiting == WINE
