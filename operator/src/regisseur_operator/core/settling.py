"""What happened while nobody looked is told before anything else is decided.

A rollout may be complete, and may have served for long, before the operator hears of it. What is
planned next has to start from it: it is what is served, what the next roll replaces, and what one
can go back to. And the next roll overwrites the only place that tells of it, the Deployment. So it
is in the status before the Deployment is touched: whenever the operator dies, no rollout that was
complete is taken for one that was broken off.
"""

from dataclasses import replace
from typing import Final

from regisseur_operator.api.reasons import Reason
from regisseur_operator.api.status import ModelDeploymentStatus
from regisseur_operator.core.current import find_current
from regisseur_operator.core.decision import Decision
from regisseur_operator.core.history import recall_history
from regisseur_operator.core.observed import Observed
from regisseur_operator.core.planner import Plan
from regisseur_operator.core.progress import is_settled, judge_progress
from regisseur_operator.core.roll import Roll
from regisseur_operator.core.verdict import Verdict

DEPLOYMENT: Final = "Deployment"


def settle(observed: Observed) -> Observed:
    """Take what rolls tell into the status that decisions look at: what was complete, and what is.

    What was complete earlier is asked for only where the history was lost.
    """
    observed = _update(observed, history=recall_history(observed))
    if not _has_ended(observed):
        return observed
    progress = judge_progress(observed)
    return _update(observed, stable=progress.stable, candidate=None, history=progress.history)


def _update(observed: Observed, **parts: object) -> Observed:
    return replace(observed, status=observed.status.model_copy(update=parts))


def _has_ended(observed: Observed) -> bool:
    """Whether the roll in place is complete and not told yet; an outdated one is not in place."""
    deployment, roll = observed.deployment, observed.live_roll
    if deployment is None or roll is None or not deployment.is_complete:
        return False
    return not is_settled(observed.status, roll) and find_current(observed) is roll


def wait_for_status(
    observed: Observed, told: ModelDeploymentStatus, decision: Decision, plan: Plan
) -> tuple[Decision, Plan]:
    """Leave the Deployment alone as long as it knows more than the stored status.

    Args:
        observed: The world, settled.
        told: The status as it is stored.
        decision: What is to be done.
        plan: The writes for it.
    """
    others = tuple(write for write in plan.writes if write.kind.kind != DEPLOYMENT)
    if told.stable == observed.status.stable or len(others) == len(plan.writes):
        return decision, plan
    roll, live, plan = decision.roll, observed.live_roll, replace(plan, writes=others)
    if roll is None or live is None or roll.revision == live.revision:
        return decision, plan
    return replace(decision, hold=decision.hold or _tell_next(roll, live)), plan


def _tell_next(roll: Roll, live: Roll) -> Verdict:
    message = (
        f"Rollout {roll.revision} brings version {roll.version};"
        f" version {live.version} serves until it is complete"
    )
    return Verdict("True", Reason.ROLLOUT_PROGRESSING, message)
