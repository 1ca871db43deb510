"""Whether the registry answers, and since when it does not."""

from datetime import timedelta
from typing import Final

from regisseur_operator.api.reasons import Reason
from regisseur_operator.api.status import ConditionType
from regisseur_operator.core.observed import Observed
from regisseur_operator.core.reference import GOES_ON, tell_unknown_registry
from regisseur_operator.core.verdict import Verdict, previous_verdict

UNREACHABLE_AFTER: Final = timedelta(seconds=30)
"""How long a registry may fail before it is called unreachable: a restart is no outage."""


def is_out(observed: Observed) -> bool:
    """Whether the registry has failed for so long that it is called unreachable."""
    health = observed.answer.health if observed.answer is not None else None
    since = health.failing_since if health is not None else None
    return since is not None and since + UNREACHABLE_AFTER <= observed.now


def judge_reachability(observed: Observed) -> tuple[Verdict, float | None]:
    """Return the condition RegistryReachable, and when time alone will change it."""
    if observed.answer is None:
        return tell_unknown_registry(observed), None
    health = observed.answer.health
    name = observed.spec.model.registry
    if health.failing_since is None:
        if health.ever_answered:
            return Verdict("True", Reason.REGISTRY_ANSWERS, f"Registry {name!r} answers"), None
        return _previous(observed), None
    left = health.failing_since + UNREACHABLE_AFTER - observed.now
    if left > timedelta(0):
        return _previous(observed), left.total_seconds()
    return _unreachable(observed, health.message, is_denied=health.denied), None


def _unreachable(observed: Observed, message: str, *, is_denied: bool) -> Verdict:
    reason = Reason.REGISTRY_DENIED if is_denied else Reason.REGISTRY_UNREACHABLE
    previous = previous_verdict(observed.status, ConditionType.REGISTRY_REACHABLE)
    if previous is not None and previous.status == "False" and previous.reason == reason:
        # The words of one and the same outage change from call to call; the status need not.
        return previous
    name = observed.spec.model.registry
    return Verdict("False", reason, f"Registry {name!r} gives no answer: {message}. {GOES_ON}")


def _previous(observed: Observed) -> Verdict:
    previous = previous_verdict(observed.status, ConditionType.REGISTRY_REACHABLE)
    name = observed.spec.model.registry
    waiting = Verdict("Unknown", Reason.WAITING_FOR_REGISTRY, f"Registry {name!r} is being asked")
    return previous or waiting
