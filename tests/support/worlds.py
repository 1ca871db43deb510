"""A small world around the operator's core: cluster, workloads, registry, time, a reconciler."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from regisseur_contract.names import (
    ANNOTATION_RESTART,
    ANNOTATION_RETRY,
    API_GROUP_VERSION,
    KIND,
    LABEL_MODEL_VERSION,
    LABEL_REHEARSAL,
)
from regisseur_operator.api.status import ModelDeploymentStatus, parse_status
from regisseur_operator.errors import TransientError
from regisseur_operator.ports import Key, Kind, Manifest, Turn
from regisseur_operator.reconcile import Configuration, Outcome, Reconciler
from regisseur_operator.resources import AUTOSCALER, DEPLOYMENT, MODELDEPLOYMENT, POD
from regisseur_operator.runtime.turns import FairTurns
from support.chronicle import Chronicle, find_alone
from support.fake_autoscaler import FakeAutoscaler
from support.fake_cluster import CrashError, FakeCluster, FakeView
from support.fake_kubelet import FakeKubelet
from support.fake_pod_status import is_ready
from support.fake_registry import FakeRegistry
from support.fake_workloads import FakeWorkloads

START = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
KEY = Key("ml", "wine")
OTHER_KEY = Key("other", "beer")
MOST_ROUNDS = 400
PATIENCE_SECONDS = 900.0
ASKING_SECONDS = 2.0
"""Until an operator that has just started knows what the registry says."""

SpecChange = Callable[[dict[str, Any]], None]


def _limit_memory(amount: str) -> SpecChange:
    return lambda spec: spec.update(serving={"resources": {"limits": {"memory": amount}}})


SPEC_CHANGES: dict[str, SpecChange] = {
    "image": lambda spec: spec.update(serving={"image": "own:v1"}),
    "memory": _limit_memory("1024Mi"),
    "more memory": _limit_memory("2Gi"),
    "env": lambda spec: spec.update(serving={"env": [{"name": "LEVEL", "value": "debug"}]}),
    "no serving": lambda spec: spec.pop("serving", None),
    "suspend": lambda spec: spec.update(suspend=not spec.get("suspend", False)),
    "replicas 0": lambda spec: spec.update(replicas=0),
    "replicas 1": lambda spec: spec.update(replicas=1),
    "replicas 2": lambda spec: spec.update(replicas=2),
    "replicas 3": lambda spec: spec.update(replicas=3),
    "port": lambda spec: spec.update(service={"port": 8080, "annotations": {"a": "b"}}),
    "recreate": lambda spec: spec.update(strategy={"recreate": {}}),
    "rolling": lambda spec: spec.pop("strategy", None),
    "autoscaling": lambda spec: spec.update(
        autoscaling={"minReplicas": 2, "maxReplicas": 4},
        serving={"resources": {"requests": {"cpu": "500m"}}},
    ),
    "no autoscaling": lambda spec: spec.pop("autoscaling", None),
    "rehearsal off": lambda spec: spec.update(rehearsal={"enabled": False}),
    "rehearsal on": lambda spec: spec.pop("rehearsal", None),
    "approval gate": lambda spec: spec["model"].update(
        gates={"requiredTags": {"approved": "true"}}
    ),
    "metric gate": lambda spec: spec["model"].update(
        gates={"metrics": [{"name": "accuracy", "threshold": 0.9}]}
    ),
    "no gates": lambda spec: spec["model"].pop("gates", None),
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
    """One ModelDeployment called wine, and everything around it.

    Attributes:
        load: For how many pods there is work, as an autoscaler measures it; None without metrics.
        after_reconcile: Who looks at what was told after a reconcile that had seen everything.
        turns_taken: What others have under way, as much as is allowed at once.
        models_made: How often the model was created anew.
        ready_log: How many pods of each version were ready, after each step.
        chronicle: Who served when.
    """

    def __init__(self, **spec: Any) -> None:
        self.clock = FakeClock()
        self.cluster = FakeCluster()
        self.cluster.now = self.clock.now()
        self.view = FakeView(self.cluster)
        self.workloads = FakeWorkloads(self.cluster)
        self.registry = FakeRegistry()
        self.events = FakeEvents()
        self.load: float | None = None
        self.turns_taken: frozenset[Turn] = frozenset()
        self.models_made = 0
        self.after_reconcile: Callable[[], None] | None = None
        self.ready_log: list[tuple[datetime, dict[str, int]]] = []
        self.chronicle = Chronicle()
        self._autoscaler: FakeAutoscaler | None = None
        self._answers_at: datetime | None = None
        self.configuration = Configuration("serving:v1", {"default": "http://mlflow:5000"})
        self.reconciler = self.start_operator()
        self.cluster.put(MODELDEPLOYMENT, build_modeldeployment(**spec))

    def start_operator(self) -> Reconciler:
        """Return a reconciler without any memory."""
        self.view.sync()
        self.turns = FairTurns(dict.fromkeys(Turn, 1), lambda _: None)
        self.turns.recall(filter(None, [self.view.modeldeployment(KEY)]))
        self.turns.settle(OTHER_KEY, self.turns_taken, None)
        self.reconciler = Reconciler(
            cluster=self.cluster,
            view=self.view,
            registries=self.registry,
            turns=self.turns,
            events=self.events,
            clock=self.clock,
            configuration=self.configuration,
        )
        return self.reconciler

    # ---- the passing of time -------------------------------------------------------------------

    async def reconcile(
        self, *, sync: bool = True, kinds: Collection[Kind] | None = None
    ) -> Outcome:
        """Do one reconcile on caches that are up to date, all of them or those of some kinds."""
        if sync:
            self.view.sync(kinds)
        seen = self._find_alone()
        outcome = await self.reconciler.reconcile(KEY)
        if sync and kinds is None:
            self.chronicle.look(seen)
            if self.after_reconcile is not None:
                self.after_reconcile()
        return outcome

    async def survive_reconcile(
        self, *, sync: bool = True, kinds: Collection[Kind] | None = None
    ) -> Outcome | None:
        """Do one reconcile; a transient error passes, a crash starts the operator again."""
        try:
            return await self.reconcile(sync=sync, kinds=kinds)
        except TransientError:
            return None
        except CrashError:
            self.registry.restart_watcher()
            self._answers_at = self.clock.now() + timedelta(seconds=ASKING_SECONDS)
            self.start_operator()
            return None

    def tick(self, seconds: float = 1.0) -> bool:
        """Let time pass and everything in the cluster take a step; tell whether it changed."""
        self.clock.advance(seconds)
        self.cluster.now = self.clock.now()
        before = self.cluster.changes
        self.workloads.tick(KEY, self.clock.now())
        is_news = self._ask_registry()
        self._autoscale()
        ready: dict[str, int] = {}
        for pod in filter(is_ready, self.workloads.pods(KEY)):
            version = pod["metadata"]["labels"][LABEL_MODEL_VERSION]
            ready[version] = ready.get(version, 0) + 1
        self.ready_log.append((self.clock.now(), ready))
        self.chronicle.note(self.clock.now(), self._find_alone())
        return self.cluster.changes != before or is_news

    async def settle(
        self,
        watch: Callable[[Outcome], None] | None = None,
        *,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        """Go on until nothing changes any more, or so many seconds have passed.

        While nothing moves, time jumps to where the operator wants to look again, or to where a
        pod or a controller does something by itself: back-offs and deadlines play out.
        """
        end = self.clock.now() + timedelta(seconds=patience)
        for _ in range(MOST_ROUNDS):
            outcome = await self.survive_reconcile()
            if outcome is not None and watch is not None:
                watch(outcome)
            is_moving = self.tick()
            if outcome is None or outcome.writes or is_moving:
                continue
            wait = self._wait_for(outcome)
            if wait is None or self.clock.now() + timedelta(seconds=wait) > end:
                return
            self.tick(wait)
        raise AssertionError(f"nothing settled in {MOST_ROUNDS} rounds: {self.cluster.writes[-9:]}")

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Go on, second by second, until something is so."""
        for _ in range(MOST_ROUNDS):
            if is_so():
                return
            await self.survive_reconcile()
            self.tick()
        raise AssertionError(f"it never came so: {self.status.conditions}")

    def _find_alone(self) -> int | None:
        pods, deployment = self.workloads.pods(KEY), self.cluster.find(DEPLOYMENT, KEY)
        return find_alone(self.clock.now(), pods, deployment)

    def _wait_for(self, outcome: Outcome) -> float | None:
        now, asking = self.clock.now(), None
        if self._answers_at is not None:
            asking = (self._answers_at - now).total_seconds()
        dues = (outcome.requeue_after_seconds, self.workloads.next_due(KEY, now), asking)
        return min((max(due, 1.0) for due in dues if due is not None), default=None)

    def _ask_registry(self) -> bool:
        """Let an operator that was started after a crash hear from the registry, once."""
        is_due = self._answers_at is not None and self.clock.now() >= self._answers_at
        if is_due:
            self._answers_at = None
            self.registry.answer_again()
        return is_due

    def _autoscale(self) -> None:
        live = self.cluster.find(AUTOSCALER, KEY)
        if live is None:
            self._autoscaler = None
            return
        asked = {name: live["spec"][name] for name in ("minReplicas", "maxReplicas")}
        if self._autoscaler is None:
            self._autoscaler = FakeAutoscaler(asked)
        self._autoscaler.spec = asked
        now = self.edited_spec().get("replicas", 1)
        number = self._autoscaler.look(now, len(self.workloads.pods(KEY)), self.load)
        if number != now:
            self.edit_spec(lambda spec: spec.update(replicas=number))
        status = self._autoscaler.manifest["status"]
        if status != live.get("status"):
            self.cluster.put(AUTOSCALER, {**live, "status": status})

    # ---- what happens elsewhere ------------------------------------------------------------------

    def take_turns(self, turns: Collection[Turn]) -> None:
        """Let somebody else have as much under way of these as is allowed at once."""
        self.turns_taken = frozenset(turns)
        self.turns.settle(OTHER_KEY, self.turns_taken, None)

    # ---- what people do ------------------------------------------------------------------------

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

    def rollback_to(self, revision: int | None) -> None:
        """Set spec.rollbackTo, or clear it."""
        if revision is None:
            self.edit_spec(lambda spec: spec.pop("rollbackTo", None))
        else:
            self.edit_spec(lambda spec: spec.update(rollbackTo=revision))

    def retry(self, token: str) -> None:
        """Ask for what was rejected to be tried again."""
        self._annotate(ANNOTATION_RETRY, token)

    def restart(self, token: str) -> None:
        """Ask for new pods."""
        self._annotate(ANNOTATION_RESTART, token)

    def _annotate(self, name: str, value: str) -> None:
        def change(manifest: Manifest) -> None:
            manifest["metadata"].setdefault("annotations", {})[name] = value

        self.cluster.edit(MODELDEPLOYMENT, KEY, change)

    def approve(self, version: int) -> None:
        """Set the tag that the approval gate asks for."""
        self.registry.set_tag(version, "approved", "true")

    def replace_files(self, version: int, found: str) -> None:
        """Overwrite a version's files in place; `missing` takes them away."""
        self.kubelet.artifacts[self.files_of(version)] = found

    def files_of(self, version: int) -> str:
        """Where the files of a version are."""
        return f"mlflow-artifacts:/1/models/{self.registry.versions['wine', version].model_id}"

    def wipe_status(self) -> None:
        """Do what a restore from a backup does."""
        self.cluster.edit(MODELDEPLOYMENT, KEY, lambda manifest: manifest.pop("status", None))
        self.chronicle.wiped_at = self.clock.now()

    # ---- what there is -------------------------------------------------------------------------

    @property
    def kubelet(self) -> FakeKubelet:
        """What runs the pods."""
        return self.workloads.kubelet

    @property
    def status(self) -> ModelDeploymentStatus:
        """The status as it is stored."""
        return parse_status(self.cluster.get(MODELDEPLOYMENT, KEY))

    @property
    def deployment(self) -> Manifest:
        """The live Deployment."""
        return self.cluster.get(DEPLOYMENT, KEY)

    @property
    def rehearsal_pods(self) -> list[Manifest]:
        """Pods that rehearse."""
        return self.cluster.list(POD, KEY.namespace, LABEL_REHEARSAL, KEY.name)

    @property
    def ready_pods(self) -> int:
        """How many pods take requests."""
        return sum(map(is_ready, self.workloads.pods(KEY)))

    @property
    def served_versions(self) -> list[str]:
        """Versions of the pods that take requests, one entry a pod."""
        ready = filter(is_ready, self.workloads.pods(KEY))
        return sorted(pod["metadata"]["labels"][LABEL_MODEL_VERSION] for pod in ready)

    def runs(self, version: int) -> bool:
        """Whether there is a serving pod of the version."""
        pods = self.workloads.pods(KEY)
        return any(pod["metadata"]["labels"][LABEL_MODEL_VERSION] == str(version) for pod in pods)

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


async def start(**spec: Any) -> World:
    """Return a world that serves version 1 and is at rest; writes and Events count from here."""
    world = World(**spec)
    world.registry.promote(1)
    await world.settle()
    world.cluster.writes.clear()
    world.events.published.clear()
    return world
