"""What a model registry can say, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final


@dataclass(frozen=True)
class Reference:
    """What a ModelDeployment follows: exactly one of stage, alias and version is set."""

    registry: str
    model: str
    stage: str | None = None
    alias: str | None = None
    version: int | None = None


@dataclass(frozen=True)
class ModelVersion:
    """A version of a registered model as the registry tells it.

    Attributes:
        source: What the registry calls the source, e.g. `models:/m-…`.
        model_id: MLflow's id of the logged model, or empty where there is none.
        created_ms: Creation time in milliseconds; tells a re-created version 1 from the old one.
    """

    model: str
    version: int
    stage: str
    status: str
    run_id: str
    source: str
    model_id: str = ""
    created_ms: int = 0
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RegisteredModel:
    """A registered model with its aliases.

    Attributes:
        updated_ms: Moves with stages, not with aliases.
        created_ms: Tells a model that was made again from the one that was deleted.
    """

    name: str
    updated_ms: int
    aliases: Mapping[str, int]
    created_ms: int = 0


@dataclass(frozen=True)
class Run:
    """What training wrote down when it made a version."""

    metrics: Mapping[str, float] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


EMPTY_RUN: Final = Run()
"""Of a version that was made without a run, or whose run was deleted."""


@dataclass(frozen=True)
class RegistryHealth:
    """Whether a registry answers.

    Attributes:
        failing_since: Start of the present series of failures, None while it answers.
        ever_answered: False until the first good answer.
        message: The last failure, for people.
        denied: Whether the last failure was a refusal (401 or 403).
    """

    failing_since: datetime | None = None
    ever_answered: bool = False
    message: str = ""
    denied: bool = False


@dataclass(frozen=True)
class RegistryAnswer:
    """What the registry last said about one reference.

    Attributes:
        known: False until the model was looked at once since start.
        model_exists: Whether a registered model of that name was in the last good answer.
        holders: The versions that the reference names now, ascending; several in a stage is
            MLflow's usual state, an alias or a version has at most one.
        artifact_uris: Storage URI by version number, for those among the holders that were asked.
        runs: Run by version number, for those among the holders whose run was asked for.
        model_created_ms: When the registered model was made, 0 where that is not known.
    """

    known: bool
    model_exists: bool
    holders: tuple[ModelVersion, ...]
    health: RegistryHealth
    artifact_uris: Mapping[int, str] = field(default_factory=dict)
    runs: Mapping[int, Run] = field(default_factory=dict)
    model_created_ms: int = 0
