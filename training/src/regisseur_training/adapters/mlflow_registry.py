"""The registry port on MLflow's model registry."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from regisseur_training.adapters.mlflow_connection import connect, errors_in_one_line
from regisseur_training.ports import ModelVersion

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion as MlflowModelVersion

_NOT_FOUND = "RESOURCE_DOES_NOT_EXIST"


class MlflowRegistry:
    """Versions and stages of one MLflow server or database.

    Args:
        uri: Tracking address, as MLFLOW_TRACKING_URI has it.

    Raises:
        TrainingError: It does not answer; so does every method.
    """

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._client = connect(uri)

    def find_version(self, name: str, number: int) -> ModelVersion | None:
        """Return a version, or None when the registry does not know it."""
        from mlflow.exceptions import MlflowException  # noqa: PLC0415 - it takes seconds

        with errors_in_one_line(self._uri, f"read {name} v{number}"):
            try:
                return _translated(self._client.get_model_version(name, str(number)))
            except MlflowException as error:
                if error.error_code == _NOT_FOUND:
                    return None
                raise

    def list_versions(self, name: str) -> tuple[ModelVersion, ...]:
        """Return all versions of a model, newest first; empty when there is no such model."""
        quote = '"' if "'" in name else "'"  # MLflow's filters know no escape
        with errors_in_one_line(self._uri, f"list the versions of {name}"):
            found: list[ModelVersion] = []
            token: str | None = None
            while True:
                page = self._client.search_model_versions(
                    f"name={quote}{name}{quote}", max_results=1000, page_token=token
                )
                found += map(_translated, page)
                token = page.token
                if not token:
                    break
        return tuple(sorted(found, key=lambda version: version.number, reverse=True))

    def find_metric(self, run_id: str, metric: str) -> float | None:
        """Return the last value of a run's metric, or None when the run does not have it."""
        with errors_in_one_line(self._uri, f"read the run {run_id}"):
            value = self._client.get_run(run_id).data.metrics.get(metric)
        return None if value is None else float(value)

    def move_to_stage(self, version: ModelVersion, stage: str) -> None:
        """Move a version to Staging or Production and archive who held that stage."""
        doing = f"move {version.name} v{version.number} to {stage}"
        with errors_in_one_line(self._uri, doing), _stages_without_warning():
            self._client.transition_model_version_stage(
                version.name, str(version.number), stage, archive_existing_versions=True
            )


def _translated(version: "MlflowModelVersion") -> ModelVersion:
    return ModelVersion(
        name=version.name,
        number=int(version.version),
        stage=version.current_stage or "None",
        run_id=version.run_id or "",
    )


@contextmanager
def _stages_without_warning() -> Iterator[None]:
    """Silence MLflow's advice against stages: they are what Regisseur follows."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r".*stages.*", category=FutureWarning)
        yield
