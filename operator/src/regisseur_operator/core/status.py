"""The whole status, put together from its parts."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from regisseur_contract.names import LABEL_MODELDEPLOYMENT
from regisseur_operator.api.reasons import Reason
from regisseur_operator.api.status import (
    STRAYS_LIMIT,
    ConditionType,
    Handled,
    ModelDeploymentStatus,
    Phase,
    Rehearsal,
    RehearsalState,
    Rejection,
    Resolved,
    Stable,
)
from regisseur_operator.core.conditions import (
    Verdicts,
    judge_activity,
    judge_available,
    judge_ready,
    to_conditions,
)
from regisseur_operator.core.current import find_revision
from regisseur_operator.core.decision import Decision
from regisseur_operator.core.observed import Observed
from regisseur_operator.core.progress import Progress, reject
from regisseur_operator.core.progressing import judge_progressing
from regisseur_operator.core.rehearsed import judge_rehearsed
from regisseur_operator.core.resolution import Resolution
from regisseur_operator.core.trial import is_about
from regisseur_operator.core.verdict import Refusal, Verdict
from regisseur_operator.core.wanted import to_served

HTTP_PORT: Final = 80


def compute_status(
    observed: Observed,
    resolution: Resolution,
    decision: Decision,
    progress: Progress,
    refusal: Refusal | None,
) -> ModelDeploymentStatus:
    """Say what is, from what was observed after the writes.

    Args:
        observed: The world after the writes of this reconcile.
        resolution: What the reference named before them.
        decision: What was to be done.
        progress: How far the roll has come after the writes.
        refusal: A write that only a person can make succeed.
    """
    is_idle = observed.spec.suspend
    decision = _hold_refused(observed, decision, refusal)
    resolved = observed.status.resolved if is_idle else resolution.resolved
    verdicts = _judge_all(observed, resolution, decision, progress, refusal)
    active = [pod for pod in observed.pods if pod.is_active]
    ready_count = sum(pod.is_ready for pod in active)
    return ModelDeploymentStatus(
        observed_generation=observed.generation,
        phase=judge_phase(observed, progress, verdicts),
        reference=observed.spec.model.reference,
        ready=f"{ready_count}/{observed.wanted_replicas}",
        handled=observed.status.handled if is_idle else _judge_handled(observed, decision),
        url=_build_url(observed),
        replicas=len(active),
        ready_replicas=ready_count,
        selector=f"{LABEL_MODELDEPLOYMENT}={observed.key.name}",
        resolved=resolved,
        rehearsal=_keep_rehearsal(observed, resolution, decision),
        stable=_trace(observed, progress.stable, resolved),
        candidate=progress.candidate,
        history=progress.history,
        rejected=_judge_rejected(observed, decision, progress),
        stray_pods=list(observed.strays)[:STRAYS_LIMIT],
        conditions=to_conditions(verdicts, observed.status, observed.generation, observed.now),
    )


def _judge_all(
    observed: Observed,
    resolution: Resolution,
    decision: Decision,
    progress: Progress,
    refusal: Refusal | None,
) -> Verdicts:
    verdicts = {
        ConditionType.AVAILABLE: judge_available(observed, progress),
        ConditionType.PROGRESSING: judge_progressing(observed, progress, decision, refusal),
        ConditionType.RESOLVED: resolution.verdict,
        ConditionType.REGISTRY_REACHABLE: resolution.reachable,
        ConditionType.REHEARSED: judge_rehearsed(observed, decision, progress),
    }
    resolved = resolution.resolved
    ready = judge_ready(observed, progress, decision, resolved, verdicts)
    return {
        ConditionType.READY: ready,
        **verdicts,
        **judge_activity(progress, decision, verdicts[ConditionType.PROGRESSING]),
    }


def _judge_handled(observed: Observed, decision: Decision) -> Handled | None:
    """Say which verbs were acted on: a restart once its roll is there, a retry at once."""
    verbs, known = observed.verbs, observed.handled
    live = observed.live_roll
    is_restarted = decision.roll is None or (
        live is not None and live.inputs.restart == verbs.restart
    )
    handled = Handled(
        retry=verbs.retry or known.retry,
        restart=verbs.restart if verbs.restart and is_restarted else known.restart,
    )
    return handled if handled != Handled() else None


def _hold_refused(observed: Observed, decision: Decision, refusal: Refusal | None) -> Decision:
    """Say that a rehearsal does not run whose pod was refused; the first words stand."""
    rehearsal, known = decision.rehearsal, observed.status.rehearsal
    if refusal is None or not refusal.is_of_rehearsal:
        return decision
    if rehearsal is None or rehearsal.state != RehearsalState.RUNNING:
        return decision
    held = rehearsal.model_copy(
        update={
            "state": RehearsalState.HELD,
            "verdict": refusal.reason,
            "message": refusal.message,
        }
    )
    if known is not None and (known.key, known.state, known.verdict) == (
        held.key,
        held.state,
        held.verdict,
    ):
        held = known
    return replace(decision, rehearsal=held)


def _keep_rehearsal(
    observed: Observed, resolution: Resolution, decision: Decision
) -> Rehearsal | None:
    """Keep what was found out last, as long as it is about what is followed or in place.

    When that comes again it is another promotion, and is looked at again.
    """
    known = observed.status.rehearsal
    if observed.spec.suspend:
        return known
    if decision.rehearsal is not None or observed.is_retried or known is None:
        return decision.rehearsal
    if not decision.is_certain:
        return known
    present = [to_served(resolution.resolved)] if resolution.resolved is not None else []
    present += [decision.roll.inputs.served] if decision.roll is not None else []
    is_about_present = any(is_about(known.key, served) for served in present)
    return known if is_about_present and known.state not in OPEN_STATES else None


def _judge_rejected(observed: Observed, decision: Decision, progress: Progress) -> list[Rejection]:
    """Return what is not tried again; what came through in the end was rejected in haste."""
    if observed.spec.suspend:
        return observed.status.rejected
    live, hold = observed.live_roll, decision.hold
    is_through = progress.candidate is None and (
        hold is None or hold.reason != Reason.VERSION_REJECTED
    )
    through = live.key if live is not None and is_through else None
    return [entry for entry in reject(decision.rejected, progress) if entry.key != through]


def _trace(observed: Observed, stable: Stable | None, resolved: Resolved | None) -> Stable | None:
    """Tell of the stable version what was read last: with the metrics that gates ask for now."""
    if stable is None or resolved is None or resolved.lineage is None:
        return stable
    roll = find_revision(observed, stable.revision)
    if roll is None or roll.inputs.served != to_served(resolved):
        return stable
    return stable.model_copy(update={"lineage": resolved.lineage})


OPEN_STATES: Final = frozenset({RehearsalState.RUNNING, RehearsalState.HELD})

TELLING: Final = {
    Reason.NOTHING_RESOLVED: Phase.PENDING,
    Reason.GATE_UNMET: Phase.WAITING,
    Reason.IMAGE_UNKNOWN: Phase.WAITING,
    Reason.NOT_ALLOWED: Phase.WAITING,
    Reason.QUEUED: Phase.WAITING,
    Reason.REHEARSAL_RUNNING: Phase.REHEARSING,
}
"""Phases that the reason of the condition Progressing tells by itself."""


def judge_phase(observed: Observed, progress: Progress, verdicts: Verdicts) -> Phase:
    """Sum the conditions up in one word."""
    progressing, ready = verdicts[ConditionType.PROGRESSING], verdicts[ConditionType.READY]
    if observed.spec.suspend:
        return Phase.SUSPENDED
    is_down = progress.stable is not None and verdicts[ConditionType.AVAILABLE].status == "False"
    if progressing.reason in TELLING and not is_down:
        return TELLING[progressing.reason]
    if progressing.status == "False" or verdicts[ConditionType.RESOLVED].status == "False":
        return Phase.DEGRADED
    if ready.status == "True":
        return Phase.HEALTHY
    is_broken = progress.candidate is None and progress.fault is not None
    is_degraded = (
        is_broken
        or (is_down and progressing.reason in TELLING)
        or ready.reason == Reason.STRAY_PODS
    )
    return Phase.DEGRADED if is_degraded else Phase.PROGRESSING


def compute_refused_status(
    before: ModelDeploymentStatus, refusal: Refusal, generation: int, now: datetime
) -> ModelDeploymentStatus:
    """Say that the spec cannot be read; all else stays as it was said last."""
    refused = Verdict("False", refusal.reason, refusal.message)
    verdicts = {ConditionType.READY: refused, ConditionType.PROGRESSING: refused}
    changed = to_conditions(verdicts, before, generation, now)
    kept = [condition for condition in before.conditions if condition.type not in verdicts]
    return before.model_copy(
        update={
            "observed_generation": generation,
            "phase": Phase.DEGRADED,
            "conditions": [*changed, *kept],
        }
    )


def _build_url(observed: Observed) -> str:
    port = observed.spec.service.port
    host = f"{observed.key.name}.{observed.key.namespace}.svc"
    return f"http://{host}" if port == HTTP_PORT else f"http://{host}:{port}"
