"""The operator's small web server: probes and metrics."""

from collections.abc import Callable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from regisseur_operator.telemetry import Metrics


class WebServer:
    """Answers /healthz, /readyz and /metrics.

    Args:
        metrics: What /metrics shows.
        why_not_ready: Says in a line what is missing; empty when ready.
        why_stuck: Says in a line what does not end by itself; empty while all does.
    """

    def __init__(
        self,
        metrics: Metrics,
        why_not_ready: Callable[[], str],
        why_stuck: Callable[[], str],
    ) -> None:
        self._metrics = metrics
        self._why_not_ready = why_not_ready
        self._why_stuck = why_stuck
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen and return the port, which is a free one for port 0."""
        application = web.Application()
        application.router.add_get("/healthz", self._answer_live)
        application.router.add_get("/readyz", self._answer_ready)
        application.router.add_get("/metrics", self._answer_metrics)
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Close the listener and what hangs on it."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer_live(self, _: web.Request) -> web.Response:
        reason = self._why_stuck()
        return web.Response(text=f"{reason or 'alive'}\n", status=503 if reason else 200)

    async def _answer_ready(self, _: web.Request) -> web.Response:
        reason = self._why_not_ready()
        return web.Response(text=f"{reason or 'ready'}\n", status=503 if reason else 200)

    async def _answer_metrics(self, _: web.Request) -> web.Response:
        body = generate_latest(self._metrics.registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})
