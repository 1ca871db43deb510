"""The conditions, one pure function each.

Their messages hold still while the state does: a status that changes by itself wakes everybody
who watches it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from regisseur_operator.api.reasons import Reason
from regisseur_operator.api.status import (
    CandidatePhase,
    Condition,
    ConditionType,
    ModelDeploymentStatus,
    Resolved,
    Stable,
)
from regisseur_operator.core.autoscaling import AutoscalerFacts
from regisseur_operator.core.decision import Decision
from regisseur_operator.core.observed import DeploymentFacts, Observed
from regisseur_operator.core.progress import Progress
from regisseur_operator.core.verdict import REFUSALS, Verdict, previous_verdict

Verdicts = Mapping[ConditionType, Verdict]


NO_PODS: Final = Verdict("True", Reason.SCALED_TO_ZERO, "No pod is asked for: spec.replicas is 0")


def judge_available(observed: Observed, progress: Progress) -> Verdict:
    """Say whether enough pods serve, as the Deployment's controller counts them, and why not."""
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
        return _tell_outage(progress, previous)
    return _tell_enough(observed, deployment, previous)


def _tell_too_few(message: str) -> Verdict:
    return Verdict("False", Reason.MINIMUM_REPLICAS_UNAVAILABLE, message)


def _tell_outage(progress: Progress, previous: Verdict | None) -> Verdict:
    """Name the cause; of one and the same the first words stand, whichever pod it is seen at."""
    if progress.fault is None:
        return _tell_too_few("Too few pods are available to serve")
    finding = progress.fault.finding
    if previous is not None and (previous.status, previous.reason) == ("False", finding.reason):
        return previous
    message = f"Too few pods are available to serve. {finding.message}"
    return Verdict("False", finding.reason, message)


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
    is_rolling = progressing.reason == Reason.ROLLOUT_PROGRESSING
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
    is_under_way = progressing.reason == Reason.ROLLOUT_PROGRESSING
    is_held_up = progress.candidate is not None or progressing.status == "False"
    hindrance = progressing if is_held_up or is_under_way else decision.hold
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
        if observed.spec.suspend:
            message = f"Version {number} is not served, and spec.suspend is true"
            return Verdict("False", Reason.SUSPENDED, message)
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
