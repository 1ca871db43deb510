"""The composition root: puts the parts together and runs them while this process leads."""

import asyncio
import logging
import sys
from collections.abc import Callable
from typing import Any, Final

from regisseur_operator.adapters.kubernetes_api import KubernetesApi
from regisseur_operator.adapters.kubernetes_leases import KubernetesLease
from regisseur_operator.adapters.kubernetes_session import Connection
from regisseur_operator.parts import Parts, find_scopes
from regisseur_operator.ports import Clock, Cluster
from regisseur_operator.resources import WATCHED
from regisseur_operator.runtime.clock import SystemClock
from regisseur_operator.runtime.elector import Elector, LeadershipLostError
from regisseur_operator.runtime.web import WebServer
from regisseur_operator.settings import OperatorSettings
from regisseur_operator.telemetry import Metrics

log = logging.getLogger(__name__)

DEEPEST_JSON: Final = 50_000
"""The API server takes objects that are nested 10,000 levels deep, and Python gives up at a
thousand: one such object, of whoever it is, would end the look at all others."""


def _as_it_is(cluster: Cluster) -> Cluster:
    return cluster


class Operator:
    """One operator process.

    Args:
        settings: How it is configured.
        connection: The way to the API server.
        clock: Wall time.
        wrap_cluster: Puts something around what writes to the API server.
        on_lost: Called at once when this process led and must not act any more.
    """

    def __init__(
        self,
        settings: OperatorSettings,
        connection: Connection,
        *,
        clock: Clock | None = None,
        wrap_cluster: Callable[[Cluster], Cluster] = _as_it_is,
        on_lost: Callable[[LeadershipLostError], None] = lambda _: None,
    ) -> None:
        self._settings = settings
        self._connection = connection
        self._clock = clock or SystemClock()
        self._wrap_cluster = wrap_cluster
        self._on_lost = on_lost
        self._elector: Elector | None = None
        self._parts: Parts | None = None
        self._is_primed = False
        self.metrics = Metrics()
        self.web_port = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop.

        Raises:
            LeadershipLostError: This process led and must not act any more.
        """
        sys.setrecursionlimit(max(sys.getrecursionlimit(), DEEPEST_JSON))
        web = WebServer(self.metrics, self._why_not_ready, self._why_stuck)
        self.web_port = await web.start(self._settings.web_host, self._settings.web_port)
        try:
            scopes, workers = len(find_scopes(self._settings)), self._settings.workers
            watches = scopes * len(WATCHED)
            async with KubernetesApi(self._connection, workers=workers, watches=watches) as api:
                await self._run(api, stop)
        finally:
            await web.stop()

    async def _run(self, api: KubernetesApi, stop: asyncio.Event) -> None:
        lease = self._settings.lease
        store = KubernetesLease(api, lease.namespace, lease.name)
        elector = self._elector = Elector(store, lease, self._settings.identity)
        parts = self._parts = Parts(
            self._settings, self._connection, api, self.metrics, self._clock
        )
        parts.build_workers(self._wrap_cluster(parts.cluster))
        electing = asyncio.create_task(elector.run(), name="elector")
        stopping = asyncio.create_task(stop.wait(), name="stop")
        acting = asyncio.create_task(self._act(elector, parts), name="acting")
        try:
            done, _ = await asyncio.wait(
                {electing, stopping, acting}, return_when=asyncio.FIRST_COMPLETED
            )
            if stopping in done:
                log.info("stops")
                await parts.drain()
                await _end(electing)
                await elector.release()
            for task in done - {stopping}:
                task.result()
        except LeadershipLostError as error:
            self._on_lost(error)
            raise
        finally:
            await _end(electing, stopping, acting)

    async def _act(self, elector: Elector, parts: Parts) -> None:
        await elector.is_acquired.wait()
        self.metrics.is_leader.set(1)
        await parts.prime()
        self._is_primed = True
        await parts.run()

    def _why_stuck(self) -> str:
        return self._parts.why_stuck() if self._parts is not None else ""

    def _why_not_ready(self) -> str:
        if self._elector is None or not self._elector.has_answer:
            return "the API server has not answered yet"
        if self._elector.is_acquired.is_set() and not self._is_primed:
            return "the caches are not filled yet"
        return ""


async def _end(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
