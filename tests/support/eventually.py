"""Wait for something to become true, with a deadline and the reason why it did not.

Tests never sleep for luck: they say what they wait for and how long it may take at most.
"""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar, overload

T = TypeVar("T")

Description = str | Callable[[], object]
"""What is waited for, or a function that tells the present state when time is up."""


def eventually(
    condition: Callable[[], T],
    *,
    deadline_seconds: float,
    interval: float = 0.1,
    describe: Description = "",
) -> T:
    """Return the first truthy answer of `condition`.

    A condition that raises AssertionError is not true yet; any other error ends the wait at once.
    It is asked at least once, and once more when the time is up.

    Raises:
        AssertionError: The condition did not hold in time; says what it last answered.
    """
    deadline = time.monotonic() + deadline_seconds
    while True:
        is_last = time.monotonic() >= deadline
        try:
            answer = condition()
            if answer:
                return answer
            reason = f"it last answered {answer!r}"
        except AssertionError as error:
            reason = str(error) or "an assertion without a message failed"
        if is_last:
            raise AssertionError(_complaint(deadline_seconds, describe, reason))
        time.sleep(interval)


@overload
async def eventually_async(
    condition: Callable[[], Awaitable[T]],
    *,
    deadline_seconds: float,
    interval: float = 0.1,
    describe: Description = "",
) -> T: ...


@overload
async def eventually_async(
    condition: Callable[[], T],
    *,
    deadline_seconds: float,
    interval: float = 0.1,
    describe: Description = "",
) -> T: ...


async def eventually_async(
    condition: Callable[[], object],
    *,
    deadline_seconds: float,
    interval: float = 0.1,
    describe: Description = "",
) -> object:
    """Do what `eventually` does without blocking the event loop.

    The condition may be a coroutine function or a plain one.

    Raises:
        AssertionError: The condition did not hold in time; says what it last answered.
    """
    deadline = time.monotonic() + deadline_seconds
    while True:
        is_last = time.monotonic() >= deadline
        try:
            answer = condition()
            if inspect.isawaitable(answer):
                answer = await answer
            if answer:
                return answer
            reason = f"it last answered {answer!r}"
        except AssertionError as error:
            reason = str(error) or "an assertion without a message failed"
        if is_last:
            raise AssertionError(_complaint(deadline_seconds, describe, reason))
        await asyncio.sleep(interval)


def _complaint(deadline_seconds: float, describe: Description, reason: str) -> str:
    what = describe() if callable(describe) else describe
    return f"not within {deadline_seconds:g} s: {what or 'the condition'}; {reason}"
