"""Requests to the API server: deadlines, retries, and errors of our own.

Every request has a hard deadline over all its attempts. What goes away by itself (connections
that break, 429, 5xx) is tried again a few times with jitter; what does not goes to the caller.
"""

import asyncio
import json
import random
from collections.abc import Mapping
from http import HTTPStatus
from io import BytesIO
from types import TracebackType
from typing import Any, Self

import aiohttp

from regisseur_operator.adapters.kubernetes_errors import translate_answer
from regisseur_operator.adapters.kubernetes_session import Connection
from regisseur_operator.errors import OperatorError, TransientError, UnreachableError
from regisseur_operator.ports import Kind, Manifest

JSON = "application/json"
SPARE_CONNECTIONS = 8
"""For lists, Events and the Lease, whose renewal must never wait behind workers."""

ATTEMPTS = 4
ATTEMPT_SECONDS = 10.0
DEADLINE_SECONDS = 20.0
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0
LARGE_BYTES = 512 * 1024
TLS_GOODBYE_SECONDS = 0.1
"""A TLS connection that is cut off in the middle of a stream says goodbye after its session."""


def path_of(kind: Kind, namespace: str | None, name: str = "", subresource: str = "") -> str:
    """Return the path of an object, or of a collection where there is no name."""
    place = f"namespaces/{namespace}/" if namespace else ""
    parts = [f"/{kind.api}/{place}{kind.plural}", name, subresource]
    return "/".join(part for part in parts if part)


class KubernetesApi:
    """One API server, over a session of our own with a limited number of connections.

    Args:
        connection: The way there.
        workers: How many requests may wait at once besides lists, Events and the Lease.
        watches: How many streams are open all the time.
    """

    def __init__(self, connection: Connection, *, workers: int = 8, watches: int = 8) -> None:
        self._connection = connection
        self._limit = workers + watches + SPARE_CONNECTIONS
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = self._connection.open_session(limit=self._limit)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()
            await asyncio.sleep(TLS_GOODBYE_SECONDS)

    @property
    def session(self) -> aiohttp.ClientSession:
        """The open session, for streams."""
        if self._session is None:
            raise RuntimeError("the session is opened by `async with`")
        return self._session

    def url(self, path: str) -> str:
        """Return the whole address of a path."""
        return self._connection.server + path

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
        content_type: str = JSON,
        attempts: int = ATTEMPTS,
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> tuple[int, Manifest]:
        """Send one request and return the status and the object that was answered.

        Raises:
            OperatorError: What the refusal means.
        """
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": content_type, "Accept": JSON}
        options = {"data": data, "headers": headers, "params": params}
        try:
            async with asyncio.timeout(deadline_seconds):
                return await self._try(method, path, options, attempts)
        except TimeoutError:
            raise UnreachableError(
                f"the API server did not answer within {deadline_seconds:g} s"
            ) from None

    async def _try(
        self, method: str, path: str, options: dict[str, Any], attempts: int
    ) -> tuple[int, Manifest]:
        pause = FIRST_PAUSE_SECONDS
        for attempt in range(1, attempts + 1):
            outcome = await self._send(method, path, options)
            if not isinstance(outcome, OperatorError):
                return outcome
            if not _is_worth_repeating(outcome) or attempt == attempts:
                raise outcome
            asked_for = getattr(outcome, "retry_after_seconds", None) or 0.0
            await asyncio.sleep(min(LONGEST_PAUSE_SECONDS, max(asked_for, _jitter(pause))))
            pause *= 3
        raise UnreachableError("the API server was not asked")

    async def _send(
        self, method: str, path: str, options: dict[str, Any]
    ) -> tuple[int, Manifest] | OperatorError:
        timeout = aiohttp.ClientTimeout(total=ATTEMPT_SECONDS)
        try:
            data = _to_stream(options["data"])
            async with self.session.request(
                method, self.url(path), timeout=timeout, **{**options, "data": data}
            ) as response:
                status, body = response.status, await response.read()
                retry_after = _read_retry_after(response)
        except (aiohttp.ClientError, OSError) as error:
            return UnreachableError(describe(error))
        if status >= HTTPStatus.BAD_REQUEST:
            return translate_answer(status, body, retry_after_seconds=retry_after)
        document = _parse(body)
        if document is None:
            return UnreachableError("the API server answered something that is no object")
        return status, document


def _to_stream(data: bytes | None) -> bytes | BytesIO | None:
    """Have what is large sent piece by piece: nothing else would go on meanwhile."""
    return BytesIO(data) if data is not None and len(data) > LARGE_BYTES else data


def describe(error: BaseException) -> str:
    """Say in one line why the API server was not reached."""
    if isinstance(error, TimeoutError):
        return "the API server did not answer in time"
    if isinstance(error, aiohttp.ClientPayloadError):
        return "the API server broke off in the middle of an answer"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"the API server cannot be reached: {error.strerror or error.os_error}"
    return f"the API server cannot be reached: {str(error) or type(error).__name__}"


def _parse(body: bytes) -> Manifest | None:
    try:
        document = json.loads(body)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _is_worth_repeating(error: OperatorError) -> bool:
    if isinstance(error, UnreachableError):
        return True
    return type(error) is TransientError


def _read_retry_after(response: aiohttp.ClientResponse) -> float | None:
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isdecimal() and len(value) < 6 else None  # noqa: PLR2004  # at most a day


def _jitter(seconds: float) -> float:
    return seconds * random.uniform(0.5, 1.0)  # noqa: S311  # no secret depends on it
