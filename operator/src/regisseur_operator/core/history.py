"""The rollouts that have ended: what was brought when, in place of what, and how it went.

An entry is made from the roll itself, which keeps what was known when it began: what the reference
names by the time it ends may be something else.
"""

from datetime import datetime

from regisseur_operator.api.reasons import Reason
from regisseur_operator.api.status import (
    HISTORY_LIMIT,
    Candidate,
    CandidatePhase,
    HistoryEntry,
    Lineage,
    Origin,
    Outcome,
    Stable,
)
from regisseur_operator.core.current import find_revision
from regisseur_operator.core.observed import Observed
from regisseur_operator.core.roll import Roll, is_alike


def enter_success(
    history: list[HistoryEntry], roll: Roll, stable: Stable, *, is_rollback: bool
) -> list[HistoryEntry]:
    """Enter a rollout into the history that is complete."""
    reason = Reason.ROLLED_BACK if is_rollback else Reason.ROLLOUT_COMPLETE
    entry = _to_entry(roll, Outcome.SUCCEEDED, reason, stable.since)
    others = [other for other in history if other.revision != roll.revision]
    return [entry, *others][:HISTORY_LIMIT]


def is_rollback(observed: Observed, roll: Roll) -> bool:
    """Whether it brought back what spec.rollbackTo names; what was under way before did not."""
    number = observed.spec.rollback_to
    target = find_revision(observed, number) if number is not None else None
    return target is not None and target.revision != roll.revision and is_alike(roll, target)


def enter_superseded(observed: Observed, roll: Roll) -> list[HistoryEntry]:
    """Enter a rollout into the history that another one replaced before its end."""
    status = observed.status
    old = status.candidate
    is_known = old is not None and old.revision in {entry.revision for entry in status.history}
    if old is None or old.revision == roll.revision or is_known:
        return status.history
    is_failed = old.phase == CandidatePhase.FAILED
    cause = old.last_failure.reason if is_failed and old.last_failure is not None else ""
    outcome = Outcome.FAILED if is_failed else Outcome.SUPERSEDED
    before = find_revision(observed, old.revision)
    reason = cause or Reason.ROLLOUT_SUPERSEDED
    if before is not None:
        entry = _to_entry(before, outcome, reason, observed.now)
    else:
        entry = _to_entry_of_lost(old, status.stable, outcome, reason, observed.now)
    return [entry, *status.history][:HISTORY_LIMIT]


def recall_history(observed: Observed) -> list[HistoryEntry]:
    """With an empty history, enter again what is known to have been complete.

    A later roll names as its origin only what was. When that was is not written down anywhere, nor
    how those ended that nobody names.
    """
    if observed.status.history:
        return observed.status.history
    live = [observed.live_roll] if observed.live_roll is not None else []
    rolls = [*observed.revisions, *live]
    origins = {roll.from_revision for roll in rolls if roll.from_revision is not None}
    found = (find_revision(observed, number) for number in sorted(origins, reverse=True))
    complete = (roll for roll in found if roll is not None)
    entries = [_to_entry(r, Outcome.SUCCEEDED, Reason.ROLLOUT_COMPLETE, None) for r in complete]
    return entries[:HISTORY_LIMIT]


def _to_entry(
    roll: Roll, outcome: Outcome, reason: str, finished_at: datetime | None
) -> HistoryEntry:
    inputs = roll.inputs
    return HistoryEntry(
        revision=roll.revision,
        model=inputs.served.model,
        version=roll.version,
        from_version=roll.from_version,
        run_id=inputs.served.run_id,
        digest=inputs.digest,
        image=inputs.image,
        lineage=_to_origin(roll.lineage),
        outcome=outcome,
        reason=reason,
        started_at=roll.started_at,
        finished_at=finished_at,
    )


def _to_origin(lineage: Lineage) -> Origin | None:
    """Leave the metrics out: a status that keeps them twenty times over is no status."""
    origin = Origin(git_sha=lineage.git_sha, data_version=lineage.data_version)
    return origin if origin != Origin() else None


def _to_entry_of_lost(
    old: Candidate, stable: Stable | None, outcome: Outcome, reason: str, finished_at: datetime
) -> HistoryEntry:
    """Tell of a rollout whose revision is not kept by what the status said of it."""
    return HistoryEntry(
        revision=old.revision,
        version=old.version,
        from_version=stable.version if stable is not None else None,
        run_id=old.run_id,
        digest=old.digest,
        image=old.image,
        outcome=outcome,
        reason=reason,
        started_at=old.started_at,
        finished_at=finished_at,
    )
