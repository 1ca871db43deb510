"""How far the roll has come: stable and candidate; what ended goes into the history.

Read off the live Deployment alone, so that a lost status comes back. The candidate becomes stable
when all pods are of its template and available and no others are left.
"""

from dataclasses import dataclass
from datetime import datetime

from regisseur_operator.api.status import (
    Candidate,
    CandidatePhase,
    Failure,
    HistoryEntry,
    Lineage,
    ModelDeploymentStatus,
    Rejection,
    Stable,
)
from regisseur_operator.core.current import find_revision
from regisseur_operator.core.decision import add_rejection
from regisseur_operator.core.faults import Fault, find_roll_pods, judge_fault, seconds_left
from regisseur_operator.core.history import enter_success, enter_superseded, is_rollback
from regisseur_operator.core.observed import Observed
from regisseur_operator.core.roll import Roll


@dataclass(frozen=True)
class Progress:
    """What the status says of rollouts.

    Attributes:
        fault: What is wrong with the pods of the present roll, or with making them.
        rejection: The present roll, where it has failed by the version's own fault.
        requeue_after_seconds: When a pod that does not become ready will be late.
    """

    stable: Stable | None
    candidate: Candidate | None
    history: list[HistoryEntry]
    fault: Fault | None
    rejection: Rejection | None = None
    requeue_after_seconds: float | None = None


def judge_progress(observed: Observed) -> Progress:
    """Judge the roll that the live Deployment carries."""
    status, deployment = observed.status, observed.deployment
    roll = observed.live_roll
    fault = judge_fault(observed)
    if deployment is None or roll is None:
        return Progress(_count(observed, status.stable), status.candidate, status.history, fault)
    history = enter_superseded(observed, roll)
    if is_settled(status, roll):
        stable, due = _count(observed, status.stable), _soonest_deadline(observed)
        return Progress(stable, None, history, fault, requeue_after_seconds=due)
    if deployment.is_complete:
        stable = _to_stable(roll, max(deployment.completed_at or observed.now, roll.started_at))
        history = enter_success(history, roll, stable, is_rollback=is_rollback(observed, roll))
        return Progress(_count(observed, stable), None, history, fault)
    stable_so_far = status.stable or _recall_stable(observed, roll)
    candidate = _to_candidate(observed, roll, fault)
    return Progress(
        stable=_count(observed, stable_so_far),
        candidate=candidate,
        history=history,
        fault=fault,
        rejection=_to_rejection(observed, roll, candidate, fault),
        requeue_after_seconds=_soonest_deadline(observed),
    )


def reject(rejected: tuple[Rejection, ...], progress: Progress) -> list[Rejection]:
    """Return what is not to be tried again, the present roll included where it has failed."""
    if progress.rejection is None or progress.rejection.key in {entry.key for entry in rejected}:
        return list(rejected)
    return list(add_rejection(rejected, progress.rejection))


def is_settled(status: ModelDeploymentStatus, roll: Roll) -> bool:
    """Whether it is told already that this roll is complete."""
    return status.stable is not None and status.stable.revision == roll.revision


def _soonest_deadline(observed: Observed) -> float | None:
    left = (seconds_left(observed, pod) for pod in find_roll_pods(observed))
    return min((seconds for seconds in left if seconds), default=None)


# ---- stable ----------------------------------------------------------------------------------


def _count(observed: Observed, stable: Stable | None) -> Stable | None:
    """Count the ready pods of the stable roll; the version alone does not tell two rolls apart."""
    if stable is None:
        return None
    roll = find_revision(observed, stable.revision)
    ready = [pod for pod in observed.pods if pod.is_ready and pod.is_active]
    if roll is not None:
        ready = [pod for pod in ready if pod.inputs == roll.pod_label]
    else:
        ready = [pod for pod in ready if pod.version == str(stable.version)]
    return stable.model_copy(update={"ready_replicas": len(ready)})


def _to_stable(roll: Roll, since: datetime | None) -> Stable:
    return Stable(
        model=roll.inputs.served.model,
        version=roll.version,
        revision=roll.revision,
        digest=roll.inputs.digest,
        image=roll.inputs.image,
        run_id=roll.inputs.served.run_id,
        lineage=roll.lineage if roll.lineage != Lineage() else None,
        since=since,
    )


def _recall_stable(observed: Observed, roll: Roll) -> Stable | None:
    """With an empty status, what was stable is what the roll says it replaces."""
    if roll.from_version is None or observed.status.candidate is not None:
        return None
    number = roll.from_revision or roll.revision - 1
    before = find_revision(observed, number)
    if before is not None:
        return _to_stable(before, None)
    return Stable(version=roll.from_version, revision=number)


# ---- candidate -------------------------------------------------------------------------------


def _to_candidate(observed: Observed, roll: Roll, fault: Fault | None) -> Candidate:
    phase = CandidatePhase.PROGRESSING
    if fault is not None and not fault.is_first:
        phase = CandidatePhase.FAILED if fault.is_versions else CandidatePhase.HELD
    return Candidate(
        version=roll.version,
        revision=roll.revision,
        run_id=roll.inputs.served.run_id,
        digest=roll.inputs.digest,
        image=roll.inputs.image,
        phase=phase,
        started_at=roll.started_at,
        last_failure=_to_failure(observed, roll, fault),
    )


def _to_failure(observed: Observed, roll: Roll, fault: Fault | None) -> Failure | None:
    """Keep the first words about one and the same failure: attempts differ in nothing but noise."""
    if fault is None:
        return None
    finding, previous = fault.finding, observed.status.candidate
    known = previous.last_failure if previous and previous.revision == roll.revision else None
    if known is not None and known.reason == finding.reason:
        return known
    return Failure(reason=finding.reason, message=finding.message, at=observed.now)


def _to_rejection(
    observed: Observed, roll: Roll, candidate: Candidate, fault: Fault | None
) -> Rejection | None:
    failure = candidate.last_failure
    if fault is None or failure is None or not fault.is_versions or not roll.key:
        return None
    return Rejection(
        version=roll.version,
        key=roll.key,
        reason=failure.reason,
        message=failure.message,
        at=observed.now,
    )
