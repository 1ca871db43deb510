"""What of a ModelDeployment is under way and counts among those that take turns.

What has come to a stand (no node has room, the deadline is past) counts no more: it would hold up
all others for as long as it lasts. It goes on by itself, without another turn.
"""

from regisseur_operator.api.status import CandidatePhase, RehearsalState
from regisseur_operator.core.decision import Decision
from regisseur_operator.core.observed import Observed
from regisseur_operator.core.progress import is_settled
from regisseur_operator.core.progressing import is_dormant, is_pending
from regisseur_operator.core.turns import Turn


def find_under_way(observed: Observed, decision: Decision) -> frozenset[Turn]:
    """Return what is under way once a decision is carried out."""
    if observed.spec.suspend:
        return frozenset()
    rehearsal = {Turn.REHEARSAL} if _is_rehearsed(decision) else set()
    rollout = {Turn.ROLLOUT} if _is_rolled(observed, decision) else set()
    return frozenset(rehearsal | rollout)


def _is_rehearsed(decision: Decision) -> bool:
    rehearsal = decision.rehearsal
    if decision.trial is None or rehearsal is None:
        return False
    return rehearsal.state == RehearsalState.RUNNING


def _is_rolled(observed: Observed, decision: Decision) -> bool:
    roll, deployment, candidate = decision.roll, observed.deployment, observed.status.candidate
    if roll is None or is_settled(observed.status, roll):
        return False
    if deployment is None or is_pending(observed, decision):
        return True
    if is_dormant(observed) or deployment.is_past_deadline:
        return False
    if candidate is None or candidate.revision != roll.revision:
        return True
    return candidate.phase == CandidatePhase.PROGRESSING
