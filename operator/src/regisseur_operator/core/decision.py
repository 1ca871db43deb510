"""What is to be done next, and what every step towards it looks at."""

from dataclasses import dataclass
from datetime import datetime

from regisseur_operator.api.reasons import Reason
from regisseur_operator.api.status import REJECTED_LIMIT, Lineage, Rehearsal, Rejection
from regisseur_operator.core.current import find_unrolled, last_revision
from regisseur_operator.core.observed import Observed
from regisseur_operator.core.resolution import Resolution
from regisseur_operator.core.roll import PodInputs, Roll
from regisseur_operator.core.trial import Trial
from regisseur_operator.core.turns import Turn
from regisseur_operator.core.verdict import Verdict


@dataclass(frozen=True)
class Decision:
    """What is to be done next.

    Attributes:
        roll: What the Deployment is to carry, None where nothing can run yet.
        hold: Why the Deployment does not get what is wanted; None where it does.
        trial: What is being rehearsed, None where nothing is.
        rehearsal: How that stands.
        rejected: What was tried in vain and is not tried again.
        is_certain: Whether the registry's present word led here, also that nothing is named;
            without it nothing that is under way is broken off.
        needs_attention: Whether tags and metrics of the version decide what comes next: they may
            be corrected, and nothing else would say so.
        requeue_after_seconds: When the passing of time alone will change the decision.
        waits_for: The turn that has to come before anything else is done.
    """

    roll: Roll | None
    hold: Verdict | None = None
    trial: Trial | None = None
    rehearsal: Rehearsal | None = None
    rejected: tuple[Rejection, ...] = ()
    is_certain: bool = False
    needs_attention: bool = False
    requeue_after_seconds: float | None = None
    waits_for: Turn | None = None


@dataclass(frozen=True)
class Scene:
    """What every step of a decision looks at.

    Attributes:
        current: The roll in place; a rejected one counts no more once there is one to go back to.
        stable: The roll that was complete last.
    """

    observed: Observed
    resolution: Resolution
    current: Roll | None
    stable: Roll | None
    rejected: tuple[Rejection, ...]

    @property
    def baseline(self) -> Roll | None:
        """What a newer version is compared with; what never served sets no mark."""
        has_served = self.observed.status.stable is not None
        return self.stable or (self.current if has_served else None)

    def stay(self, hold: Verdict | None = None) -> Decision:
        """Go on with what is in place."""
        return Decision(
            self.current, hold, rejected=self.rejected, is_certain=self.resolution.is_answered
        )

    def begin(self, inputs: PodInputs, lineage: Lineage, key: str, like: Roll | None) -> Decision:
        """Roll to something else; with the template of an earlier roll where that fits."""
        saved = find_unrolled(self.observed, inputs, key)
        if saved is not None:
            return Decision(saved, rejected=self.rejected, is_certain=True)
        number = last_revision(self.observed) + 1
        from_version, from_revision = self._find_origin()
        is_same = like is not None and like.inputs.fingerprint == inputs.fingerprint
        roll = Roll(
            revision=number,
            from_version=from_version,
            from_revision=from_revision,
            started_at=self.observed.now.replace(microsecond=0),
            inputs=inputs,
            template=like.template if like is not None and is_same else None,
            lineage=lineage,
            key=key,
            last=number,
        )
        return Decision(roll, rejected=self.rejected, is_certain=True)

    def _find_origin(self) -> tuple[int | None, int | None]:
        """Return version and revision of what served last; what never ended brought nothing."""
        stable, current = self.observed.status.stable, self.current
        if stable is not None:
            return stable.version, stable.revision
        if self.stable is not None:
            return self.stable.version, self.stable.revision
        if current is not None:
            return current.from_version, current.from_revision
        return None, None


def to_rejection(rehearsal: Rehearsal, now: datetime) -> Rejection:
    """Remember a try that failed its rehearsal."""
    return Rejection(
        version=rehearsal.version,
        key=rehearsal.key,
        reason=rehearsal.verdict,
        message=rehearsal.message,
        at=rehearsal.finished_at or now,
    )


def add_rejection(rejected: tuple[Rejection, ...], new: Rejection) -> tuple[Rejection, ...]:
    """Put a rejection first, once."""
    others = tuple(entry for entry in rejected if entry.key != new.key)
    return (new, *others)[:REJECTED_LIMIT]


def tell_rejected(rejection: Rejection) -> Verdict:
    """Say what was rejected and what makes it be tried again."""
    message = (
        f"Version {rejection.version} was rejected: {rejection.message or rejection.reason}."
        " It is tried again when another version is promoted, when what matters for it changes in"
        " the spec or in its tags, or when the annotation regisseur.dev/retry gets another value"
    )
    return Verdict("False", Reason.VERSION_REJECTED, message)
