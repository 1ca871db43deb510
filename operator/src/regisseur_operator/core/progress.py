"""How far the roll has come: stable, candidate and history.

Read off the live Deployment alone, so that a lost status comes back. The candidate becomes stable
when all pods are of its template and available and no others are left.
"""

from dataclasses import dataclass

from regisseur_operator.api.reasons import Reason
from regisseur_operator.api.status import (
    HISTORY_LIMIT,
    Candidate,
    CandidatePhase,
    Failure,
    HistoryEntry,
    ModelDeploymentStatus,
    Outcome,
    Stable,
)
from regisseur_operator.core.diagnosis import Diagnosis, diagnose
from regisseur_operator.core.observed import DeploymentFacts, Observed
from regisseur_operator.core.roll import Roll


@dataclass(frozen=True)
class Progress:
    """What the status says of rollouts.

    Attributes:
        problem: What is wrong with the pods or with making them.
    """

    stable: Stable | None
    candidate: Candidate | None
    history: list[HistoryEntry]
    problem: Diagnosis | None


def judge_progress(observed: Observed) -> Progress:
    """Judge the roll that the live Deployment carries."""
    status, deployment = observed.status, observed.deployment
    roll = deployment.roll if deployment is not None else None
    problem = find_problem(observed)
    if deployment is None or roll is None:
        return Progress(_count(observed, status.stable), status.candidate, status.history, problem)
    history = _close_superseded(observed, roll)
    if _is_settled(status, roll):
        return Progress(_count(observed, status.stable), None, history, problem)
    if deployment.is_rolled_out:
        stable = _to_stable(observed, deployment, roll)
        history = [_to_success(roll, stable), *history][:HISTORY_LIMIT]
        return Progress(_count(observed, stable), None, history, problem)
    stable_so_far = status.stable or _recall_stable(observed, roll)
    candidate = _to_candidate(observed, deployment, roll, problem)
    return Progress(_count(observed, stable_so_far), candidate, history, problem)


def find_problem(observed: Observed) -> Diagnosis | None:
    """Say what keeps pods of the present roll from being made or from being ready."""
    deployment = observed.deployment
    if deployment is None or not deployment.is_current:
        return None
    refused = deployment.conditions.get("ReplicaFailure", {})
    if refused.get("status") == "True":
        message = f"Pods cannot be created: {refused.get('message', '')}"
        return Diagnosis(Reason.REPLICA_FAILURE, message)
    wanted = deployment.roll.pod_label if deployment.roll is not None else ""
    return diagnose(pod for pod in observed.pods if pod.inputs == wanted)


def is_past_deadline(deployment: DeploymentFacts) -> bool:
    """Whether its controller has seen no progress for progressDeadlineSeconds."""
    progressing = deployment.conditions.get("Progressing", {})
    return deployment.is_current and progressing.get("status") == "False"


def _is_settled(status: ModelDeploymentStatus, roll: Roll) -> bool:
    return status.stable is not None and status.stable.revision == roll.revision


def _count(observed: Observed, stable: Stable | None) -> Stable | None:
    """Count the ready pods of the stable roll; the version alone does not tell two rolls apart."""
    if stable is None:
        return None
    roll = observed.deployment.roll if observed.deployment is not None else None
    ready = [
        pod
        for pod in observed.pods
        if pod.is_ready and pod.is_active and pod.version == str(stable.version)
    ]
    if roll is not None and roll.revision == stable.revision:
        ready = [pod for pod in ready if pod.inputs == roll.pod_label]
    elif roll is not None:
        ready = [pod for pod in ready if pod.inputs != roll.pod_label]
    return stable.model_copy(update={"ready_replicas": len(ready)})


def _to_stable(observed: Observed, deployment: DeploymentFacts, roll: Roll) -> Stable:
    completed_at = deployment.completed_at or observed.now
    return Stable(
        version=roll.version,
        revision=roll.revision,
        image=roll.inputs.image,
        since=max(completed_at, roll.started_at),
    )


def _to_success(roll: Roll, stable: Stable) -> HistoryEntry:
    return HistoryEntry(
        revision=roll.revision,
        version=roll.version,
        from_version=roll.from_version,
        outcome=Outcome.SUCCEEDED,
        reason=Reason.ROLLOUT_COMPLETE,
        started_at=roll.started_at,
        finished_at=stable.since,
    )


def _recall_stable(observed: Observed, roll: Roll) -> Stable | None:
    """With an empty status, what was stable is what the roll says it replaces."""
    if roll.from_version is None or observed.status.candidate is not None:
        return None
    return Stable(version=roll.from_version, revision=roll.from_revision or roll.revision - 1)


def _to_candidate(
    observed: Observed, deployment: DeploymentFacts, roll: Roll, problem: Diagnosis | None
) -> Candidate:
    is_failed = is_past_deadline(deployment) or (
        problem is not None and problem.reason == Reason.REPLICA_FAILURE
    )
    return Candidate(
        version=roll.version,
        revision=roll.revision,
        image=roll.inputs.image,
        phase=CandidatePhase.FAILED if is_failed else CandidatePhase.PROGRESSING,
        started_at=roll.started_at,
        last_failure=_to_failure(observed, roll, problem),
    )


def _to_failure(observed: Observed, roll: Roll, problem: Diagnosis | None) -> Failure | None:
    """Keep the first words about one and the same failure: attempts differ in nothing but noise."""
    if problem is None:
        return None
    previous = observed.status.candidate
    known = previous.last_failure if previous and previous.revision == roll.revision else None
    if known is not None and known.reason == problem.reason:
        return known
    return Failure(reason=problem.reason, message=problem.message, at=observed.now)


def _close_superseded(observed: Observed, roll: Roll) -> list[HistoryEntry]:
    """Enter a rollout into the history that another one replaced before its end."""
    status = observed.status
    old = status.candidate
    is_known = old is not None and old.revision in {entry.revision for entry in status.history}
    if old is None or old.revision == roll.revision or is_known:
        return status.history
    is_failed = old.phase == CandidatePhase.FAILED
    cause = old.last_failure.reason if old.last_failure is not None else ""
    entry = HistoryEntry(
        revision=old.revision,
        version=old.version,
        from_version=status.stable.version if status.stable is not None else None,
        outcome=Outcome.FAILED if is_failed else Outcome.SUPERSEDED,
        reason=(cause or Reason.PROGRESS_DEADLINE_EXCEEDED)
        if is_failed
        else Reason.ROLLOUT_SUPERSEDED,
        started_at=old.started_at,
        finished_at=observed.now,
    )
    return [entry, *status.history][:HISTORY_LIMIT]
