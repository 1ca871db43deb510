"""The composition root: puts the parts together and runs them while this process leads."""

import asyncio
import logging
import random
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, Protocol

from regisseur_operator.adapters.kubernetes_api import KubernetesApi
from regisseur_operator.adapters.kubernetes_cluster import KubernetesCluster
from regisseur_operator.adapters.kubernetes_events import KubernetesEvents
from regisseur_operator.adapters.kubernetes_leases import KubernetesLease
from regisseur_operator.adapters.kubernetes_session import Connection
from regisseur_operator.adapters.kubernetes_watching import KubernetesWatching
from regisseur_operator.adapters.mlflow_access import MlflowAccess
from regisseur_operator.adapters.mlflow_registry import MlflowRegistry
from regisseur_operator.core.policy import RegistryPolicy
from regisseur_operator.handlers.shell import KopfShell
from regisseur_operator.ports import Clock, Cluster, Turn
from regisseur_operator.reconcile import Configuration, Reconciler
from regisseur_operator.resources import MODELDEPLOYMENT, WATCHED
from regisseur_operator.runtime.caches import Caches
from regisseur_operator.runtime.clock import SystemClock
from regisseur_operator.runtime.elector import Elector, LeadershipLostError
from regisseur_operator.runtime.events import EventSender
from regisseur_operator.runtime.informer import Informer
from regisseur_operator.runtime.modeldeployment_metrics import ModelDeploymentCollector
from regisseur_operator.runtime.modeldeployments import ModelDeployments
from regisseur_operator.runtime.priming import prime_all
from regisseur_operator.runtime.queue import KeyedQueue
from regisseur_operator.runtime.registries import Registries
from regisseur_operator.runtime.registry_watcher import RegistryWatcher
from regisseur_operator.runtime.turns import FairTurns
from regisseur_operator.runtime.web import WebServer
from regisseur_operator.runtime.workers import Workers
from regisseur_operator.settings import OperatorSettings, RegistrySettings
from regisseur_operator.telemetry import Metrics

log = logging.getLogger(__name__)

DEEPEST_JSON: Final = 50_000
"""The API server takes objects that are nested 10,000 levels deep, and Python gives up at a
thousand: one such object, of whoever it is, would end the look at all others."""

DRAIN_SECONDS: Final = 3.0
FLUSH_SECONDS: Final = 1.0


class _Runs(Protocol):
    async def run(self) -> None: ...


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
        self._parts: _Parts | None = None
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
        parts = self._parts = _Parts(
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

    async def _act(self, elector: Elector, parts: "_Parts") -> None:
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


def find_scopes(settings: OperatorSettings) -> Sequence[str | None]:
    """Return the namespaces that are watched one by one; None stands for all in one watch."""
    return settings.namespaces or (None,)


class _Parts:
    """Everything that works while this process leads."""

    def __init__(
        self,
        settings: OperatorSettings,
        connection: Connection,
        api: KubernetesApi,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._metrics = metrics
        self._clock = clock
        self._queue = KeyedQueue(lambda: random.uniform(0.7, 1.3))  # noqa: S311
        metrics.queue_depth.set_function(lambda: len(self._queue))
        metrics.queue_oldest.set_function(lambda: self._queue.oldest_seconds)
        wake = self._queue.add
        self._caches = Caches(MODELDEPLOYMENT, WATCHED)
        metrics.registry.register(ModelDeploymentCollector(self._caches.modeldeployments))
        scopes = find_scopes(settings)
        self._modeldeployments = ModelDeployments(
            [KubernetesWatching(api, MODELDEPLOYMENT, namespace=scope) for scope in scopes],
            self._caches.modeldeployments,
            wake,
            metrics,
        )
        self._informers = [
            Informer(
                KubernetesWatching(api, watched.kind, selector=watched.label, namespace=scope),
                self._caches.of_watched[watched],
                wake,
            )
            for watched in WATCHED
            for scope in scopes
        ]
        self._turns = FairTurns(
            {
                Turn.REHEARSAL: settings.rehearsals_at_once,
                Turn.ROLLOUT: settings.rollouts_at_once,
            },
            wake,
        )
        for turn in Turn:
            waiting = partial(self._turns.count_waiting, turn)
            metrics.waiting.labels(turn).set_function(waiting)
        self._events = EventSender(KubernetesEvents(api), clock, metrics)
        self._registries = {entry.name: self._build_registry(entry) for entry in self.entries}
        self._watchers = {
            entry.name: RegistryWatcher(
                entry.name,
                self._registries[entry.name],
                interval_seconds=entry.poll_interval_seconds,
                wake=wake,
                clock=clock,
                metrics=metrics,
            )
            for entry in self.entries
        }
        self._shell = KopfShell(
            connection,
            self._modeldeployments.take,
            self._modeldeployments.sweep_soon,
            namespaces=settings.namespaces,
        )
        self.cluster = KubernetesCluster(api, MODELDEPLOYMENT)

    @property
    def entries(self) -> tuple[RegistrySettings, ...]:
        """The registries that are configured."""
        return self._settings.registries

    def build_workers(self, cluster: Cluster) -> None:
        """Put the workers on the queue, writing to a cluster."""
        reconciler = Reconciler(
            cluster=cluster,
            view=self._caches,
            registries=Registries(self._watchers),
            turns=self._turns,
            events=self._events,
            clock=self._clock,
            configuration=Configuration(
                default_image=self._settings.serving_image,
                registry_urls={entry.name: entry.url for entry in self.entries},
                workspaces={entry.name: entry.workspace for entry in self.entries},
                policies={entry.name: _build_policy(entry) for entry in self.entries},
            ),
        )
        self._workers = Workers(
            self._queue, reconciler.reconcile, self._settings.workers, self._metrics
        )

    def why_stuck(self) -> str:
        """Say what does not end by itself; empty while all does."""
        return self._workers.why_stuck()

    async def prime(self) -> None:
        """Fill the caches; wait as long as that takes."""
        await prime_all(
            self._modeldeployments.prime, [informer.prime for informer in self._informers]
        )
        self._turns.recall(self._caches.modeldeployments)

    async def run(self) -> None:
        """Work until cancelled."""
        parts: tuple[_Runs, ...] = (
            *self._informers,
            *self._watchers.values(),
            self._modeldeployments,
            self._events,
            self._workers,
            self._shell,
        )
        try:
            async with asyncio.TaskGroup() as group:
                for part in parts:
                    group.create_task(part.run(), name=type(part).__name__)
        finally:
            for registry in self._registries.values():
                await registry.close()

    async def drain(self) -> None:
        """Finish what was begun, as far as the time goes, and begin nothing new."""
        await self._workers.drain(DRAIN_SECONDS)
        await self._events.flush(FLUSH_SECONDS)

    def _build_registry(self, entry: RegistrySettings) -> MlflowRegistry:
        calls = self._metrics.registry_calls
        return MlflowRegistry(
            entry.url,
            access=MlflowAccess(
                entry.url,
                credentials=entry.credentials_directory,
                authorities=entry.ca_bundle,
                workspace=entry.workspace,
            ),
            timeout_seconds=entry.timeout_seconds,
            count=lambda outcome: calls.labels(entry.name, outcome).inc(),
        )


def _build_policy(entry: RegistrySettings) -> RegistryPolicy:
    return RegistryPolicy(
        namespaces=entry.allowed_namespaces,
        models=entry.allowed_models,
        image_repositories=entry.allowed_image_repositories,
        trusts_pickle=entry.trust_pickle,
    )


async def _end(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
