"""What is to be said about one aspect of the state: a status, a reason and a message."""

from dataclasses import dataclass
from typing import Final

from regisseur_operator.api.reasons import Reason
from regisseur_operator.api.status import ConditionStatus, ConditionType, ModelDeploymentStatus


@dataclass(frozen=True)
class Verdict:
    """A condition without its times."""

    status: ConditionStatus
    reason: Reason
    message: str


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


def previous_verdict(status: ModelDeploymentStatus, about: ConditionType) -> Verdict | None:
    """Return what the status says now; None where it says nothing that this operator knows."""
    for condition in status.conditions:
        if condition.type == about:
            try:
                return Verdict(condition.status, Reason(condition.reason), condition.message)
            except ValueError:
                return None
    return None
