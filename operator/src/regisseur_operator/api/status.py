"""The status of a ModelDeployment: what the operator answers.

Words that may grow (phases, reasons, outcomes) are plain strings in the schema: an operator that
is newer or older than the installed definition must still be able to write and read its status.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import Field, ValidationError

from regisseur_operator.api.fields import Int32, Int64, StatusModel, Timestamp
from regisseur_operator.api.reasons import Reason

__all__ = [
    "HISTORY_LIMIT",
    "Candidate",
    "CandidatePhase",
    "Condition",
    "ConditionStatus",
    "ConditionType",
    "Failure",
    "HistoryEntry",
    "ModelDeploymentStatus",
    "Outcome",
    "Phase",
    "Reason",
    "Resolved",
    "Stable",
    "parse_status",
]

HISTORY_LIMIT: Final = 10
"""How many rollouts `status.history` keeps."""

ConditionStatus = Literal["True", "False", "Unknown"]


class ConditionType(StrEnum):
    """The conditions of a ModelDeployment; all are good when True."""

    READY = "Ready"
    AVAILABLE = "Available"
    PROGRESSING = "Progressing"
    RESOLVED = "Resolved"
    REGISTRY_REACHABLE = "RegistryReachable"


class Phase(StrEnum):
    """One word for `kubectl get`; the conditions carry the truth."""

    PENDING = "Pending"
    """Nothing is served yet and nothing can be rolled out yet."""

    PROGRESSING = "Progressing"
    """A rollout or a scaling is under way."""

    HEALTHY = "Healthy"
    """The version that the reference names is served by all pods."""

    DEGRADED = "Degraded"
    """Something keeps the wanted state from being reached; a condition says what."""

    SUSPENDED = "Suspended"
    """`spec.suspend` is true."""


class CandidatePhase(StrEnum):
    """How far a rollout has come."""

    PROGRESSING = "Progressing"
    """Pods of the candidate are starting or take over."""

    FAILED = "Failed"
    """The deadline passed, or its pods cannot be made; the stable version goes on serving."""


class Outcome(StrEnum):
    """How a rollout ended."""

    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    SUPERSEDED = "Superseded"


class Resolved(StatusModel):
    """The version that the reference named when the registry was last able to tell."""

    registry: str = Field(description="Name of the registry that was asked.")
    model: str = Field(description="Name of the registered model that was looked up.")
    reference: str = Field(
        description="What was looked up: a stage such as Production, an alias such as @champion,"
        " or a version number.",
    )
    version: Int64 = Field(description="The version that the reference names.")
    holders: list[Int64] = Field(
        default_factory=list,
        max_length=1000,
        description="All versions that held the reference when it was looked up, ascending; a"
        " stage can hold several.",
        json_schema_extra={"x-kubernetes-list-type": "set"},
    )
    run_id: str = Field(default="", description="MLflow run that made the version.")
    model_id: str = Field(
        default="",
        description="MLflow's id of the logged model; empty for models logged before MLflow 3.",
    )
    source: str = Field(
        default="",
        description="Where the pods fetch the model's files from.",
    )
    resolved_at: Timestamp | None = Field(
        default=None, description="When the reference was first seen to name this version."
    )


class Stable(StatusModel):
    """The version whose rollout is complete."""

    version: Int64 = Field(description="Model version that is served.")
    revision: Int64 = Field(
        description="Number of the rollout that brought it; grows by one with each rollout."
    )
    image: str = Field(default="", description="Container image of its pods.")
    since: Timestamp | None = Field(default=None, description="When its rollout was complete.")
    ready_replicas: Int32 = Field(default=0, description="How many of its pods are ready.")


class Failure(StatusModel):
    """What went wrong last."""

    reason: str = Field(max_length=1024, description="Machine-readable cause, one word.")
    message: str = Field(
        default="", max_length=32768, description="What happened and what to do about it."
    )
    at: Timestamp | None = Field(default=None, description="When it was first seen.")


class Candidate(StatusModel):
    """The version being rolled out, until it is stable or given up."""

    version: Int64 = Field(description="Model version that is rolled out.")
    revision: Int64 = Field(description="Number of this rollout.")
    image: str = Field(default="", description="Container image of its pods.")
    phase: str = Field(description="How far it has come: Progressing or Failed.")
    started_at: Timestamp | None = Field(default=None, description="When the rollout began.")
    last_failure: Failure | None = Field(
        default=None, description="What keeps the rollout from going on."
    )


class HistoryEntry(StatusModel):
    """One rollout that has ended."""

    revision: Int64 = Field(description="Number of the rollout.")
    version: Int64 = Field(description="Model version that was rolled out.")
    from_version: Int64 | None = Field(
        default=None,
        alias="from",
        description="Model version that was served before; absent for the first rollout.",
    )
    outcome: str = Field(description="How it ended: Succeeded, Failed or Superseded.")
    reason: str = Field(
        default="", max_length=1024, description="Machine-readable cause of the outcome."
    )
    started_at: Timestamp | None = Field(default=None, description="When the rollout began.")
    finished_at: Timestamp | None = Field(default=None, description="When the rollout ended.")


class Condition(StatusModel):
    """One aspect of the state, as Kubernetes' own objects report it."""

    type: str = Field(
        max_length=316,
        description="Which aspect: Ready, Available, Progressing, Resolved or RegistryReachable.",
    )
    status: ConditionStatus = Field(description="True, False or Unknown.")
    observed_generation: Int64 | None = Field(
        default=None,
        ge=0,
        description="metadata.generation of the spec that this condition speaks of.",
    )
    last_transition_time: Timestamp = Field(description="When status last changed.")
    reason: str = Field(
        min_length=1,
        max_length=1024,
        description="Machine-readable cause, one word.",
    )
    message: str = Field(
        default="", max_length=32768, description="What it means here and what to do about it."
    )


