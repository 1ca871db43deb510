"""What training needs from the world, and the values that cross that border."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """A version of a registered model as the registry holds it now."""

    name: str
    number: int
    stage: str
    run_id: str


@dataclass(frozen=True, slots=True)
class Registration:
    """Where the model of a workspace was registered last; the content of registered.json."""

    name: str
    version: int
    run_id: str
    tracking_uri: str


@dataclass(frozen=True, slots=True)
class TrainingRecord:
    """All that one run in the registry tells about a trained model.

    Args:
        name: Registered model.
        params: What decided about the model.
        metrics: How good it is.
        git_sha: Commit of the code that trained it.
        data_version: MD5 of the data set it was trained on.
        pictures: Files to show beside it.
        card: The model card as Markdown.
    """

    name: str
    params: Mapping[str, str | int | float | None]
    metrics: Mapping[str, float]
    git_sha: str
    data_version: str
    pictures: Sequence[Path]
    card: str


class Registry(Protocol):
    """The versions of registered models and their stages."""

    def find_version(self, name: str, number: int) -> ModelVersion | None:
        """Return a version, or None when the registry does not know it."""
        ...

    def list_versions(self, name: str) -> tuple[ModelVersion, ...]:
        """Return all versions of a model, newest first; empty when there is no such model."""
        ...

    def find_metric(self, run_id: str, metric: str) -> float | None:
        """Return the last value of a run's metric, or None when the run does not have it."""
        ...

    def move_to_stage(self, version: ModelVersion, stage: str) -> None:
        """Move a version to Staging or Production and archive who held that stage."""
        ...
