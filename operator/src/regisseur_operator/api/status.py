"""The status of a ModelDeployment: what the operator answers.

Words that may grow (phases, reasons, outcomes) are plain strings in the schema: an operator that
is newer or older than the installed definition must still be able to write and read its status.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field, ValidationError

from regisseur_operator.api.fields import Int32, Int64, StatusModel, Timestamp
from regisseur_operator.api.reasons import Reason
from regisseur_operator.api.rehearsal import Rehearsal, RehearsalFacts
from regisseur_operator.api.versions import (
    METRICS_LIMIT,
    Candidate,
    Failure,
    HistoryEntry,
    Lineage,
    Origin,
    Rejection,
    Resolved,
    Stable,
)
from regisseur_operator.api.words import (
    CandidatePhase,
    ConditionType,
    Outcome,
    Phase,
    RehearsalState,
)

__all__ = [
    "HISTORY_LIMIT",
    "METRICS_LIMIT",
    "REJECTED_LIMIT",
    "STRAYS_LIMIT",
    "Candidate",
    "CandidatePhase",
    "Condition",
    "ConditionStatus",
    "ConditionType",
    "Failure",
    "Handled",
    "HistoryEntry",
    "Lineage",
    "ModelDeploymentStatus",
    "Origin",
    "Outcome",
    "Phase",
    "Reason",
    "Rehearsal",
    "RehearsalFacts",
    "RehearsalState",
    "Rejection",
    "Resolved",
    "Stable",
    "parse_status",
]

HISTORY_LIMIT: Final = 20
"""How many rollouts `status.history` keeps."""

REJECTED_LIMIT: Final = 10
"""How many versions `status.rejected` keeps."""

STRAYS_LIMIT: Final = 10
"""How many pods `status.strayPods` names."""

ConditionStatus = Literal["True", "False", "Unknown"]


class Handled(StatusModel):
    """The verbs that were acted on, by the tokens that people gave them."""

    retry: str = Field(
        default="",
        max_length=1024,
        description="Value of the annotation regisseur.dev/retry that was acted on last.",
    )
    restart: str = Field(
        default="",
        max_length=1024,
        description="Value of the annotation regisseur.dev/restart that was acted on last.",
    )


class Condition(StatusModel):
    """One aspect of the state, as Kubernetes' own objects report it."""

    type: str = Field(
        max_length=316,
        description="Which aspect: Ready, Available, Progressing, Resolved, RegistryReachable,"
        " Rehearsed, Stalled or Reconciling.",
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
        description="One word for people: Pending, Waiting, Rehearsing, Progressing, Healthy,"
        " Degraded or Suspended. Programs read the conditions.",
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
    handled: Handled | None = Field(
        default=None,
        description="The verbs that were acted on: annotations of this object whose value is a"
        " token.",
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
    rehearsal: Rehearsal | None = Field(
        default=None,
        description="The check of the version that was rehearsed last.",
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
    rejected: list[Rejection] = Field(
        default_factory=list,
        max_length=REJECTED_LIMIT,
        description="Versions that failed by their own fault, newest first. They are tried again"
        " when the reference moves, when the spec changes in what matters, or after retry.",
        json_schema_extra={"x-kubernetes-list-type": "atomic"},
    )
    stray_pods: list[str] = Field(
        default_factory=list,
        max_length=STRAYS_LIMIT,
        description="Ready pods that the Service sends requests to although the operator did not"
        " make them. Take their label regisseur.dev/modeldeployment away, or delete them.",
        json_schema_extra={"x-kubernetes-list-type": "atomic"},
    )
    conditions: Conditions = Field(
        default_factory=list,
        description="Ready: the version that the reference names is served by all pods. Available:"
        " some version is served. Progressing: a rollout goes on or is complete. Resolved: the"
        " reference names a version. RegistryReachable: the registry answers. Rehearsed: that"
        " version was checked before it met traffic. Stalled and Reconciling are there only while"
        " they are True: nothing goes on without a person, or something is under way.",
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
