"""What the status says of versions: the one named, the one served, the one rolled out, the past."""

import math
from collections.abc import Mapping
from itertools import islice
from typing import Final

from pydantic import Field, field_validator

from regisseur_operator.api.fields import Int32, Int64, StatusModel, Timestamp

METRICS_LIMIT: Final = 256
"""How many metrics of a run `status.resolved.lineage` keeps, by name."""


class Origin(StatusModel):
    """What a version was made from."""

    git_sha: str = Field(
        default="", max_length=1024, description="Commit of the training code; empty if unknown."
    )
    data_version: str = Field(
        default="", max_length=1024, description="Version of the training data; empty if unknown."
    )


class Lineage(Origin):
    """What a version was made from, and how good it was then."""

    metrics: dict[str, float] = Field(
        default_factory=dict,
        max_length=METRICS_LIMIT,
        description="Metrics of the run that made the version, as far as they are finite.",
    )

    @field_validator("metrics", mode="before")
    @classmethod
    def _keep_writable(cls, metrics: object) -> object:
        """JSON has no infinity and no NaN, and a status has a size; runs know neither limit."""
        if not isinstance(metrics, Mapping):
            return metrics
        finite = (name for name in sorted(metrics) if math.isfinite(metrics[name]))
        return {name: metrics[name] for name in islice(finite, METRICS_LIMIT)}


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
    model_created_ms: Int64 | None = Field(
        default=None,
        description="When the registered model was created, in milliseconds since 1970. A model of"
        " this name that was created at another time is another model.",
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
    digest: str = Field(
        default="",
        max_length=256,
        description="Digest of the model's files as training noted it in the registry; empty where"
        " it did not. What the pods insist on is told of stable and candidate.",
    )
    lineage: Lineage | None = Field(
        default=None, description="What the version was made from, and how good it was then."
    )
    resolved_at: Timestamp | None = Field(
        default=None, description="When the reference was first seen to name this version."
    )


class Stable(StatusModel):
    """The version whose rollout is complete."""

    model: str = Field(default="", description="Name of the registered model.")
    version: Int64 = Field(description="Model version that is served.")
    revision: Int64 = Field(
        description="Number of the rollout that brought it; grows by one with each rollout."
    )
    run_id: str = Field(default="", description="MLflow run that made the version.")
    digest: str = Field(
        default="",
        max_length=256,
        description="Digest of the model's files that its pods insist on; empty where no rehearsal"
        " has pinned it.",
    )
    image: str = Field(default="", description="Container image of its pods.")
    lineage: Lineage | None = Field(
        default=None, description="What the version was made from, and how good it was then."
    )
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
    run_id: str = Field(default="", description="MLflow run that made the version.")
    digest: str = Field(
        default="",
        max_length=256,
        description="Digest of the model's files that its pods insist on; empty where no rehearsal"
        " has pinned it.",
    )
    image: str = Field(default="", description="Container image of its pods.")
    phase: str = Field(description="How far it has come: Progressing, Held or Failed.")
    started_at: Timestamp | None = Field(default=None, description="When the rollout began.")
    last_failure: Failure | None = Field(
        default=None, description="What keeps the rollout from going on."
    )


class HistoryEntry(StatusModel):
    """One rollout that has ended."""

    revision: Int64 = Field(description="Number of the rollout.")
    model: str = Field(default="", description="Name of the registered model.")
    version: Int64 = Field(description="Model version that was rolled out.")
    from_version: Int64 | None = Field(
        default=None,
        alias="from",
        description="Model version that was served before; absent for the first rollout.",
    )
    run_id: str = Field(default="", description="MLflow run that made the version.")
    digest: str = Field(
        default="", max_length=256, description="Digest of the model's files, where it was pinned."
    )
    image: str = Field(default="", description="Container image of its pods.")
    lineage: Origin | None = Field(
        default=None, description="What the version was made from, as far as that was noted."
    )
    outcome: str = Field(description="How it ended: Succeeded, Failed or Superseded.")
    reason: str = Field(
        default="", max_length=1024, description="Machine-readable cause of the outcome."
    )
    started_at: Timestamp | None = Field(default=None, description="When the rollout began.")
    finished_at: Timestamp | None = Field(
        default=None,
        description="When the rollout ended; absent in what was entered again after the status was"
        " lost.",
    )


class Rejection(StatusModel):
    """A version that failed by its own fault, and is not tried again as it is."""

    version: Int64 = Field(description="Model version that was rejected.")
    key: str = Field(
        max_length=256,
        description="What was tried: the version and the parts of the spec that matter to it. With"
        " another key, such as after more memory was given, it is a new try.",
    )
    reason: str = Field(max_length=1024, description="Machine-readable cause, one word.")
    message: str = Field(
        default="", max_length=32768, description="What happened and what to do about it."
    )
    at: Timestamp | None = Field(default=None, description="When it was rejected.")
