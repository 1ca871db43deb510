"""Count and time every answer, and say in its headers which model gave it."""

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from regisseur_contract.http import (
    ROUTE_INVOCATIONS,
    ROUTE_LIVE,
    ROUTE_METRICS,
    ROUTE_MODEL,
    ROUTE_PING,
    ROUTE_PREDICT,
    ROUTE_READY,
    ROUTE_V2,
    ROUTE_VERSION,
)
from regisseur_serving.api.lifecycle import Lifecycle
from regisseur_serving.telemetry import Metrics

_ROUTES = {
    *(ROUTE_PREDICT, ROUTE_INVOCATIONS, ROUTE_PING, ROUTE_VERSION),
    *(ROUTE_LIVE, ROUTE_READY, ROUTE_METRICS, ROUTE_MODEL),
}
_OTHER = "other"
"""Paths are whatever clients send: they must not become values of a label."""
_INFER = f"{ROUTE_V2}/infer"
_CLIENT_GONE = 499
"""Nginx's code for a client that left before its answer; HTTP itself has none."""
_FAILED = 500


class Measuring:
    """ASGI middleware around the routes."""

    def __init__(self, app: ASGIApp, lifecycle: Lifecycle, metrics: Metrics) -> None:
        self._app = app
        self._lifecycle = lifecycle
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application does, and take note of it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = _CLIENT_GONE

        async def send_signed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), *self._lifecycle.headers]
            await send(message)

        try:
            await self._app(scope, receive, send_signed)
        except Exception:
            status = _FAILED
            raise
        finally:
            path = scope["path"]
            route = path if path in _ROUTES else _name_route(path)
            self._metrics.observe_request(route, status, time.perf_counter() - started)


def _name_route(path: str) -> str:
    """Return a name for a path that holds one of the model."""
    return _INFER if path.startswith(f"{ROUTE_V2}/models/") and path.endswith("/infer") else _OTHER
