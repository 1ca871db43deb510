"""What MLflow's REST API answers, read into the operator's own values."""

import math
import sys
from collections.abc import Iterable, Sequence

from pydantic import BaseModel, ConfigDict, Field

from regisseur_operator.ports import ModelVersion, RegisteredModel, Run


class Answer(BaseModel):
    """A part of an answer; what the operator has no use for is passed over."""

    model_config = ConfigDict(protected_namespaces=(), extra="ignore")


class _Alias(Answer):
    alias: str
    version: int


class _Tag(Answer):
    key: str
    value: str = ""


class FoundModel(Answer):
    """A registered model."""

    name: str
    creation_timestamp: int = 0
    last_updated_timestamp: int = 0
    aliases: list[_Alias] = Field(default_factory=list)


class FoundVersion(Answer):
    """A version of a registered model."""

    name: str
    version: int
    current_stage: str = "None"
    status: str = "READY"
    run_id: str = ""
    source: str = ""
    model_id: str = ""
    creation_timestamp: int = 0
    tags: list[_Tag] = Field(default_factory=list)


class Models(Answer):
    """Of `registered-models/search`."""

    registered_models: list[FoundModel] = Field(default_factory=list)


class OneModel(Answer):
    """Of `registered-models/get`."""

    registered_model: FoundModel


class Versions(Answer):
    """A page of `model-versions/search`."""

    model_versions: list[FoundVersion] = Field(default_factory=list)
    next_page_token: str = ""


class Location(Answer):
    """Of `model-versions/get-download-uri`."""

    artifact_uri: str = Field(min_length=1)


class _Metric(Answer):
    key: str
    value: float


class _RunData(Answer):
    metrics: list[_Metric] = Field(default_factory=list)
    tags: list[_Tag] = Field(default_factory=list)


class _FoundRun(Answer):
    data: _RunData = Field(default_factory=_RunData)


class OneRun(Answer):
    """Of `runs/get`."""

    run: _FoundRun


def build_model(model: FoundModel) -> RegisteredModel:
    """Read a registered model."""
    return RegisteredModel(
        name=model.name,
        updated_ms=model.last_updated_timestamp,
        aliases={alias.alias: alias.version for alias in model.aliases},
        created_ms=model.creation_timestamp,
    )


def build_versions(versions: Iterable[FoundVersion]) -> Sequence[ModelVersion]:
    """Read the versions of a model, ascending and each once."""
    by_number = {version.version: version for version in versions}  # pages shift under change
    return [_build_version(by_number[number]) for number in sorted(by_number)]


def _build_version(version: FoundVersion) -> ModelVersion:
    return ModelVersion(
        model=version.name,
        version=version.version,
        stage=version.current_stage,
        status=version.status,
        run_id=version.run_id,
        source=version.source,
        # Searches leave the id of the logged model out; the source is made of it.
        model_id=version.model_id or _read_model_id(version.source),
        created_ms=version.creation_timestamp,
        tags={tag.key: tag.value for tag in version.tags},
    )


def _read_model_id(source: str) -> str:
    model_id = source.removeprefix("models:/")
    return model_id if model_id.startswith("m-") and "/" not in model_id else ""


def build_run(run: OneRun) -> Run:
    """Read a run."""
    data = run.run.data
    return Run(
        metrics={metric.key: _read_figure(metric.value) for metric in data.metrics},
        tags={tag.key: tag.value for tag in data.tags},
    )


def _read_figure(value: float) -> float:
    """Read a metric, of which MLflow keeps infinity as the greatest number there is."""
    if math.isnan(value):
        return math.nan  # always the same object, so that equal runs are equal
    if abs(value) >= sys.float_info.max:
        return math.copysign(math.inf, value)
    return value
