"""What of a ModelDeployment can be under way, and is limited over all of them together.

Many models may move at once, and so may one that many follow. Then they take turns, so that
neither the cluster nor the store of the models' files is run over. What brings back something that
was complete before never waits, and neither does what a person asked for by a verb.
"""

from enum import StrEnum
from typing import Final


class Turn(StrEnum):
    """What one takes turns in."""

    REHEARSAL = "rehearsal"
    ROLLOUT = "rollout"


ALL_TURNS: Final = frozenset(Turn)
