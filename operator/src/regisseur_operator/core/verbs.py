"""When a verb is heard: a retry is for what begins after it.

A rollout that is failing at this moment is first ended, told and put back. Otherwise its last pods
would use the token up: the version would be rejected by what had happened before the retry.
"""

from dataclasses import replace

from regisseur_operator.core.current import find_current, find_stable
from regisseur_operator.core.observed import Observed
from regisseur_operator.core.progress import judge_progress
from regisseur_operator.core.trial import find_rejection


def postpone_retry(observed: Observed) -> Observed:
    """Do not hear a retry yet while the roll in place has failed and another one comes back."""
    if not observed.is_retried:
        return observed
    current = find_current(observed)
    stable = find_stable(observed, current)
    if current is None or stable is None or current.revision == stable.revision:
        return observed
    is_known = find_rejection(observed.status.rejected, current.key) is not None
    if not is_known and judge_progress(observed).rejection is None:
        return observed
    return replace(observed, verbs=replace(observed.verbs, retry=observed.handled.retry))
