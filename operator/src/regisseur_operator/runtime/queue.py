"""The queue of resources to look at: each at most once in it, and by one worker at a time.

A key that is added while a worker has it is looked at again afterwards. A key that waits for a
moment in the future has one such moment, the earliest asked for.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from regisseur_operator.ports import Key

FIRST_BACKOFF_SECONDS: Final = 0.2
LONGEST_BACKOFF_SECONDS: Final = 60.0


class KeyedQueue:
    """Keys in the order in which they were added.

    Args:
        jitter: Draws a factor around 1 for each back-off.
    """

    def __init__(self, jitter: Callable[[], float]) -> None:
        self._jitter = jitter
        self._ready: deque[Key] = deque()
        self._since: dict[Key, float] = {}
        self._queued: set[Key] = set()
        self._working: set[Key] = set()
        self._again: set[Key] = set()
        self._later: dict[Key, asyncio.TimerHandle] = {}
        self._failures: dict[Key, int] = {}
        self._filled = asyncio.Event()

    def __len__(self) -> int:
        return len(self._ready)

    @property
    def oldest_seconds(self) -> float:
        """How long the key has waited that is next; 0 where none is."""
        return time.monotonic() - self._since[self._ready[0]] if self._ready else 0.0

    def add(self, key: Key) -> None:
        """Have a key looked at as soon as a worker is free."""
        if key in self._working:
            self._again.add(key)
        elif key not in self._queued:
            self._queued.add(key)
            self._since[key] = time.monotonic()
            self._ready.append(key)
            self._filled.set()

    def add_after(self, key: Key, seconds: float) -> None:
        """Have a key looked at after a while, unless an earlier moment is set already."""
        loop = asyncio.get_running_loop()
        when = loop.time() + max(0.0, seconds)
        known = self._later.get(key)
        if known is not None:
            if known.when() <= when:
                return
            known.cancel()
        self._later[key] = loop.call_at(when, self._expire, key)

    async def get(self) -> Key:
        """Wait for a key and hand it to the caller, who calls `done` or `fail` afterwards."""
        while not self._ready:
            self._filled.clear()
            await self._filled.wait()
        key = self._ready.popleft()
        self._queued.discard(key)
        del self._since[key]
        self._working.add(key)
        # The look that follows decides anew when the next one is due.
        if timer := self._later.pop(key, None):
            timer.cancel()
        return key

    def done(self, key: Key, *, again_after_seconds: float | None = None) -> None:
        """Take a key back that went well."""
        self._failures.pop(key, None)
        self._release(key, again_after_seconds)

    def fail(self, key: Key, *, at_least_seconds: float | None = None) -> float:
        """Take a key back that went wrong; return after how long it is tried again."""
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        grown = FIRST_BACKOFF_SECONDS * 2.0 ** min(failures - 1, 20)
        backoff = min(LONGEST_BACKOFF_SECONDS, grown) * self._jitter()
        backoff = max(backoff, at_least_seconds or 0.0)
        # News must not make a failing key spin: it waits for its back-off like everything else.
        self._again.discard(key)
        self._release(key, backoff)
        return backoff

    def _release(self, key: Key, after_seconds: float | None) -> None:
        self._working.discard(key)
        if key in self._again:
            self._again.discard(key)
            self.add(key)
        if after_seconds is not None:
            self.add_after(key, after_seconds)

    def _expire(self, key: Key) -> None:
        self._later.pop(key, None)
        self.add(key)
