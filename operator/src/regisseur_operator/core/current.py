"""Which roll is in place: what the Deployment carries, or what it should after other hands."""

from dataclasses import replace

from regisseur_operator.core.observed import Observed
from regisseur_operator.core.roll import PodInputs, Roll


def find_current(observed: Observed) -> Roll | None:
    """Return the live roll; where it is lost or outdated, the one that the status knows.

    `kubectl rollout undo` brings the annotations of the old ReplicaSet back: whole, but outdated.
    """
    live, status = observed.live_roll, observed.status
    known = [part.revision for part in (status.candidate, status.stable) if part is not None]
    if live is not None and live.last >= max(known, default=0):
        return live
    rolls = (find_revision(observed, number) for number in known)
    return next((bring_back(observed, roll) for roll in rolls if roll is not None), None)


def find_stable(observed: Observed, current: Roll | None) -> Roll | None:
    """Return the roll to go back to, None where none was ever complete or it is not kept."""
    if observed.status.stable is not None:
        return find_revision(observed, observed.status.stable.revision)
    if current is None or observed.deployment is None:
        return None
    if observed.deployment.is_complete:
        return current
    number = current.from_revision
    return find_revision(observed, number) if number is not None else None


def find_revision(observed: Observed, number: int) -> Roll | None:
    """Return an earlier roll; the live one is always known."""
    live = observed.live_roll
    if live is not None and live.revision == number:
        return live
    return next((roll for roll in observed.revisions if roll.revision == number), None)


def find_proven(observed: Observed) -> list[Roll]:
    """Return the rolls that were complete once, the latest first."""
    status = observed.status
    numbers = {entry.revision for entry in status.history if entry.outcome == "Succeeded"}
    if status.stable is not None:
        numbers.add(status.stable.revision)
    found = (find_revision(observed, number) for number in sorted(numbers, reverse=True))
    return [roll for roll in found if roll is not None]


def find_unrolled(observed: Observed, inputs: PodInputs, key: str) -> Roll | None:
    """Return the roll that was saved last, if the Deployment never took it and it fits.

    The operator may have died in between, or the API server may have refused the Deployment: a new
    number for each attempt would push the revisions out that one wants to go back to.
    """
    last = observed.revisions[-1] if observed.revisions else None
    if last is None or last.revision <= _last_begun(observed):
        return None
    is_fitting = last.key == key and last.inputs.fingerprint == inputs.fingerprint
    return last if is_fitting else None


def last_revision(observed: Observed) -> int:
    """Return the highest number that was ever given out, as far as anything remembers."""
    return max([_last_begun(observed), *observed.saved_numbers])


def _last_begun(observed: Observed) -> int:
    """Return the highest number that the Deployment ever took, as far as anything remembers."""
    status, live = observed.status, observed.live_roll
    known = [entry.revision for entry in status.history]
    known += [part.revision for part in (status.stable, status.candidate) if part is not None]
    known += [live.last] if live is not None else []
    return max(known, default=0)


def bring_back(observed: Observed, roll: Roll) -> Roll:
    """Return an earlier roll as the present one, under its own number."""
    return replace(roll, last=last_revision(observed))
