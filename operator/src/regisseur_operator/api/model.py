"""Which model is served, and what a version has to fulfil before it goes further."""

import re
from typing import Annotated, Final, Literal, Self

from pydantic import ConfigDict, Field, field_validator, model_validator

from regisseur_operator.api.duration import parse_duration
from regisseur_operator.api.fields import Duration, SpecModel, VersionNumber
from regisseur_operator.api.rules import (
    ALIAS_RULE,
    METRIC_GATE_RULE,
    MODEL_NAME_RULE,
    ONE_REFERENCE_RULE,
    RESERVED_ALIAS_RULE,
    STAGE_RULE,
    cel,
)

_ALIAS: Final = re.compile(r"[\w-]+")
_RESERVED_ALIAS: Final = re.compile(r"latest|v[0-9]+", re.IGNORECASE)
_STAGES: Final = ("Production", "Staging", "Archived")

TagKey = Annotated[str, Field(min_length=1, max_length=250)]
TagValue = Annotated[str, Field(max_length=5000)]


class MetricGate(SpecModel):
    """What one metric of the version's run has to be."""

    model_config = ConfigDict(json_schema_extra=cel(METRIC_GATE_RULE))

    name: str = Field(
        min_length=1,
        max_length=250,
        description="Name of the metric, as the run of the version has it. A run without it does"
        " not fulfil the gate.",
    )
    goal: Literal["Maximize", "Minimize"] = Field(
        default="Maximize",
        description="Whether more of it is better, as of an accuracy, or less, as of an error.",
    )
    threshold: float | None = Field(
        default=None,
        allow_inf_nan=False,
        description="The worst value that is good enough: a version must reach it. Set threshold,"
        " maxRegression or both.",
    )
    max_regression: float | None = Field(
        default=None,
        ge=0,
        allow_inf_nan=False,
        description="How much worse than the served version's value it may be, as a difference,"
        " not a share; 0 allows no loss. Holds only while a version is served, and only if its"
        " run has the metric.",
    )

    @model_validator(mode="after")
    def _check_says_something(self) -> Self:
        if self.threshold is None and self.max_regression is None:
            raise ValueError(METRIC_GATE_RULE[1])
        return self


class Gates(SpecModel):
    """What must hold before another version goes further."""

    metrics: list[MetricGate] = Field(
        default_factory=list,
        max_length=16,
        description="Metrics of the run that made the version.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    )
    required_tags: dict[TagKey, TagValue] = Field(
        default_factory=dict,
        max_length=32,
        description="Tags that the version must have in the registry, with exactly these values,"
        " such as approved: 'true'. A tag that is set later counts as soon as it is set.",
    )
    signature: Literal["Compatible", "Any"] = Field(
        default="Compatible",
        description="Compatible: the rehearsal refuses a version whose MLflow signature would"
        " break requests that the served version answers; one whose files are lost is not compared."
        " Any: differences are told and refuse nothing. Without a rehearsal nothing is compared.",
    )
    min_age: Duration = Field(
        default="0s",
        description="How long the version must have been in the registry, such as 30m.",
    )

    @property
    def min_age_seconds(self) -> float:
        """The least age of a version in seconds."""
        return parse_duration(self.min_age)


class ModelSpec(SpecModel):
    """Which model to serve: a registered model and the one reference to follow."""

    model_config = ConfigDict(json_schema_extra=cel(ONE_REFERENCE_RULE))

    registry: str = Field(
        default="default",
        min_length=1,
        max_length=63,
        description="Name of the model registry, one of those that the operator was configured"
        " with. The person who runs the operator knows the names.",
    )
    name: str = Field(
        min_length=1,
        max_length=255,
        description="Name of the registered model, exactly as the registry spells it. Any letters"
        " and spaces are allowed; '/' and ':' are not.",
        json_schema_extra=cel(MODEL_NAME_RULE),
    )
    stage: str | None = Field(
        default=None,
        min_length=1,
        max_length=16,
        description="Follow the version in this stage: Production, Staging or Archived, in upper"
        " or lower case. If several versions are in it, the one that entered it last is served;"
        " when nothing is known about their order, the highest number. Set exactly one of stage,"
        " alias and version.",
        json_schema_extra=cel(STAGE_RULE),
    )
    alias: str | None = Field(
        default=None,
        min_length=1,
        max_length=255,
        description="Follow the version that has this alias, such as champion. Aliases are case"
        " sensitive. Set exactly one of stage, alias and version.",
        json_schema_extra=cel(ALIAS_RULE, RESERVED_ALIAS_RULE),
    )
    version: VersionNumber | None = Field(
        default=None,
        description="Serve this version and no other, such as 3; promotions in the registry"
        " change nothing. Set exactly one of stage, alias and version.",
    )
    gates: Gates = Field(
        default_factory=Gates,
        description="What must hold before another version than the served one goes further; all"
        " of it. Until then the served version stays, and the registry is read again and again."
        " The version that is served, and rollbackTo, pass no gates.",
    )

    @property
    def canonical_stage(self) -> str | None:
        """The stage as MLflow spells it; None where no stage is followed."""
        return None if self.stage is None else self.stage.capitalize()

    @property
    def reference(self) -> str:
        """The reference as people see it: `Production`, `@champion` or `3`."""
        if self.canonical_stage is not None:
            return self.canonical_stage
        return f"@{self.alias}" if self.alias is not None else str(self.version)

    @field_validator("name")
    @classmethod
    def _check_name(cls, name: str) -> str:
        if "/" in name or ":" in name:
            raise ValueError(MODEL_NAME_RULE[1])
        return name

    @field_validator("stage")
    @classmethod
    def _check_stage(cls, stage: str | None) -> str | None:
        if stage is not None and stage.capitalize() not in _STAGES:
            raise ValueError(STAGE_RULE[1])
        return stage

    @field_validator("alias")
    @classmethod
    def _check_alias(cls, alias: str | None) -> str | None:
        if alias is not None and not _ALIAS.fullmatch(alias):
            raise ValueError(ALIAS_RULE[1])
        if alias is not None and _RESERVED_ALIAS.fullmatch(alias):
            raise ValueError(RESERVED_ALIAS_RULE[1])
        return alias

    @model_validator(mode="after")
    def _check_one_reference(self) -> Self:
        references = (self.stage, self.alias, self.version)
        if sum(reference is not None for reference in references) != 1:
            raise ValueError(ONE_REFERENCE_RULE[1])
        return self
