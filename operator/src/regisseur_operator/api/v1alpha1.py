"""The spec of a ModelDeployment, version v1alpha1: what people write.

No field is here before it works. A description is what `kubectl explain` shows.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import ConfigDict, Field, ValidationError, field_validator, model_validator

from regisseur_operator.api.fields import (
    Int32,
    IntOrPercent,
    Quantity,
    SpecModel,
    VersionNumber,
)
from regisseur_operator.api.quantity import parse_quantity
from regisseur_operator.api.reasons import Reason
from regisseur_operator.api.rules import (
    ALIAS_RULE,
    DEADLINE_RULE,
    IMAGE_RULE,
    MODEL_NAME_RULE,
    ONE_REFERENCE_RULE,
    REQUESTS_RULE,
    RESERVED_ALIAS_RULE,
    STUCK_STRATEGY_RULE,
    cel,
)
from regisseur_operator.errors import TerminalError

MAX_RESOURCES: Final = 6
"""The most that the API server's cost limit for REQUESTS_RULE allows."""

_ALIAS: Final = re.compile(r"[\w-]+")
_RESERVED_ALIAS: Final = re.compile(r"latest|v[0-9]+", re.IGNORECASE)


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
    stage: Literal["Production", "Staging", "Archived"] | None = Field(
        default=None,
        description="Follow the version in this stage. If several versions are in it, the one that"
        " entered it last is served; when nothing is known about their order, the highest"
        " number. Set exactly one of stage, alias and version.",
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

    @property
    def reference(self) -> str:
        """The reference as people see it: `Production`, `@champion` or `3`."""
        if self.stage is not None:
            return self.stage
        return f"@{self.alias}" if self.alias is not None else str(self.version)

    @field_validator("name")
    @classmethod
    def _check_name(cls, name: str) -> str:
        if "/" in name or ":" in name:
            raise ValueError(MODEL_NAME_RULE[1])
        return name

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


ResourceName = Annotated[str, Field(min_length=1, max_length=253)]


class Resources(SpecModel):
    """Compute resources of the server's container."""

    model_config = ConfigDict(json_schema_extra=cel(REQUESTS_RULE))

    requests: dict[ResourceName, Quantity] = Field(
        default_factory=dict,
        max_length=MAX_RESOURCES,
        description="What a pod is sure to get and what it is scheduled by, such as cpu: 500m and"
        " memory: 512Mi.",
    )
    limits: dict[ResourceName, Quantity] = Field(
        default_factory=dict,
        max_length=MAX_RESOURCES,
        description="What a pod may use at most. A server that goes over its memory limit is"
        " killed.",
    )

    @model_validator(mode="after")
    def _check_requests(self) -> Self:
        for name in self.requests.keys() & self.limits.keys():
            if parse_quantity(self.requests[name]) > parse_quantity(self.limits[name]):
                raise ValueError(REQUESTS_RULE[1])
        return self


class ServingSpec(SpecModel):
    """The server that runs the model."""

    image: str = Field(
        default="",
        max_length=1024,
        description="Container image of the model server. Empty means the operator's default"
        " image.",
        json_schema_extra=cel(IMAGE_RULE),
    )
    resources: Resources = Field(
        default_factory=Resources,
        description="Requests and limits of the server's container, as in a Pod.",
    )

    @field_validator("image")
    @classmethod
    def _check_image(cls, image: str) -> str:
        if any(letter.isspace() for letter in image):
            raise ValueError(IMAGE_RULE[1])
        return image


AnnotationKey = Annotated[str, Field(min_length=1, max_length=317)]
AnnotationValue = Annotated[str, Field(max_length=16384)]


class ServiceSpec(SpecModel):
    """The Service in front of the pods; it has the name of the ModelDeployment."""

    type: Literal["ClusterIP", "NodePort", "LoadBalancer"] = Field(
        default="ClusterIP",
        description="How the Service is reached: ClusterIP inside the cluster only, NodePort by a"
        " port of every node, LoadBalancer by an address of the cloud.",
    )
    port: int = Field(
        default=80,
        ge=1,
        le=65535,
        description="Port of the Service. The server answers at it on every route.",
        json_schema_extra={"format": "int32"},
    )
    annotations: dict[AnnotationKey, AnnotationValue] = Field(
        default_factory=dict,
        max_length=32,
        description="Annotations of the Service, as load balancers and service meshes read them.",
    )


class RollingUpdate(SpecModel):
    """How many pods are replaced at once."""

    model_config = ConfigDict(json_schema_extra=cel(STUCK_STRATEGY_RULE))

    max_surge: IntOrPercent = Field(
        default=1,
        description="How many pods more than replicas may exist during a rollout: a number such as"
        " 1, or a percentage such as 25%, rounded up.",
    )
    max_unavailable: IntOrPercent = Field(
        default=0,
        description="How many pods fewer than replicas may be ready during a rollout: a number"
        " such as 0, or a percentage such as 25%, rounded down. 0 keeps the full capacity.",
    )

    @model_validator(mode="after")
    def _check_movable(self) -> Self:
        if self.max_surge in (0, "0%") and self.max_unavailable in (0, "0%"):
            raise ValueError(STUCK_STRATEGY_RULE[1])
        return self


class Strategy(SpecModel):
    """How traffic moves from the version that is served to a new one."""

    # Required inside `strategy`, with the default on `strategy` itself: a server-side default
    # here would also fill in beside another strategy, once there is one to choose.
    rolling_update: RollingUpdate = Field(
        description="Replace the pods of the old version by pods of the new one, a few at a time;"
        " traffic goes to pods that are ready.",
    )


class ModelDeploymentSpec(SpecModel):
    """What is to be served, and how."""

    model_config = ConfigDict(json_schema_extra=cel(DEADLINE_RULE))

    model: ModelSpec = Field(
        description="Which model to serve: a registered model, and the stage, alias or version of"
        " it to follow.",
    )
    serving: ServingSpec = Field(
        default_factory=ServingSpec,
        description="The server that runs the model: its image and its resources.",
    )
    service: ServiceSpec = Field(
        default_factory=ServiceSpec,
        description="The Service in front of the pods; it has the name of the ModelDeployment.",
    )
    replicas: Int32 = Field(
        default=1,
        ge=0,
        description="How many pods serve the model. `kubectl scale` and autoscalers set it.",
    )
    strategy: Strategy = Field(
        default=Strategy(rolling_update=RollingUpdate()),
        description="How traffic moves from the version that is served to a new one.",
    )
    min_ready_seconds: Int32 = Field(
        default=10,
        ge=0,
        description="How long a new pod must be ready before it counts as available and the"
        " rollout goes on.",
    )
    progress_deadline_seconds: Int32 = Field(
        default=300,
        ge=1,
        description="How long a rollout may stand still before it counts as failed; must be"
        " greater than minReadySeconds. Pods of the old version go on serving.",
    )
    suspend: bool = Field(
        default=False,
        description="Stop following the registry and stop acting. What runs goes on running as it"
        " is.",
    )

    @model_validator(mode="after")
    def _check_deadline(self) -> Self:
        if self.progress_deadline_seconds <= self.min_ready_seconds:
            raise ValueError(DEADLINE_RULE[1])
        return self


def parse_spec(manifest: Mapping[str, Any]) -> ModelDeploymentSpec:
    """Read the spec of a ModelDeployment as the API server gave it.

    Raises:
        TerminalError: The spec is not valid; possible only if it was stored under another
            version of the resource definition. The message names each field.
    """
    try:
        return ModelDeploymentSpec.model_validate(manifest.get("spec", {}))
    except ValidationError as error:
        raise TerminalError(Reason.INVALID_SPEC, _describe(error)) from None


def _describe(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(str(part) for part in ('spec', *problem['loc']))}: "
        f"{problem['msg'].removeprefix('Value error, ')}"
        for problem in error.errors(include_url=False, include_input=False, include_context=False)
    )
