"""The condition Rehearsed: whether a version was checked before it meets traffic."""

from regisseur_operator.api.reasons import Reason
from regisseur_operator.api.status import Candidate, Rehearsal, RehearsalState, Stable
from regisseur_operator.core.decision import Decision
from regisseur_operator.core.observed import Observed
from regisseur_operator.core.progress import Progress
from regisseur_operator.core.rehearsal import to_reason
from regisseur_operator.core.roll import PodInputs
from regisseur_operator.core.trial import find_rejection
from regisseur_operator.core.turns import Turn
from regisseur_operator.core.verdict import Verdict


def judge_rehearsed(observed: Observed, decision: Decision, progress: Progress) -> Verdict:
    """Say whether the version that comes next, or else the one that is served, was rehearsed."""
    if decision.waits_for == Turn.REHEARSAL and decision.hold is not None:
        return Verdict("Unknown", Reason.QUEUED, decision.hold.message)
    rehearsal = decision.rehearsal or _recall_failure(observed, decision)
    if decision.trial is None and not observed.spec.rehearsal.enabled:
        message = (
            "spec.rehearsal.enabled is false: versions meet traffic unchecked, also by"
            " spec.model.gates.signature, and unpinned"
        )
        return Verdict("Unknown", Reason.REHEARSAL_DISABLED, message)
    if rehearsal is None:
        return _tell_last_rehearsal(observed, progress.candidate or progress.stable)
    return _tell_rehearsal(rehearsal)


def _tell_rehearsal(rehearsal: Rehearsal) -> Verdict:
    number = rehearsal.version
    if rehearsal.state == RehearsalState.PASSED:
        return _tell_pass(number, rehearsal)
    if rehearsal.state == RehearsalState.FAILED:
        reason, message = to_reason(rehearsal.verdict), rehearsal.message
        return Verdict("False", reason, f"Version {number} failed its rehearsal: {message}")
    if rehearsal.state == RehearsalState.HELD:
        message = f"The rehearsal of version {number} is held up: {rehearsal.message}"
        return Verdict("Unknown", Reason.REHEARSAL_HELD, message)
    return Verdict("Unknown", Reason.REHEARSAL_RUNNING, f"Version {number} is being rehearsed")


def _recall_failure(observed: Observed, decision: Decision) -> Rehearsal | None:
    """Return the rehearsal that the version in question failed, while it is not tried again."""
    known, hold = observed.status.rehearsal, decision.hold
    is_held = hold is not None and hold.reason == Reason.VERSION_REJECTED
    if known is None or not is_held or known.state != RehearsalState.FAILED:
        return None
    return known if find_rejection(decision.rejected, known.key) is not None else None


def _tell_last_rehearsal(observed: Observed, part: Candidate | Stable | None) -> Verdict:
    if part is not None and part.digest:
        known, roll = observed.status.rehearsal, observed.live_roll
        if known is None or roll is None or not _is_of(known, part):
            return _tell_pass(part.version, None)
        return _tell_pass(part.version, _drop_other_choices(known, roll.inputs))
    return Verdict("Unknown", Reason.REHEARSAL_NOT_NEEDED, "There is nothing to rehearse")


def _drop_other_choices(rehearsal: Rehearsal, inputs: PodInputs) -> Rehearsal:
    """Leave out what was found of choices that these pods do not make: it is of the same files."""
    asked = {"engine_reason": inputs.engine, "explain_reason": inputs.explain_budget_seconds}
    dropped = {name: "" for name, choice in asked.items() if not choice}
    facts = rehearsal.facts
    return rehearsal.model_copy(
        update={"facts": facts.model_copy(update=dropped) if facts is not None else None}
    )


def _is_of(rehearsal: Rehearsal, part: Candidate | Stable) -> bool:
    """Whether a rehearsal is the one that these pods came of."""
    facts = rehearsal.facts
    is_same = facts is not None and (rehearsal.version, facts.digest) == (part.version, part.digest)
    return is_same and rehearsal.state == RehearsalState.PASSED


def _tell_pass(version: int, rehearsal: Rehearsal | None) -> Verdict:
    message = f"Version {version} passed its rehearsal, and its files are pinned"
    facts = rehearsal.facts if rehearsal is not None else None
    if facts is not None and facts.engine_reason:
        message += f"; it is served by engine {facts.engine}: {facts.engine_reason}"
    if facts is not None and facts.explain_reason:
        message += f"; its predictions are not explained: {facts.explain_reason}"
    return Verdict("True", Reason.REHEARSAL_PASSED, message)
