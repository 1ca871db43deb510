"""What works while a process leads, put together: caches, queue, workers, watchers, kopf."""

import asyncio
import random
from collections.abc import Sequence
from functools import partial
from typing import Final, Protocol

from regisseur_operator.adapters.kubernetes_api import KubernetesApi
from regisseur_operator.adapters.kubernetes_cluster import KubernetesCluster
from regisseur_operator.adapters.kubernetes_events import KubernetesEvents
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
from regisseur_operator.runtime.events import EventSender
from regisseur_operator.runtime.informer import Informer
from regisseur_operator.runtime.modeldeployment_metrics import ModelDeploymentCollector
from regisseur_operator.runtime.modeldeployments import ModelDeployments
from regisseur_operator.runtime.priming import prime_all
from regisseur_operator.runtime.queue import KeyedQueue
from regisseur_operator.runtime.registries import Registries
from regisseur_operator.runtime.registry_watcher import RegistryWatcher
from regisseur_operator.runtime.turns import FairTurns
from regisseur_operator.runtime.workers import Workers
from regisseur_operator.settings import OperatorSettings, RegistrySettings
from regisseur_operator.telemetry import Metrics

DRAIN_SECONDS: Final = 3.0
FLUSH_SECONDS: Final = 1.0


class _Runs(Protocol):
    async def run(self) -> None: ...


def find_scopes(settings: OperatorSettings) -> Sequence[str | None]:
    """Return the namespaces that are watched one by one; None stands for all in one watch."""
    return settings.namespaces or (None,)


class Parts:
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
