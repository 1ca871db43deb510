"""The round that every ModelDeployment takes, again and again."""

from dataclasses import dataclass, replace
from typing import Final

from regisseur_operator.api.reasons import Reason
from regisseur_operator.api.status import HistoryEntry, ModelDeploymentStatus, parse_status
from regisseur_operator.api.v1alpha1 import ModelDeploymentSpec, parse_spec
from regisseur_operator.core.changes import list_ended, tell_changes
from regisseur_operator.core.decision import Decision
from regisseur_operator.core.identity import Key, Manifest
from regisseur_operator.core.notes import Note
from regisseur_operator.core.observed import (
    Configuration,
    Observed,
    build_reference,
    find_breach,
)
from regisseur_operator.core.planner import Plan, plan_writes
from regisseur_operator.core.progress import judge_progress
from regisseur_operator.core.resolution import Resolution, resolve
from regisseur_operator.core.rollout import decide_rollout
from regisseur_operator.core.settling import settle, wait_for_status
from regisseur_operator.core.status import compute_refused_status, compute_status
from regisseur_operator.core.under_way import find_under_way
from regisseur_operator.core.verbs import postpone_retry
from regisseur_operator.core.verdict import Refusal
from regisseur_operator.errors import TerminalError, TransientError
from regisseur_operator.ports import Clock, Cluster, ClusterView, Events, RegistryView, Turns
from regisseur_operator.reconcile.observing import Observer
from regisseur_operator.reconcile.writing import Applied, OwnerGoneError, Writer, Written
from regisseur_operator.resources import MODELDEPLOYMENT
from regisseur_operator.resources.children import build_children, find_leftovers

REFUSED_AGAIN_AFTER_SECONDS: Final = 30.0
"""What a person corrects elsewhere (a foreign object, a role) wakes nobody: look again."""

STATUS_WRITE: Final = Written("status", MODELDEPLOYMENT.kind)


@dataclass(frozen=True)
class Outcome:
    """What a reconcile did.

    Attributes:
        requeue_after_seconds: When time alone will have changed something.
        writes: Those that succeeded; none for a reconcile that changed nothing.
        notes: What was told as Events.
        rollouts: Those that have ended.
    """

    requeue_after_seconds: float | None = None
    writes: tuple[Written, ...] = ()
    notes: tuple[Note, ...] = ()
    rollouts: tuple[HistoryEntry, ...] = ()


def decide(observed: Observed) -> tuple[Resolution, Decision, Plan]:
    """Decide what is to be done; the same world gives the same plan."""
    resolution = resolve(observed)
    decision = decide_rollout(observed, resolution)
    desired, leftovers = build_children(observed, decision), find_leftovers(observed, decision)
    return resolution, decision, plan_writes(observed, desired, leftovers)


class Reconciler:
    """Brings the cluster to what a ModelDeployment and its registry say."""

    def __init__(
        self,
        *,
        cluster: Cluster,
        view: ClusterView,
        registries: RegistryView,
        turns: Turns,
        events: Events,
        clock: Clock,
        configuration: Configuration,
    ) -> None:
        self._cluster = cluster
        self._view = view
        self._registries = registries
        self._turns = turns
        self._events = events
        self._clock = clock
        self._configuration = configuration
        self._writer = Writer(cluster, view)
        self._observer = Observer(
            view=view,
            registries=registries,
            turns=turns,
            clock=clock,
            configuration=configuration,
        )

    async def reconcile(self, key: Key) -> Outcome:
        """Do one round for one ModelDeployment.

        Raises:
            TransientError: A write failed in a way that goes away; the status tells what is.
        """
        manifest = self._view.modeldeployment(key)
        if manifest is None or manifest["metadata"].get("deletionTimestamp"):
            return self._leave(key)
        try:
            spec = parse_spec(manifest)
        except TerminalError as error:
            return await self._refuse(manifest, error)
        self._follow(key, spec)
        seen = self._observer.observe(key, manifest, spec)
        observed = postpone_retry(settle(seen))
        resolution, decision, plan = decide(observed)
        decision, plan = wait_for_status(observed, seen.status, decision, plan)
        self._registries.watch_closely(key, is_close=decision.needs_attention)
        self._turns.settle(key, find_under_way(observed, decision), decision.waits_for)
        try:
            applied = await self._writer.apply(observed, plan)
        except OwnerGoneError:
            return self._leave(key)
        if applied.refusal is not None:
            self._turns.forget(key)
        after = self._observer.observe(key, manifest, spec) if applied.writes else observed
        after = replace(after, verbs=observed.verbs, status=observed.status)
        progress = judge_progress(after)
        status = compute_status(after, resolution, decision, progress, applied.refusal)
        parts = (resolution, decision, progress)
        seconds = [part.requeue_after_seconds for part in parts]
        soonest = min((pause for pause in seconds if pause is not None), default=None)
        return await self._tell(manifest, status, applied, soonest)

    def _leave(self, key: Key) -> Outcome:
        """Do nothing: the children are the garbage collector's."""
        self._registries.forget(key)
        self._turns.forget(key)
        self._writer.forget(key)
        return Outcome()

    def _follow(self, key: Key, spec: ModelDeploymentSpec) -> None:
        reference = build_reference(spec)
        if spec.suspend or find_breach(self._configuration, key, reference):
            self._registries.forget(key)
        else:
            self._registries.follow(key, reference)

    async def _refuse(self, manifest: Manifest, error: TerminalError) -> Outcome:
        metadata = manifest["metadata"]
        key = Key(metadata["namespace"], metadata["name"])
        self._registries.forget(key)
        self._turns.forget(key)
        refusal = Refusal(Reason(error.reason), str(error))
        status = compute_refused_status(
            parse_status(manifest), refusal, metadata.get("generation", 0), self._clock.now()
        )
        return await self._tell(manifest, status, Applied(), None)

    async def _tell(
        self,
        manifest: Manifest,
        status: ModelDeploymentStatus,
        applied: Applied,
        requeue_after_seconds: float | None,
    ) -> Outcome:
        """Publish what was done, write the status, and publish what it changed."""
        self._publish(manifest, applied.notes)
        before = parse_status(manifest)
        try:
            changes = await self._write_status(manifest, before, status, applied)
        except TransientError as fault:
            raise applied.fault or fault from None
        self._publish(manifest, changes)
        if applied.fault is not None:
            raise applied.fault
        if applied.refusal is not None:
            requeue_after_seconds = min(
                requeue_after_seconds or REFUSED_AGAIN_AFTER_SECONDS, REFUSED_AGAIN_AFTER_SECONDS
            )
        notes = (*applied.notes, *changes)
        ended = tuple(list_ended(before, status))
        return Outcome(requeue_after_seconds, tuple(applied.writes), notes, ended)

    async def _write_status(
        self,
        manifest: Manifest,
        before: ModelDeploymentStatus,
        status: ModelDeploymentStatus,
        applied: Applied,
    ) -> list[Note]:
        body = status.to_manifest()
        if body == (manifest.get("status") or {}):
            return []
        try:
            answer = await self._cluster.write_status({**manifest, "status": body})
        except TerminalError as error:
            text = f"the status cannot be written: {error}"
            raise TransientError(text, retry_after_seconds=REFUSED_AGAIN_AFTER_SECONDS) from error
        self._view.record(MODELDEPLOYMENT, answer)
        applied.writes.append(STATUS_WRITE)
        return tell_changes(before, status)

    def _publish(self, manifest: Manifest, notes: list[Note]) -> None:
        for note in notes:
            self._events.publish(manifest, note.kind, note.reason, note.message)
