"""What people hear: the changes of a status as notes, said once."""

from collections.abc import Iterator
from typing import Final

from regisseur_operator.api.reasons import Reason
from regisseur_operator.api.status import (
    Condition,
    ConditionType,
    HistoryEntry,
    ModelDeploymentStatus,
    Origin,
    Outcome,
    RehearsalState,
    Stable,
)
from regisseur_operator.core.notes import Note

TOLD_METRICS: Final = 3
SHORT_SHA: Final = 12

WARNINGS: Final = {
    ConditionType.RESOLVED: ("False",),
    ConditionType.REGISTRY_REACHABLE: ("False",),
    ConditionType.PROGRESSING: ("False",),
    ConditionType.REHEARSED: ("False",),
}
"""What is a warning, by condition and status."""

WARNING_REASONS: Final = frozenset({Reason.STRAY_PODS, Reason.AUTOSCALING_INACTIVE})
"""What is a warning of Ready and Available, whatever their status."""

UNDER_WAY: Final = frozenset(
    {
        (ConditionType.REHEARSED, Reason.REHEARSAL_RUNNING),
        (ConditionType.PROGRESSING, Reason.QUEUED),
    }
)
"""What is told though nothing has come of it yet."""

SILENT: Final = frozenset({Reason.NOTHING_RESOLVED})


def tell_changes(before: ModelDeploymentStatus, after: ModelDeploymentStatus) -> list[Note]:
    """Say once what changed; nothing is said of what merely goes on."""
    return [
        *_tell_verbs(before, after),
        *_tell_pass(before, after),
        *_tell_rollouts(before, after),
        *_tell_conditions(before, after),
    ]


def list_ended(
    before: ModelDeploymentStatus, after: ModelDeploymentStatus
) -> Iterator[HistoryEntry]:
    """Yield the rollouts that have ended in between; none at first sight, when all are news."""
    if before.observed_generation is None:
        return
    known = {entry.revision for entry in before.history}
    yield from (entry for entry in after.history if entry.revision not in known)


def _tell_verbs(before: ModelDeploymentStatus, after: ModelDeploymentStatus) -> Iterator[Note]:
    old, new = before.handled, after.handled
    if new is None:
        return
    if new.retry and new.retry != (old.retry if old is not None else ""):
        text = f"Retry {new.retry!r} was asked for: rejected versions are tried again"
        yield Note("Normal", Reason.RETRY_REQUESTED, text)
    if new.restart and new.restart != (old.restart if old is not None else ""):
        text = f"Restart {new.restart!r} was asked for: all pods are replaced"
        yield Note("Normal", Reason.RESTART_REQUESTED, text)


def _tell_pass(before: ModelDeploymentStatus, after: ModelDeploymentStatus) -> Iterator[Note]:
    """Tell of a rehearsal that ended well; the condition also turns True when one is called off."""
    new = after.rehearsal
    if new is None or new == before.rehearsal or new.state != RehearsalState.PASSED:
        return
    facts = new.facts
    text = f"Version {new.version} passed its rehearsal, and its files are pinned"
    if facts is not None and facts.memory_bytes:
        text += f" ({facts.seconds:.1f} s, {facts.memory_bytes >> 20} MiB)"
    if new.message:
        text += f"; {new.message}"
    yield Note("Normal", Reason.REHEARSAL_PASSED, text)


def _tell_rollouts(before: ModelDeploymentStatus, after: ModelDeploymentStatus) -> Iterator[Note]:
    for entry in list_ended(before, after):
        if entry.outcome == Outcome.SUCCEEDED:
            yield Note("Normal", Reason.ROLLOUT_COMPLETE, _tell_success(entry, after.stable))
    old = before.candidate.last_failure if before.candidate is not None else None
    new = after.candidate.last_failure if after.candidate is not None else None
    is_news = new is not None and (old is None or old.reason != new.reason)
    told = {condition.reason for condition in after.conditions if condition.status == "False"}
    if new is not None and is_news and new.reason not in told:
        yield Note("Warning", Reason(new.reason), new.message)


def _tell_success(entry: HistoryEntry, stable: Stable | None) -> str:
    """Tell of a rollout with all that an audit asks for: the Event outlives the status."""
    text = f"Rollout {entry.revision} is complete: version {entry.version} is served"
    facts = [f"run {entry.run_id}"] if entry.run_id else []
    origin = entry.lineage or Origin()
    facts += [f"git {origin.git_sha[:SHORT_SHA]}"] if origin.git_sha else []
    facts += [f"data {origin.data_version[:SHORT_SHA]}"] if origin.data_version else []
    if stable is not None and stable.revision == entry.revision and stable.lineage is not None:
        metrics = sorted(stable.lineage.metrics.items())[:TOLD_METRICS]
        facts += [f"{name} {value:.4g}" for name, value in metrics]
    return f"{text} ({', '.join(facts)})" if facts else text


def _tell_conditions(before: ModelDeploymentStatus, after: ModelDeploymentStatus) -> Iterator[Note]:
    old = {condition.type: condition for condition in before.conditions}
    failure = before.candidate.last_failure if before.candidate is not None else None
    for condition in after.conditions:
        last = old.get(condition.type)
        is_told = failure is not None and failure.reason == condition.reason
        if _is_outage(condition) and _is_told_by_rollout(condition, after):
            continue
        if not is_told and (last is None or _is_news(last, condition)):
            note = _tell_condition(last, condition)
            if note is not None:
                yield note


def _is_news(last: Condition, condition: Condition) -> bool:
    if (last.status, last.reason) != (condition.status, condition.reason):
        return True
    return condition.type == ConditionType.RESOLVED and last.message != condition.message


def _tell_condition(last: Condition | None, condition: Condition) -> Note | None:
    about, status, reason = (
        ConditionType(condition.type),
        condition.status,
        Reason(condition.reason),
    )
    is_own = about in {ConditionType.READY, ConditionType.AVAILABLE} and reason in WARNING_REASONS
    if is_own or _is_outage(condition) or status in WARNINGS.get(about, ()):
        return None if reason in SILENT else Note("Warning", reason, condition.message)
    if (about, reason) in UNDER_WAY:
        return Note("Normal", reason, condition.message)
    if status != "True":
        return None
    if about == ConditionType.RESOLVED:
        return Note("Normal", reason, condition.message)
    if about == ConditionType.REGISTRY_REACHABLE and last is not None and last.status == "False":
        return Note("Normal", Reason.REGISTRY_RESTORED, condition.message)
    return None


def _is_outage(condition: Condition) -> bool:
    """Whether too few pods serve, for a cause that is known."""
    is_down = condition.type == ConditionType.AVAILABLE and condition.status == "False"
    return is_down and condition.reason != Reason.MINIMUM_REPLICAS_UNAVAILABLE


def _is_told_by_rollout(condition: Condition, after: ModelDeploymentStatus) -> bool:
    """Whether the same is said of pods that are being rolled out or replaced."""
    found = {entry.type: entry for entry in after.conditions}
    progressing = found.get(ConditionType.PROGRESSING)
    is_same = progressing is not None and progressing.reason == condition.reason
    return is_same or after.candidate is not None
