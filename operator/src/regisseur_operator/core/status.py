"""The whole status, and what people hear of its changes."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from regisseur_contract.names import LABEL_MODELDEPLOYMENT
from regisseur_operator.api.reasons import Reason
from regisseur_operator.api.status import (
    Condition,
    ConditionType,
    ModelDeploymentStatus,
    Phase,
)
from regisseur_operator.core.conditions import (
    Refusal,
    Verdicts,
    judge_available,
    judge_progressing,
    judge_ready,
    to_conditions,
)
from regisseur_operator.core.notes import Note
from regisseur_operator.core.observed import Observed
from regisseur_operator.core.progress import Progress, judge_progress
from regisseur_operator.core.resolution import Resolution
from regisseur_operator.core.verdict import Verdict

HTTP_PORT: Final = 80


def compute_status(
    observed: Observed, resolution: Resolution, refusal: Refusal | None
) -> ModelDeploymentStatus:
    """Say what is, from what was observed after the writes.

    Args:
        observed: The world after the writes of this reconcile.
        resolution: What the reference named before them.
        refusal: A write that only a person can make succeed.
    """
    progress = judge_progress(observed)
    resolved = observed.status.resolved if observed.spec.suspend else resolution.resolved
    verdicts = {
        ConditionType.AVAILABLE: judge_available(observed),
        ConditionType.PROGRESSING: judge_progressing(
            observed, progress, resolution.verdict, refusal
        ),
        ConditionType.RESOLVED: resolution.verdict,
        ConditionType.REGISTRY_REACHABLE: resolution.reachable,
    }
    ready = judge_ready(observed, progress, resolved, verdicts)
    verdicts = {ConditionType.READY: ready, **verdicts}
    active = [pod for pod in observed.pods if pod.is_active]
    ready_count = sum(pod.is_ready for pod in active)
    return ModelDeploymentStatus(
        observed_generation=observed.generation,
        phase=judge_phase(observed, progress, verdicts),
        reference=observed.spec.model.reference,
        ready=f"{ready_count}/{observed.spec.replicas}",
        url=_build_url(observed),
        replicas=len(active),
        ready_replicas=ready_count,
        selector=f"{LABEL_MODELDEPLOYMENT}={observed.key.name}",
        resolved=resolved,
        stable=progress.stable,
        candidate=progress.candidate,
        history=progress.history,
        conditions=to_conditions(verdicts, observed.status, observed.generation, observed.now),
    )


def judge_phase(observed: Observed, progress: Progress, verdicts: Verdicts) -> Phase:
    """Sum the conditions up in one word."""
    progressing = verdicts[ConditionType.PROGRESSING]
    if observed.spec.suspend:
        return Phase.SUSPENDED
    if progressing.reason == Reason.NOTHING_RESOLVED:
        return Phase.PENDING
    if progressing.status == "False" or verdicts[ConditionType.RESOLVED].status == "False":
        return Phase.DEGRADED
    if verdicts[ConditionType.READY].status == "True":
        return Phase.HEALTHY
    if progress.candidate is None and progress.problem is not None:
        return Phase.DEGRADED
    return Phase.PROGRESSING


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


# ---- what people hear ------------------------------------------------------------------------


def tell_changes(before: ModelDeploymentStatus, after: ModelDeploymentStatus) -> list[Note]:
    """Say once what changed; nothing is said of what merely goes on."""
    return [*_tell_rollouts(before, after), *_tell_conditions(before, after)]


def _tell_rollouts(before: ModelDeploymentStatus, after: ModelDeploymentStatus) -> Iterator[Note]:
    is_first_sight = before.observed_generation is None and after.candidate is None
    known = {entry.revision for entry in before.history}
    for entry in after.history:
        if entry.revision not in known and entry.outcome == "Succeeded" and not is_first_sight:
            text = f"Rollout {entry.revision} is complete: version {entry.version} is served"
            yield Note("Normal", Reason.ROLLOUT_COMPLETE, text)
    old = before.candidate.last_failure if before.candidate is not None else None
    new = after.candidate.last_failure if after.candidate is not None else None
    is_news = new is not None and (old is None or old.reason != new.reason)
    # A ReplicaFailure is told with the condition Progressing.
    if new is not None and is_news and new.reason != Reason.REPLICA_FAILURE:
        yield Note("Warning", Reason(new.reason), new.message)


_WARNINGS: Final = {
    ConditionType.RESOLVED: ("False",),
    ConditionType.REGISTRY_REACHABLE: ("False",),
    ConditionType.PROGRESSING: ("False",),
}


def _tell_conditions(before: ModelDeploymentStatus, after: ModelDeploymentStatus) -> Iterator[Note]:
    old = {condition.type: condition for condition in before.conditions}
    for condition in after.conditions:
        last = old.get(condition.type)
        if last is None or _is_news(last, condition):
            note = _tell_condition(last, condition)
            if note is not None:
                yield note


def _is_news(last: Condition, condition: Condition) -> bool:
    if (last.status, last.reason) != (condition.status, condition.reason):
        return True
    return condition.type == ConditionType.RESOLVED and last.message != condition.message


def _tell_condition(last: Condition | None, condition: Condition) -> Note | None:
    about, status = ConditionType(condition.type), condition.status
    if status in _WARNINGS.get(about, ()):
        if condition.reason == Reason.NOTHING_RESOLVED:
            return None
        return Note("Warning", Reason(condition.reason), condition.message)
    if status != "True":
        return None
    if about == ConditionType.RESOLVED:
        return Note("Normal", Reason(condition.reason), condition.message)
    if about == ConditionType.REGISTRY_REACHABLE and last is not None and last.status == "False":
        return Note("Normal", Reason.REGISTRY_RESTORED, condition.message)
    return None
