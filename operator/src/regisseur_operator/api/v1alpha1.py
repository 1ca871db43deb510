"""The spec of a ModelDeployment, version v1alpha1: what people write.

No field is here before it works. A description is what `kubectl explain` shows.
"""

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import ConfigDict, Field, ValidationError, model_validator

from regisseur_operator.api.fields import Int32, Int64, SpecModel
from regisseur_operator.api.labels import Annotations
from regisseur_operator.api.model import Gates, MetricGate, ModelSpec
from regisseur_operator.api.podtemplate import PodTemplate
from regisseur_operator.api.reasons import Reason
from regisseur_operator.api.rollout import (
    Autoscaling,
    Recreate,
    RehearsalSpec,
    RollingUpdate,
    Strategy,
)
from regisseur_operator.api.rules import AUTOSCALING_RULE, DEADLINE_RULE, cel
from regisseur_operator.api.serving import (
    EnvVar,
    ImageFrom,
    LocalReference,
    ModelAccess,
    Resources,
    ServingSpec,
)
from regisseur_operator.errors import TerminalError

__all__ = [
    "Autoscaling",
    "EnvVar",
    "Gates",
    "ImageFrom",
    "LocalReference",
    "MetricGate",
    "ModelAccess",
    "ModelDeploymentSpec",
    "ModelSpec",
    "PodTemplate",
    "Recreate",
    "RehearsalSpec",
    "Resources",
    "RollingUpdate",
    "ServiceSpec",
    "ServingSpec",
    "Strategy",
    "parse_spec",
]


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
    annotations: Annotations = Field(
        default_factory=dict,
        description="Annotations of the Service, as load balancers and service meshes read them."
        " Those under regisseur.dev/ are the operator's own.",
    )


class ModelDeploymentSpec(SpecModel):
    """What is to be served, and how."""

    model_config = ConfigDict(json_schema_extra=cel(DEADLINE_RULE, AUTOSCALING_RULE))

    model: ModelSpec = Field(
        description="Which model to serve: a registered model, and the stage, alias or version of"
        " it to follow.",
    )
    rehearsal: RehearsalSpec = Field(
        default_factory=RehearsalSpec,
        description="The check of a version in a pod of its own, before it meets traffic: the"
        " files are complete, the image fits, the model loads and predicts.",
    )
    serving: ServingSpec = Field(
        default_factory=ServingSpec,
        description="The server that runs the model: image, environment, resources, pods.",
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
    autoscaling: Autoscaling | None = Field(
        default=None,
        description="Set replicas by the pods' use of CPU, by a HorizontalPodAutoscaler of the"
        " same name. Needs serving.resources.requests.cpu and a metrics server in the cluster.",
    )
    # The API server fills in no default here: it would stand beside the other strategy, once
    # somebody chooses that one.
    strategy: Strategy = Field(
        default_factory=lambda: Strategy(rolling_update=RollingUpdate()),
        description="How traffic moves from the version that is served to a new one: exactly one"
        " of rollingUpdate and recreate. Absent means rollingUpdate, one pod at a time, with the"
        " full capacity kept.",
        json_schema_extra={"default": None},
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
        description="How long a pod may take to become ready once it has its model's files. A"
        " version that takes longer is rejected, and the one that was served before is put back."
        " Must be greater than minReadySeconds.",
    )
    revision_history_limit: Int32 = Field(
        default=10,
        ge=1,
        le=50,
        description="How many finished rollouts are kept to return to, from 1 to 50. What is"
        " served is always kept.",
    )
    rollback_to: Int64 | None = Field(
        default=None,
        ge=1,
        description="Number of a revision of status.history to serve again, exactly as it was,"
        " whatever the registry says. Take it away to follow the reference again.",
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

    @model_validator(mode="after")
    def _check_autoscaling(self) -> Self:
        if self.autoscaling is not None and "cpu" not in self.serving.resources.requests:
            raise ValueError(AUTOSCALING_RULE[1])
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
