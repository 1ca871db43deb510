"""Why something was done: a note travels with the plan and ends as Event and log line."""

from dataclasses import dataclass
from typing import Literal

from regisseur_operator.api.reasons import Reason


@dataclass(frozen=True)
class Note:
    """One thing that people should hear of."""

    kind: Literal["Normal", "Warning"]
    reason: Reason
    message: str
