"""The condition Progressing: whether what is to be done gets done."""

from typing import Final

from regisseur_operator.api.reasons import Reason
from regisseur_operator.api.status import Candidate, CandidatePhase, Stable
from regisseur_operator.core.decision import Decision
from regisseur_operator.core.faults import Fault
from regisseur_operator.core.observed import DeploymentFacts, Observed
from regisseur_operator.core.progress import Progress
from regisseur_operator.core.verdict import Refusal, Verdict

BLOCKING: Final = frozenset({Reason.REPLICA_FAILURE, Reason.ARTIFACT_CHANGED})
"""What is wrong with new pods of a version that serves already, and is told as no progress."""


def judge_progressing(
    observed: Observed, progress: Progress, decision: Decision, refusal: Refusal | None
) -> Verdict:
    """Say whether what is to be done gets done."""
    if observed.spec.suspend:
        message = "spec.suspend is true: the registry is not followed and nothing is changed"
        return Verdict("Unknown", Reason.SUSPENDED, message)
    if refusal is not None:
        return Verdict("False", refusal.reason, refusal.message)
    deployment, hold = observed.deployment, decision.hold
    if hold is not None and not _goes_on(observed, progress, decision):
        return hold
    if deployment is not None:
        verdict = _judge_rollout(observed, deployment, progress, decision)
        also = f". {hold.message}" if hold is not None else ""
        return Verdict(verdict.status, verdict.reason, f"{verdict.message}{also}")
    if decision.roll is not None:
        return Verdict("True", Reason.ROLLOUT_PROGRESSING, "The Deployment is being created")
    message = "There is no version to roll out: see the condition Resolved"
    return Verdict("False", Reason.NOTHING_RESOLVED, message)


def _goes_on(observed: Observed, progress: Progress, decision: Decision) -> bool:
    """Whether there is a rollout that goes on, whatever else is held up."""
    candidate, roll = progress.candidate, decision.roll
    if candidate is None or roll is None or is_dormant(observed):
        return False
    return roll.revision == candidate.revision and candidate.phase != CandidatePhase.FAILED


def _judge_rollout(
    observed: Observed, deployment: DeploymentFacts, progress: Progress, decision: Decision
) -> Verdict:
    fault, candidate, stable = progress.fault, progress.candidate, progress.stable
    if fault is not None and (fault.finding.reason in BLOCKING or _has_stopped(progress)):
        return Verdict("False", fault.finding.reason, _tell_fault(progress, fault))
    if fault is None and candidate is not None and deployment.is_past_deadline:
        return Verdict("False", Reason.PROGRESS_DEADLINE_EXCEEDED, _tell_deadline(progress))
    if is_pending(observed, decision):
        return Verdict("True", Reason.ROLLOUT_PROGRESSING, "A rollout is about to begin")
    if candidate is None:
        return _judge_settled(observed, deployment, stable, fault)
    return _tell_unproven(candidate) if is_dormant(observed) else _tell_way(progress, candidate)


def _tell_way(progress: Progress, candidate: Candidate) -> Verdict:
    fault, stable = progress.fault, progress.stable
    message = f"Rollout {candidate.revision} brings version {candidate.version}"
    if stable is not None:
        message += f"; version {stable.version} serves until it is complete"
    if fault is not None:
        message += f". {_steady(progress, fault)}"
    return Verdict("True", Reason.ROLLOUT_PROGRESSING, message)


def _judge_settled(
    observed: Observed, deployment: DeploymentFacts, stable: Stable | None, fault: Fault | None
) -> Verdict:
    """Say whether the stable version is there, or on its way back after another one."""
    if stable is None:
        return Verdict("True", Reason.ROLLOUT_PROGRESSING, "The Deployment is being put right")
    is_seen = deployment.is_current or observed.status.candidate is None
    if deployment.completed_at is not None and is_seen:
        message = f"Rollout {stable.revision} is complete: version {stable.version} is served"
        return Verdict("True", Reason.ROLLOUT_COMPLETE, message)
    message = f"Version {stable.version} (revision {stable.revision}) is being put back"
    if fault is None or fault.is_first:
        return Verdict("True", Reason.ROLLOUT_PROGRESSING, message)
    return Verdict("False", fault.finding.reason, f"{fault.finding.message}. {message}")


def is_pending(observed: Observed, decision: Decision) -> bool:
    """Whether the Deployment does not carry yet what it is to carry."""
    roll, live = decision.roll, observed.live_roll
    return roll is not None and (live is None or live.revision != roll.revision)


def is_dormant(observed: Observed) -> bool:
    """Whether no pod is asked for and none is left: what the Deployment brings waits for one."""
    deployment = observed.deployment
    return deployment is not None and deployment.is_rolled_out and deployment.wanted == 0


def _tell_unproven(candidate: Candidate) -> Verdict:
    message = (
        f"Rollout {candidate.revision} brings version {candidate.version} with the next pod:"
        " spec.replicas is 0"
    )
    return Verdict("True", Reason.SCALED_TO_ZERO, message)


def _has_stopped(progress: Progress) -> bool:
    candidate = progress.candidate
    return candidate is not None and candidate.phase != CandidatePhase.PROGRESSING


def _tell_fault(progress: Progress, fault: Fault) -> str:
    """Say what is wrong and what comes next without anybody's doing."""
    what, stable = _steady(progress, fault), progress.stable
    if progress.candidate is None or stable is None:
        return what
    if fault.is_versions:
        return f"{what}. Version {stable.version} (revision {stable.revision}) is put back"
    return f"{what}. It goes on by itself; version {stable.version} serves until then"


def _tell_deadline(progress: Progress) -> str:
    candidate, stable = progress.candidate, progress.stable
    what = f"Version {candidate.version}" if candidate is not None else "The Deployment"
    message = f"{what} made no progress for spec.progressDeadlineSeconds"
    if candidate is not None and stable is not None:
        message += f"; version {stable.version} goes on serving"
    return f"{message}. Look at the Events of its pods"


def _steady(progress: Progress, fault: Fault) -> str:
    failure = progress.candidate.last_failure if progress.candidate is not None else None
    return failure.message if failure is not None else fault.finding.message
