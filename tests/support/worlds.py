"""A small world around the operator's core: cluster, workloads, registry, time, a reconciler."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from regisseur_contract.names import API_GROUP_VERSION, KIND
from regisseur_operator.api.status import ModelDeploymentStatus, parse_status
from regisseur_operator.errors import TransientError
from regisseur_operator.ports import Key, Manifest
from regisseur_operator.reconcile import Configuration, Outcome, Reconciler
from regisseur_operator.resources import DEPLOYMENT, MODELDEPLOYMENT
from support.fake_cluster import CrashError, FakeCluster, FakeView
from support.fake_registry import FakeRegistry
from support.fake_workloads import FakeWorkloads, is_ready

START = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
KEY = Key("ml", "wine")
MOST_ROUNDS = 60

SpecChange = Callable[[dict[str, Any]], None]
SPEC_CHANGES: dict[str, SpecChange] = {
    "image": lambda spec: spec.update(serving={"image": "own:v1"}),
    "memory": lambda spec: spec.update(serving={"resources": {"limits": {"memory": "1024Mi"}}}),
    "suspend": lambda spec: spec.update(suspend=not spec.get("suspend", False)),
    "replicas 0": lambda spec: spec.update(replicas=0),
    "replicas 1": lambda spec: spec.update(replicas=1),
    "replicas 3": lambda spec: spec.update(replicas=3),
    "port": lambda spec: spec.update(service={"port": 8080, "annotations": {"a": "b"}}),
}


@dataclass
class FakeClock:
    """Time that moves when it is told to."""

    moment: datetime = START

    def now(self) -> datetime:
        """The time."""
        return self.moment

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.moment += timedelta(seconds=seconds)


class FakeEvents:
    """Keeps what is published."""

    def __init__(self) -> None:
        self.published: list[tuple[str, str, str]] = []

    def publish(
        self, about: Manifest, kind: Literal["Normal", "Warning"], reason: str, message: str
    ) -> None:
        """Keep one Event."""
        assert about["kind"] == KIND
        self.published.append((kind, reason, message))

    @property
    def reasons(self) -> list[str]:
        """The reasons, in order."""
        return [reason for _, reason, _ in self.published]


class World:
    """One ModelDeployment called wine, and everything around it."""

    def __init__(self, **spec: Any) -> None:
        self.clock = FakeClock()
        self.cluster = FakeCluster()
        self.view = FakeView(self.cluster)
        self.workloads = FakeWorkloads(self.cluster)
        self.registry = FakeRegistry()
        self.events = FakeEvents()
        self.configuration = Configuration("serving:v1", {"default": "http://mlflow:5000"})
        self.reconciler = self.start_operator()
        self.cluster.put(MODELDEPLOYMENT, build_modeldeployment(**spec))

    def start_operator(self) -> Reconciler:
        """Return a reconciler without any memory."""
        self.view.sync()
        self.reconciler = Reconciler(
            cluster=self.cluster,
            view=self.view,
            registries=self.registry,
            events=self.events,
            clock=self.clock,
            configuration=self.configuration,
        )
        return self.reconciler

    async def reconcile(self, *, sync: bool = True) -> Outcome:
        """Do one reconcile on caches that are up to date, unless told otherwise."""
        if sync:
            self.view.sync()
        return await self.reconciler.reconcile(KEY)

    async def survive_reconcile(self, *, sync: bool = True) -> Outcome | None:
        """Do one reconcile; a transient error passes, a crash starts the operator again."""
        try:
            return await self.reconcile(sync=sync)
        except TransientError:
            return None
        except CrashError:
            self.start_operator()
            return None

    def tick(self, seconds: float = 1.0) -> bool:
        """Let the Deployment controller and the kubelet take a step."""
        self.clock.advance(seconds)
        return self.workloads.tick(KEY, self.clock.now())

    async def settle(self, watch: Callable[[Outcome], None] | None = None) -> None:
        """Go on until neither the operator nor the workloads change anything."""
        for _ in range(MOST_ROUNDS):
            outcome = await self.survive_reconcile()
            if outcome is not None and watch is not None:
                watch(outcome)
            is_moving = self.tick()
            if outcome is not None and not outcome.writes and not is_moving:
                return
        raise AssertionError(f"nothing settled in {MOST_ROUNDS} rounds: {self.cluster.writes[-9:]}")

    def edit_spec(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Do what a person does by `kubectl edit`."""
        self.cluster.edit(MODELDEPLOYMENT, KEY, lambda manifest: change(manifest["spec"]))

    def edited_spec(self) -> dict[str, Any]:
        """The spec as it is now."""
        return dict(self.cluster.get(MODELDEPLOYMENT, KEY)["spec"])

    def change(self, what: str) -> None:
        """Change the spec, or what the operator was configured with, by name."""
        if what == "default image":
            self.configuration = replace(self.configuration, default_image="serving:v2")
            self.start_operator()
        else:
            self.edit_spec(SPEC_CHANGES[what])

    def wipe_status(self) -> None:
        """Do what a restore from a backup does."""
        self.cluster.edit(MODELDEPLOYMENT, KEY, lambda manifest: manifest.pop("status", None))

    @property
    def status(self) -> ModelDeploymentStatus:
        """The status as it is stored."""
        return parse_status(self.cluster.get(MODELDEPLOYMENT, KEY))

    @property
    def deployment(self) -> Manifest:
        """The live Deployment."""
        return self.cluster.get(DEPLOYMENT, KEY)

    @property
    def ready_pods(self) -> int:
        """How many pods take requests."""
        return sum(map(is_ready, self.workloads.pods(KEY)))

    def condition(self, about: str) -> tuple[str, str, str]:
        """Return status, reason and message of a condition."""
        found = {entry.type: entry for entry in self.status.conditions}[about]
        return found.status, found.reason, found.message


def build_modeldeployment(**spec: Any) -> Manifest:
    """Return a ModelDeployment that follows Production; `spec` replaces what is usual."""
    usual = {"model": {"name": "wine", "stage": "Production"}, "replicas": 2}
    return {
        "apiVersion": API_GROUP_VERSION,
        "kind": KIND,
        "metadata": {"name": KEY.name, "namespace": KEY.namespace},
        "spec": {**usual, **spec},
    }
