"""What kopf's own requests tell about its watch.

kopf does not say when it lists anew: it hands the objects on one by one, and if there are none,
nothing at all. Nor does it say, or end, when its watch dies of an answer that it did not expect.
Both show in the requests that it makes.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from types import SimpleNamespace
from typing import Final

import aiohttp

from regisseur_contract.names import API_GROUP, API_VERSION, PLURAL

WATCH_SECONDS: Final = 120
"""How long one request of the watch lasts: the next one is the sign of life."""

SILENCE_SECONDS: Final = WATCH_SECONDS + 30.0
REFUSED_SECONDS: Final = 30.0
"""kopf tries again for about twenty seconds before it gives up."""

_GROUP: Final = f"/apis/{API_GROUP}/{API_VERSION}"


@dataclass
class _Watch:
    """The watch of one collection: its last sign of life, and since when it is refused."""

    last_at: float
    refused_since: float | None

    def is_over(self, now: float) -> bool:
        if self.refused_since is not None and now - self.refused_since > REFUSED_SECONDS:
            return True
        return now - self.last_at > SILENCE_SECONDS


class WatchRequests:
    """Follows the requests of one life of kopf; noted in its thread, asked in any.

    Args:
        listed: Called after each list; what vanished before it was not told.
        namespaces: Those that kopf watches; none: all of them in one watch.
        monotonic: Seconds on a clock that cannot jump.
    """

    def __init__(
        self,
        listed: Callable[[], None],
        *,
        namespaces: Sequence[str] = (),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._listed = listed
        self._monotonic = monotonic
        now = monotonic()
        paths = [f"{_GROUP}/namespaces/{name}/{PLURAL}" for name in namespaces]
        self._watches = {path: _Watch(now, now) for path in paths or [f"{_GROUP}/{PLURAL}"]}

    @property
    def are_over(self) -> bool:
        """Whether a watch is dead, though kopf lives on."""
        now = self._monotonic()
        return any(watch.is_over(now) for watch in self._watches.values())

    def note(self, path: str, *, is_list: bool, status: int) -> None:
        """Take in that a request was answered."""
        watch = self._watches.get(path)
        if watch is None:
            return
        watch.last_at = self._monotonic()
        if status == HTTPStatus.OK:
            watch.refused_since = None
            if is_list:
                self._listed()
        elif watch.refused_since is None:
            watch.refused_since = watch.last_at

    def note_fault(self, path: str) -> None:
        """Take in that a request found no server: kopf tries for as long as it takes."""
        watch = self._watches.get(path)
        if watch is not None:
            watch.last_at = self._monotonic()

    def build_trace(self) -> aiohttp.TraceConfig:
        """Return what takes note of the requests of a session."""
        trace = aiohttp.TraceConfig()

        async def answered(
            _: object, __: SimpleNamespace, params: aiohttp.TraceRequestEndParams
        ) -> None:
            is_list = not {"watch", "continue"} & params.url.query.keys()
            self.note(params.url.path, is_list=is_list, status=params.response.status)

        async def failed(
            _: object, __: SimpleNamespace, params: aiohttp.TraceRequestExceptionParams
        ) -> None:
            self.note_fault(params.url.path)

        trace.on_request_end.append(answered)
        trace.on_request_exception.append(failed)
        return trace
