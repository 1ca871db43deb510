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
    Candidate,
    CandidatePhase,
    Condition,
    ConditionType,
    ModelDeploymentStatus,
    Resolved,
    Stable,
)
from regisseur_operator.core.autoscaling import AutoscalerFacts
from regisseur_operator.core.decision import Decision
from regisseur_operator.core.faults import Fault
from regisseur_operator.core.observed import DeploymentFacts, Observed
from regisseur_operator.core.progress import Progress
from regisseur_operator.core.verdict import Verdict, previous_verdict

Verdicts = Mapping[ConditionType, Verdict]


@dataclass(frozen=True)
class Refusal:
    """A write that cannot succeed until a person acts, in words for the condition.

    Attributes:
        is_of_rehearsal: Whether it is the rehearsal's pod that was refused.
    """

    reason: Reason
    message: str
    is_of_rehearsal: bool = False


REFUSALS: Final = frozenset({Reason.NAME_CONFLICT, Reason.INVALID_SPEC, Reason.FORBIDDEN})

BLOCKING: Final = frozenset({Reason.REPLICA_FAILURE, Reason.ARTIFACT_CHANGED})
"""What is wrong with new pods of a version that serves already, and is told as no progress."""


NO_PODS: Final = Verdict("True", Reason.SCALED_TO_ZERO, "No pod is asked for: spec.replicas is 0")


def judge_available(observed: Observed) -> Verdict:
    """Say whether enough pods serve, as the Deployment's controller counts them."""
    deployment = observed.deployment
    if deployment is None:
        return _tell_too_few("There is no Deployment")
    available = deployment.conditions.get("Available", {}).get("status")
    if available is None:
        return _tell_too_few("The Deployment is new and has no pods yet")
    previous = previous_verdict(observed.status, ConditionType.AVAILABLE)
    if not deployment.is_current and previous is not None:
        return previous
    if available != "True":
        return _tell_too_few("Too few pods are available to serve")
    return _tell_enough(observed, deployment, previous)


def _tell_too_few(message: str) -> Verdict:
    return Verdict("False", Reason.MINIMUM_REPLICAS_UNAVAILABLE, message)


def _tell_enough(
    observed: Observed, deployment: DeploymentFacts, previous: Verdict | None
) -> Verdict:
    if deployment.wanted == 0:
        return NO_PODS
    if observed.autoscaler is not None and observed.autoscaler.inactive:
        return _tell_inactive(observed.autoscaler, previous)
    message = "Enough pods are available to serve"
    return Verdict("True", Reason.MINIMUM_REPLICAS_AVAILABLE, message)


def _tell_inactive(autoscaler: AutoscalerFacts, previous: Verdict | None) -> Verdict:
    """Keep the first words: the autoscaler finds new ones for the same trouble."""
    if previous is not None and previous.reason == Reason.AUTOSCALING_INACTIVE:
        return previous
    message = f"Enough pods are available, but nothing scales them: {autoscaler.inactive}"
    return Verdict("True", Reason.AUTOSCALING_INACTIVE, message)


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
    is_rolling = progress.candidate is not None and not _is_dormant(observed)
    if hold is not None and (not is_rolling or hold.reason == Reason.VERSION_REJECTED):
        return hold
    if deployment is not None:
        return _judge_rollout(deployment, progress)
    if decision.roll is not None:
        return Verdict("True", Reason.ROLLOUT_PROGRESSING, "The Deployment is being created")
    message = "There is no version to roll out: see the condition Resolved"
    return Verdict("False", Reason.NOTHING_RESOLVED, message)


def _judge_rollout(deployment: DeploymentFacts, progress: Progress) -> Verdict:
    fault, candidate, stable = progress.fault, progress.candidate, progress.stable
    if fault is not None and (fault.finding.reason in BLOCKING or _has_stopped(progress)):
        return Verdict("False", fault.finding.reason, _tell_fault(progress, fault))
    if fault is None and candidate is not None and deployment.is_past_deadline:
        return Verdict("False", Reason.PROGRESS_DEADLINE_EXCEEDED, _tell_deadline(progress))
    if candidate is None and stable is not None:
        message = f"Rollout {stable.revision} is complete: version {stable.version} is served"
        return Verdict("True", Reason.ROLLOUT_COMPLETE, message)
    if candidate is None:
        return Verdict("True", Reason.ROLLOUT_PROGRESSING, "The Deployment is being put right")
    if deployment.is_rolled_out and deployment.wanted == 0:
        return _tell_unproven(candidate)
    message = f"Rollout {candidate.revision} brings version {candidate.version}"
    if stable is not None:
        message += f"; version {stable.version} serves until it is complete"
    if fault is not None:
        message += f". {_steady(progress, fault)}"
    return Verdict("True", Reason.ROLLOUT_PROGRESSING, message)


