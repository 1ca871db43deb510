"""How a version is checked and how traffic moves to it: rehearsal, strategy, autoscaling."""

from typing import Annotated, Final, Literal, Self

from pydantic import ConfigDict, Field, field_validator, model_validator

from regisseur_operator.api.duration import parse_duration
from regisseur_operator.api.fields import Duration, Int32, IntOrPercent, IntOrShare, SpecModel
from regisseur_operator.api.rules import (
    DURATION_RULE,
    ONE_STRATEGY_RULE,
    REPLICA_RANGE_RULE,
    STUCK_STRATEGY_RULE,
    TIMEOUT_RULE,
    cel,
)

LONGEST_TIMEOUT_SECONDS: Final = 24 * 3600

Timeout = Annotated[Duration, Field(json_schema_extra=cel(DURATION_RULE, TIMEOUT_RULE))]


class RehearsalSpec(SpecModel):
    """The check of a version in a pod of its own, before it meets traffic."""

    enabled: bool = Field(
        default=True,
        description="Whether a version is rehearsed before it is rolled out. Without a rehearsal"
        " nothing is checked beforehand, not even model.gates.signature, and its files are not"
        " pinned by their digest.",
    )
    timeout: Timeout = Field(
        default="5m",
        description="How long the rehearsal may take, download and loading included, from 1s to"
        " 24h. A version that is not judged by then is rejected if its files were there, and tried"
        " again if the image or the files were not."
        " Serving pods have an hour for the download.",
    )
    requirements: Literal["Strict", "Minor", "Ignore"] = Field(
        default="Minor",
        description="How far the versions of the libraries in the image may differ from those that"
        " the model was logged with. Strict: not at all, and Python not even in its last number."
        " Minor: in the last number only. Ignore: as they like.",
    )

    @property
    def timeout_seconds(self) -> float:
        """The longest time of a rehearsal in seconds."""
        return parse_duration(self.timeout)

    @field_validator("timeout")
    @classmethod
    def _check_timeout(cls, timeout: str) -> str:
        if not 1 <= parse_duration(timeout) <= LONGEST_TIMEOUT_SECONDS:
            raise ValueError(TIMEOUT_RULE[1])
        return timeout


class RollingUpdate(SpecModel):
    """How many pods are replaced at once."""

    model_config = ConfigDict(json_schema_extra=cel(STUCK_STRATEGY_RULE))

    max_surge: IntOrPercent = Field(
        default=1,
        description="How many pods more than replicas may exist during a rollout: a number such as"
        " 1, or a percentage such as 25%, rounded up. Absent means 1.",
    )
    max_unavailable: IntOrShare = Field(
        default=0,
        description="How many pods fewer than replicas may be ready during a rollout: a number"
        " such as 0, or a percentage of at most 100%, such as 25%, rounded down. Absent means 0,"
        " which keeps the full capacity.",
    )

    @model_validator(mode="after")
    def _check_movable(self) -> Self:
        if self.max_surge in (0, "0%") and self.max_unavailable in (0, "0%"):
            raise ValueError(STUCK_STRATEGY_RULE[1])
        return self


class Recreate(SpecModel):
    """All old pods end before the first new one starts; nothing to set."""


class Strategy(SpecModel):
    """How traffic moves from the version that is served to a new one."""

    model_config = ConfigDict(json_schema_extra=cel(ONE_STRATEGY_RULE))

    rolling_update: RollingUpdate | None = Field(
        default=None,
        description="Replace the pods of the old version by pods of the new one, a few at a time;"
        " traffic goes to pods that are ready. Set exactly one of rollingUpdate and recreate.",
    )
    recreate: Recreate | None = Field(
        default=None,
        description="End all pods of the old version before the first new one starts: {}. Nothing"
        " is served in between; for models of which no two fit into the cluster. A rehearsal is one"
        " more pod, too: where there is no room for it, set rehearsal.enabled: false.",
    )

    @model_validator(mode="after")
    def _check_one_strategy(self) -> Self:
        if (self.rolling_update is None) == (self.recreate is None):
            raise ValueError(ONE_STRATEGY_RULE[1])
        return self


class Autoscaling(SpecModel):
    """How many pods serve, by their use of CPU."""

    model_config = ConfigDict(json_schema_extra=cel(REPLICA_RANGE_RULE))

    min_replicas: Int32 = Field(default=1, ge=1, description="The fewest pods. Absent means 1.")
    max_replicas: Int32 = Field(ge=1, description="The most pods; not smaller than minReplicas.")
    target_cpu_utilization_percentage: Int32 = Field(
        default=70,
        ge=1,
        le=1000,
        alias="targetCPUUtilizationPercentage",
        description="Use of CPU to aim at, as a percentage of serving.resources.requests.cpu."
        " Absent means 70.",
    )

    @model_validator(mode="after")
    def _check_range(self) -> Self:
        if self.max_replicas < self.min_replicas:
            raise ValueError(REPLICA_RANGE_RULE[1])
        return self
