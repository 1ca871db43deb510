"""uvicorn with another idea of an end.

On SIGTERM uvicorn closes its listener at once, before the cluster has stopped sending. Here it
first turns unready and says `Connection: close` with every answer, goes on accepting for the
drain time, and only then ends as uvicorn does: no new connections, requests in flight finish.

The admin port is a second server on the same loop. It has no end of its own: it answers for as long
as the first one does, whatever it is asked, and never keeps the process from ending.
"""

import logging
import socket
import time
from collections.abc import Callable
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from regisseur_serving.api.lifecycle import Lifecycle, Phase
from regisseur_serving.app.connection import BoundedConnection

KEEP_ALIVE_SECONDS = 3660
"""Longer than any client or proxy keeps an idle connection: Envoy's hour is the longest default.
The side that closes first must be the other one, or its next request races the closing."""

_LOGGER = logging.getLogger("regisseur_serving.server")


class AdminServer(uvicorn.Server):
    """Serves beside another server, which begins and ends it."""

    async def open(self) -> None:
        """Open the port."""
        self.config.load()
        self.lifespan = self.config.lifespan_class(self.config)
        await self.startup()

    def close(self) -> None:
        """Close the port and cut its connections; nobody waits for what they are answered."""
        for listener in self.servers:
            listener.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()


class DrainingServer(uvicorn.Server):
    """Serves until it is told to stop and the drain time is over.

    Args:
        config: uvicorn's configuration.
        admin: What serves beside it.
        lifecycle: Where the server is; this class moves it to draining.
        drain_seconds: How long requests are accepted after the first signal.
        on_listening: Called once when the port is open.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        *,
        admin: AdminServer,
        lifecycle: Lifecycle,
        drain_seconds: float,
        on_listening: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._admin = admin
        self._lifecycle = lifecycle
        self._drain_seconds = drain_seconds
        self._drain_until: float | None = None
        self._on_listening = on_listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open both ports, then let the model be loaded."""
        await super().startup(sockets)
        await self._admin.open()
        self._on_listening()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the port, finish what is in flight, and only then close the admin port."""
        await super().shutdown(sockets)
        self._admin.close()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - a signal handler
        """Begin to drain; end at once when nothing is served yet, or at a second signal."""
        match self._lifecycle.phase:
            case Phase.READY:
                self._drain_until = time.monotonic() + self._drain_seconds
                self._lifecycle.begin_draining()
            case Phase.LOADING:
                self.should_exit = True
            case Phase.DRAINING:
                self.should_exit = True
                self.force_exit = True

    async def on_tick(self, counter: int) -> bool:
        """End when the drain time is over; uvicorn asks ten times a second."""
        if self._drain_until is not None and time.monotonic() >= self._drain_until:
            self.should_exit = True
        await self._admin.on_tick(counter)
        return await super().on_tick(counter)


def build_config(application: ASGIApp, *, host: str, port: int) -> uvicorn.Config:
    """Return uvicorn's configuration for one process a pod."""
    return uvicorn.Config(
        application,
        host=host,
        port=port,
        loop="uvloop",
        http=BoundedConnection,
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        log_level=logging.WARNING,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        # Unset on purpose: requests in flight end by themselves, or with the grace period.
        timeout_graceful_shutdown=None,
    )
