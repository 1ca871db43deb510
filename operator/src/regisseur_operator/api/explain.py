"""Whether the server explains its predictions, and how long that may take."""

from typing import Annotated

from pydantic import Field, field_validator

from regisseur_contract.runtime import EXPLAIN_BUDGET_SECONDS, MOST_EXPLAIN_BUDGET_SECONDS
from regisseur_operator.api.duration import parse_duration
from regisseur_operator.api.fields import Duration, SpecModel
from regisseur_operator.api.rules import (
    DURATION_RULE,
    EXPLAIN_BUDGET_RULE,
    LEAST_EXPLAIN_BUDGET_SECONDS,
    cel,
)

Budget = Annotated[Duration, Field(json_schema_extra=cel(DURATION_RULE, EXPLAIN_BUDGET_RULE))]


class Explain(SpecModel):
    """The route /explain, which answers the share of each value in a prediction."""

    enabled: bool = Field(
        default=True,
        description="Whether the server has it. Takes an image that was built with EXTRAS=explain,"
        " and some 300Mi of memory beside what the server needs.",
    )
    budget: Budget = Field(
        default=f"{EXPLAIN_BUDGET_SECONDS}s",
        description="How long the explanation of one request may take, from 100ms to"
        f" {MOST_EXPLAIN_BUDGET_SECONDS}s. Models that are neither trees nor linear are explained"
        " by trying, and a longer budget allows more rows, or tries more often.",
    )

    @property
    def budget_seconds(self) -> float:
        """The budget in seconds."""
        return parse_duration(self.budget)

    @field_validator("budget")
    @classmethod
    def _check_budget(cls, budget: str) -> str:
        seconds = parse_duration(budget)
        if not LEAST_EXPLAIN_BUDGET_SECONDS <= seconds <= MOST_EXPLAIN_BUDGET_SECONDS:
            raise ValueError(EXPLAIN_BUDGET_RULE[1])
        return budget
