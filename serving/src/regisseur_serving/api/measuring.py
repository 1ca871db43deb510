"""Count, time and name every answer, and give it the headers that all answers have."""

import logging
import re
import time
from http import HTTPStatus
from itertools import count
from pathlib import PurePath
from traceback import extract_tb
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from regisseur_contract.http import (
    HEADER_REQUEST_ID,
    ROUTE_EXPLAIN,
    ROUTE_INVOCATIONS,
    ROUTE_LIVE,
    ROUTE_METRICS,
    ROUTE_MODEL,
    ROUTE_PING,
    ROUTE_PREDICT,
    ROUTE_PROFILE,
    ROUTE_READY,
    ROUTE_V2,
    ROUTE_VERSION,
)
from regisseur_serving.api.bodies import find_header
from regisseur_serving.api.lifecycle import Lifecycle
from regisseur_serving.api.refusing import refuse
from regisseur_serving.telemetry import LOGGER, REQUEST_ID, Metrics

_ROUTES: Final = frozenset(
    {
        *(ROUTE_PREDICT, ROUTE_EXPLAIN, ROUTE_INVOCATIONS, ROUTE_PING, ROUTE_VERSION, ROUTE_MODEL),
        *(ROUTE_LIVE, ROUTE_READY, ROUTE_METRICS, ROUTE_PROFILE, "/docs", "/openapi.json"),
    }
)
_OTHER: Final = "other"
"""Paths are whatever clients send: they must not become values of a label."""
_INFER: Final = f"{ROUTE_V2}/infer"
_CLIENT_GONE: Final = 499
"""Nginx's code for a client that left before its answer; HTTP itself has none."""
_ID_HEADER: Final = HEADER_REQUEST_ID.lower().encode()
_ID: Final = re.compile(rb"[!-~]{1,128}")
"""What may come back in a header and in a log line: visible ASCII, without a blank."""
_ACCESS: Final = logging.getLogger("regisseur_serving.access")


class Measuring:
    """ASGI middleware around the routes.

    Args:
        app: Answers.
        lifecycle: Knows which model does.
        metrics: Take note of each answer.
        logs_access: Whether each answer is a line in the log.
    """

    def __init__(
        self, app: ASGIApp, lifecycle: Lifecycle, metrics: Metrics, *, logs_access: bool
    ) -> None:
        self._app = app
        self._lifecycle = lifecycle
        self._metrics = metrics
        self._logs_access = logs_access
        self._own_id = f"{lifecycle.boot_id}-".encode()
        self._numbers = count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application does, and take note of it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = find_header(scope, _ID_HEADER)
        if not _ID.fullmatch(request_id):
            request_id = self._own_id + b"%d" % next(self._numbers)
        REQUEST_ID.set(request_id.decode("ascii"))
        id_header = (_ID_HEADER, request_id)
        status = _CLIENT_GONE

        async def send_signed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = message.get("headers", ())
                message["headers"] = [*headers, *self._lifecycle.headers, id_header]
            await send(message)

        try:
            await self._app(scope, receive, send_signed)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not tell what it met
            _log_fault(error)
            if status == _CLIENT_GONE:
                text = "Internal Server Error"
                await refuse(scope, send_signed, HTTPStatus.INTERNAL_SERVER_ERROR, text)
            status = HTTPStatus.INTERNAL_SERVER_ERROR
        finally:
            seconds = time.perf_counter() - started
            path = scope["path"]
            route = path if path in _ROUTES else _name_route(path)
            self._metrics.observe_request(route, status, seconds)
            if self._logs_access:
                milliseconds = seconds * 1000
                _ACCESS.info("%s %s %d %.2f ms", scope["method"], route, status, milliseconds)


def _name_route(path: str) -> str:
    """Return a name for a path that holds one of the model."""
    return _INFER if path.startswith(f"{ROUTE_V2}/models/") and path.endswith("/infer") else _OTHER


def _log_fault(error: Exception) -> None:
    """Say where an error came up that nobody foresaw: its own words may quote the data."""
    frames = extract_tb(error.__traceback__)
    places = " > ".join(f"{PurePath(frame.filename).name}:{frame.lineno}" for frame in frames)
    LOGGER.error("a request failed with %s at %s", type(error).__name__, places)
