"""A body has so much time to arrive, and whoever ends the wait for another reason does end it."""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import pytest
from starlette.types import Message

from regisseur_serving.api.bodies import BodyReader
from regisseur_serving.api.room import Room
from regisseur_serving.errors import InputError

SCOPE = {"type": "http", "headers": []}


def read(receive: Callable[[], Awaitable[Message]], *, seconds: float) -> Awaitable[bytes]:
    reader = BodyReader(max_bytes=100, timeout_seconds=seconds)
    return reader.read(SCOPE, receive, Room(max_requests=1, max_bytes=100).take())


async def never() -> Message:
    await asyncio.Event().wait()
    raise AssertionError


def in_pieces(*pieces: bytes, pause: float = 0.0) -> Callable[[], Awaitable[Message]]:
    rest = list(pieces)

    async def receive() -> Message:
        await asyncio.sleep(pause)
        return {"type": "http.request", "body": rest.pop(0), "more_body": bool(rest)}

    return receive


@pytest.mark.parametrize("pieces", [(b"whole",), (b"wh", b"", b"ole"), (b"whole", b"")])
async def test_a_body_is_joined(pieces: tuple[bytes, ...]) -> None:
    assert await read(in_pieces(*pieces), seconds=1.0) == b"whole"


async def test_a_body_that_never_comes_is_given_up() -> None:
    with pytest.raises(InputError, match=r"within 0\.01 s") as refused:
        await read(never, seconds=0.01)
    assert refused.value.status == HTTPStatus.REQUEST_TIMEOUT


async def test_all_pieces_have_one_time_together() -> None:
    with pytest.raises(InputError, match=r"within 0\.05 s"):
        await read(in_pieces(*[b"."] * 50, pause=0.01), seconds=0.05)


async def test_a_body_that_came_in_time_is_not_cut_off_later() -> None:
    async def answer() -> bytes:
        body = await read(in_pieces(b"x"), seconds=0.01)
        await asyncio.sleep(0.03)
        return body

    assert await asyncio.create_task(answer()) == b"x"


async def test_a_task_that_others_cancel_stays_cancelled() -> None:
    task = asyncio.ensure_future(read(never, seconds=0.01))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_task_that_others_cancel_as_its_time_is_over_stays_cancelled() -> None:
    async def receive() -> Message:
        try:
            await asyncio.Event().wait()
        finally:
            waiting.cancel()
        raise AssertionError

    waiting = asyncio.ensure_future(read(receive, seconds=0.01))
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_wait_around_it_ends_in_its_own_time() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await read(never, seconds=1.0)