def _is_dormant(observed: Observed) -> bool:
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


STALLING: Final = REFUSALS | {
    Reason.VERSION_REJECTED,
    Reason.REVISION_NOT_FOUND,
    Reason.ARTIFACT_CHANGED,
}
"""What goes on only when a person acts."""


def judge_activity(progress: Progress, decision: Decision, progressing: Verdict) -> Verdicts:
    """Say whether something is under way or nothing goes on without a person; often neither."""
    candidate = progress.candidate
    is_failed = candidate is not None and candidate.phase == CandidatePhase.FAILED
    is_dead_end = is_failed and progress.stable is None
    if progressing.status == "False" and (progressing.reason in STALLING or is_dead_end):
        stalled = Verdict("True", progressing.reason, progressing.message)
        return {ConditionType.STALLED: stalled}
    is_rehearsing = decision.hold is not None and decision.hold.status == "True"
    is_rolling = candidate is not None and progressing.reason != Reason.SCALED_TO_ZERO
    if progressing.status == "True" and (is_rolling or is_rehearsing):
        under_way = Verdict("True", progressing.reason, progressing.message)
        return {ConditionType.RECONCILING: under_way}
    return {}


def judge_ready(
    observed: Observed,
    progress: Progress,
    decision: Decision,
    resolved: Resolved | None,
    others: Verdicts,
) -> Verdict:
    """Say whether the version that the reference names is served by all pods.

    The reason is the first thing in the way, from the cause to the effect.
    """
    looked_up = others[ConditionType.RESOLVED]
    progressing = others[ConditionType.PROGRESSING]
    if progressing.reason in REFUSALS:
        return _not_ready(progressing)
    if looked_up.status != "True" and observed.spec.rollback_to is None:
        return _not_ready(looked_up)
    if progressing.reason == Reason.SCALED_TO_ZERO:
        return progressing
    is_held_up = progress.candidate is not None or progressing.status == "False"
    hindrance = progressing if is_held_up else decision.hold
    if hindrance is not None:
        return _not_ready(hindrance)
    if observed.strays:
        return _tell_strays(observed)
    return _judge_served(observed, progress, resolved, others[ConditionType.AVAILABLE])


def _judge_served(
    observed: Observed, progress: Progress, resolved: Resolved | None, available: Verdict
) -> Verdict:
    stable, deployment, wanted = progress.stable, observed.deployment, observed.wanted_replicas
    is_back = observed.spec.rollback_to is not None
    if stable is None or (not is_back and not _is_served(stable, resolved)):
        number = resolved.version if resolved is not None else ""
        return Verdict("False", Reason.ROLLOUT_PROGRESSING, f"Version {number} is not served yet")
    if deployment is None or available.status != "True" or not deployment.is_rolled_out:
        return _tell_unavailable(progress)
    if deployment.wanted != wanted:
        return _tell_too_few(f"There are {deployment.wanted} pods, asked for are {wanted}")
    if stable.ready_replicas < wanted:
        # The pods were seen to change before their controller has counted them.
        return _tell_unavailable(progress)
    return _tell_served(stable, wanted, is_back=is_back)


def _tell_served(stable: Stable, wanted: int, *, is_back: bool) -> Verdict:
    if wanted == 0:
        return NO_PODS
    if is_back:
        message = f"Version {stable.version} is served by all pods, as spec.rollbackTo asks for"
        return Verdict("True", Reason.ROLLED_BACK, message)
    message = f"Version {stable.version} is served by all pods"
    return Verdict("True", Reason.SERVING_RESOLVED_VERSION, message)


def _is_served(stable: Stable, resolved: Resolved | None) -> bool:
    """Whether it is this version; a number may come again when a model is made anew."""
    if resolved is None or stable.version != resolved.version:
        return False
    return not stable.run_id or stable.run_id == resolved.run_id


def _not_ready(cause: Verdict) -> Verdict:
    return Verdict("False", cause.reason, cause.message)


def _tell_strays(observed: Observed) -> Verdict:
    names = ", ".join(observed.strays)
    message = (
        f"The Service also sends requests to pods that are none of ours: {names}. Delete them, or"
        " take their label regisseur.dev/modeldeployment away"
    )
    return Verdict("False", Reason.STRAY_PODS, message)


def _tell_unavailable(progress: Progress) -> Verdict:
    if progress.fault is not None:
        finding = progress.fault.finding
        return Verdict("False", finding.reason, finding.message)
    message = "Not all pods are available yet"
    return _tell_too_few(message)


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
