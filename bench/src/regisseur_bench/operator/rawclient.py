"""The floor: an HTTP client that does nothing but ask the API server.

What it needs for some writes is what those writes cost at least.
"""

import asyncio
import json
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from http import HTTPStatus
from types import TracebackType
from typing import Any, Final, Self

import aiohttp

from regisseur_bench.operator.errors import BenchError

Json = dict[str, Any]

AT_ONCE: Final = 16
APPLY: Final = "application/apply-patch+yaml"
MERGE: Final = "application/merge-patch+json"
_SHOWN: Final = 300
_LONGEST_LINE: Final = 2**22
_PAUSE_SECONDS: Final = 0.2


class RawClient:
    """One user of the API server.

    Args:
        url: Where it is.
        trust: The API server's authority and the client's own certificate.
    """

    def __init__(self, url: str, trust: ssl.SSLContext) -> None:
        self._url = url
        self._trust = trust
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=self._trust),
            timeout=aiohttp.ClientTimeout(total=None),
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._opened.close()

    @property
    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise BenchError("the client is used outside of its block")
        return self._session

    async def request(
        self, method: str, path: str, body: Json | None = None, content_type: str = MERGE
    ) -> Json:
        """Send one request and return the answer.

        Raises:
            BenchError: The API server refused.
        """
        data = None if body is None else json.dumps(body)
        kind = "application/json" if method in {"POST", "PUT"} else content_type
        async with (
            self._gate,
            self._opened.request(
                method, self._url + path, data=data, headers={"Content-Type": kind}
            ) as response,
        ):
            text = await response.text()
            if response.status >= HTTPStatus.BAD_REQUEST:
                raise BenchError(f"{method} {path}: {response.status} {text[:_SHOWN]}")
            return dict(json.loads(text))

    async def list(self, path: str) -> list[Json]:
        """Return the objects of a collection."""
        return list((await self.request("GET", path)).get("items", []))

    async def watch(self, path: str) -> AsyncIterator[Json]:
        """Yield the events of a collection, for ever; a watch that ends begins anew."""
        url = f"{self._url}{path}?watch=true"
        while True:
            async with self._opened.get(url, read_bufsize=_LONGEST_LINE) as response:
                if response.status == HTTPStatus.TOO_MANY_REQUESTS:
                    await asyncio.sleep(_PAUSE_SECONDS)
                    continue
                if response.status >= HTTPStatus.BAD_REQUEST:
                    raise BenchError(f"watching {path}: {response.status}")
                async for line in response.content:
                    yield json.loads(line)


async def time_all(jobs: Iterable[Callable[[], Awaitable[object]]]) -> float:
    """Run jobs side by side and return the seconds until the last has ended."""
    started = time.perf_counter()
    await asyncio.gather(*(job() for job in jobs))
    return time.perf_counter() - started


async def time_each(jobs: Iterable[Callable[[], Awaitable[object]]]) -> list[float]:
    """Run jobs one after the other and return the seconds of each."""
    return [await time_all([job]) for job in jobs]