Conditions = Annotated[list[Condition], Field(max_length=16)]


class ModelDeploymentStatus(StatusModel):
    """What is served, what is being rolled out, and why."""

    observed_generation: Int64 | None = Field(
        default=None, description="metadata.generation of the spec that was acted on last."
    )
    phase: str | None = Field(
        default=None,
        description="One word for people: Pending, Progressing, Healthy, Degraded or Suspended."
        " Programs read the conditions.",
    )
    reference: str | None = Field(
        default=None,
        description="What is followed: a stage such as Production, an alias such as @champion, or"
        " a version number.",
    )
    ready: str | None = Field(
        default=None,
        description="Ready pods out of those wanted, such as 2/2, for people. Programs read"
        " readyReplicas.",
    )
    url: str | None = Field(default=None, description="Address of the Service inside the cluster.")
    replicas: Int32 | None = Field(
        default=None, description="How many pods exist, of all versions."
    )
    ready_replicas: Int32 | None = Field(
        default=None, description="How many pods are ready, of all versions."
    )
    selector: str | None = Field(
        default=None,
        description="Label selector of the pods, as the scale subresource and autoscalers need it.",
    )
    resolved: Resolved | None = Field(
        default=None,
        description="The version that the reference named when the registry was last able to tell.",
    )
    stable: Stable | None = Field(
        default=None, description="The version whose rollout is complete."
    )
    candidate: Candidate | None = Field(
        default=None,
        description="The version being rolled out; absent when there is no rollout.",
    )
    history: list[HistoryEntry] = Field(
        default_factory=list,
        max_length=HISTORY_LIMIT,
        description="The last rollouts that ended, newest first.",
        json_schema_extra={"x-kubernetes-list-type": "atomic"},
    )
    conditions: Conditions = Field(
        default_factory=list,
        description="Ready: the version that the reference names is served by all pods. Available:"
        " some version is served. Progressing: a rollout goes on or is complete. Resolved: the"
        " reference names a version. RegistryReachable: the registry answers.",
        json_schema_extra={
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["type"],
        },
    )

    def to_manifest(self) -> dict[str, Any]:
        """Plain JSON as the API server takes it, without what is not known."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


def parse_status(manifest: Mapping[str, Any]) -> ModelDeploymentStatus:
    """Read the status of a ModelDeployment as the API server gave it.

    What cannot be read counts as absent: status can always be rebuilt from what runs.
    """
    try:
        return ModelDeploymentStatus.model_validate(manifest.get("status") or {})
    except ValidationError:
        return ModelDeploymentStatus()
