"""The conditions, one pure function each.

Their messages hold still while the state does: a status that changes by itself wakes everybody
who watches it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from regisseur_operator.api.reasons import Reason
from regisseur_operator.api.status import (
    Condition,
    ConditionType,
    ModelDeploymentStatus,
    Resolved,
)
from regisseur_operator.core.diagnosis import Diagnosis
from regisseur_operator.core.observed import DeploymentFacts, Observed
from regisseur_operator.core.progress import Progress, is_past_deadline
from regisseur_operator.core.verdict import Verdict, previous_verdict

Verdicts = Mapping[ConditionType, Verdict]


@dataclass(frozen=True)
class Refusal:
    """A write that cannot succeed until a person acts, in words for the condition."""

    reason: Reason
    message: str


REFUSALS: Final = frozenset({Reason.NAME_CONFLICT, Reason.INVALID_SPEC, Reason.FORBIDDEN})


def judge_available(observed: Observed) -> Verdict:
    """Say whether enough pods serve, as the Deployment's controller counts them."""
    deployment = observed.deployment
    if deployment is None:
        message = "There is no Deployment"
        return Verdict("False", Reason.MINIMUM_REPLICAS_UNAVAILABLE, message)
    available = deployment.conditions.get("Available", {}).get("status")
    if available is None:
        message = "The Deployment is new and has no pods yet"
        return Verdict("False", Reason.MINIMUM_REPLICAS_UNAVAILABLE, message)
    previous = previous_verdict(observed.status, ConditionType.AVAILABLE)
    if not deployment.is_current and previous is not None:
        return previous
    if available != "True":
        message = "Too few pods are available to serve"
        return Verdict("False", Reason.MINIMUM_REPLICAS_UNAVAILABLE, message)
    if deployment.wanted == 0:
        message = "No pod is asked for: spec.replicas is 0"
    else:
        message = "Enough pods are available to serve"
    return Verdict("True", Reason.MINIMUM_REPLICAS_AVAILABLE, message)


def judge_progressing(
    observed: Observed, progress: Progress, resolved: Verdict, refusal: Refusal | None
) -> Verdict:
    """Say whether what is to be done gets done."""
    if observed.spec.suspend:
        message = "spec.suspend is true: the registry is not followed and nothing is changed"
        return Verdict("Unknown", Reason.SUSPENDED, message)
    if refusal is not None:
        return Verdict("False", refusal.reason, refusal.message)
    deployment = observed.deployment
    if deployment is None:
        if resolved.status == "True":
            return Verdict("True", Reason.ROLLOUT_PROGRESSING, "The Deployment is being created")
        message = "There is no version to roll out: see the condition Resolved"
        return Verdict("False", Reason.NOTHING_RESOLVED, message)
    return _judge_rollout(deployment, progress)


def _judge_rollout(deployment: DeploymentFacts, progress: Progress) -> Verdict:
    problem, candidate, stable = progress.problem, progress.candidate, progress.stable
    if problem is not None and problem.reason == Reason.REPLICA_FAILURE:
        return Verdict("False", problem.reason, _steady(progress, problem))
    if is_past_deadline(deployment):
        return Verdict("False", Reason.PROGRESS_DEADLINE_EXCEEDED, _tell_deadline(progress))
    if candidate is None and stable is not None:
        message = f"Rollout {stable.revision} is complete: version {stable.version} is served"
        return Verdict("True", Reason.ROLLOUT_COMPLETE, message)
    if candidate is None:
        return Verdict("True", Reason.ROLLOUT_PROGRESSING, "The Deployment is being put right")
    message = f"Rollout {candidate.revision} brings version {candidate.version}"
    if stable is not None:
        message += f"; version {stable.version} serves until it is complete"
    if problem is not None:
        message += f". {_steady(progress, problem)}"
    return Verdict("True", Reason.ROLLOUT_PROGRESSING, message)


def _tell_deadline(progress: Progress) -> str:
    candidate, stable = progress.candidate, progress.stable
    what = f"Version {candidate.version}" if candidate is not None else "The Deployment"
    message = f"{what} made no progress for spec.progressDeadlineSeconds"
    if candidate is not None and stable is not None:
        message += f"; version {stable.version} goes on serving"
    if progress.problem is not None:
        return f"{message}. {_steady(progress, progress.problem)}"
    return f"{message}. Its pods start but do not become ready: look at their logs"


def _steady(progress: Progress, problem: Diagnosis) -> str:
    failure = progress.candidate.last_failure if progress.candidate is not None else None
    return failure.message if failure is not None else problem.message


def judge_ready(
    observed: Observed, progress: Progress, resolved: Resolved | None, others: Verdicts
) -> Verdict:
    """Say whether the version that the reference names is served by all pods.

    The reason is the first thing in the way, from the cause to the effect.
    """
    looked_up = others[ConditionType.RESOLVED]
    progressing = others[ConditionType.PROGRESSING]
    if progressing.reason in REFUSALS:
        return _not_ready(progressing)
    if looked_up.status != "True":
        return _not_ready(looked_up)
    if progress.candidate is not None or progressing.status == "False":
        return _not_ready(progressing)
    return _judge_served(observed, progress, resolved, others[ConditionType.AVAILABLE])


def _judge_served(
    observed: Observed, progress: Progress, resolved: Resolved | None, available: Verdict
) -> Verdict:
    stable, deployment = progress.stable, observed.deployment
    if stable is None or resolved is None or stable.version != resolved.version:
        number = resolved.version if resolved is not None else ""
        return Verdict("False", Reason.ROLLOUT_PROGRESSING, f"Version {number} is not served yet")
    if deployment is None or available.status != "True" or not deployment.is_rolled_out:
        return _tell_unavailable(progress)
    if deployment.wanted != observed.spec.replicas:
        message = f"There are {deployment.wanted} pods, asked for are {observed.spec.replicas}"
        return Verdict("False", Reason.MINIMUM_REPLICAS_UNAVAILABLE, message)
    message = f"Version {stable.version} is served by all pods"
    if deployment.wanted == 0:
        message = "No pod is asked for: spec.replicas is 0"
    return Verdict("True", Reason.SERVING_RESOLVED_VERSION, message)


def _not_ready(cause: Verdict) -> Verdict:
    return Verdict("False", cause.reason, cause.message)


def _tell_unavailable(progress: Progress) -> Verdict:
    problem = progress.problem
    if problem is not None:
        return Verdict("False", problem.reason, problem.message)
    message = "Not all pods are available yet"
    return Verdict("False", Reason.MINIMUM_REPLICAS_UNAVAILABLE, message)


def to_conditions(
    verdicts: Verdicts, before: ModelDeploymentStatus, generation: int, now: datetime
) -> list[Condition]:
    """Write verdicts as conditions; the time of a transition moves only when the status flips."""
    known = {condition.type: condition for condition in before.conditions}
    conditions = []
    for about, verdict in verdicts.items():
        old = known.get(about)
        is_flip = old is None or old.status != verdict.status
        conditions.append(
            Condition(
                type=about,
                status=verdict.status,
                observed_generation=generation,
                last_transition_time=now if old is None or is_flip else old.last_transition_time,
                reason=verdict.reason,
                message=verdict.message,
            )
        )
    return conditions
