"""One run in MLflow that tells all about a model, and the version registered from it."""

import io
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout

import pandas as pd

from regisseur_contract.tags import TAG_DATA_VERSION, TAG_DIGEST, TAG_GIT_SHA
from regisseur_training.adapters.mlflow_connection import (
    connect,
    errors_in_one_line,
    without_credentials,
)
from regisseur_training.adapters.mlflow_models import StoredModel, store_model
from regisseur_training.adapters.model_file import list_untrusted_types
from regisseur_training.core.model import TRUSTED_TYPES, Classifier
from regisseur_training.errors import TrainingError
from regisseur_training.ports import Registration, TrainingRecord

_MLFLOW_GIT_TAG = "mlflow.source.git.commit"


def register_model(
    uri: str, record: TrainingRecord, classifier: Classifier, example: pd.DataFrame
) -> Registration:
    """Write a run with the model and register a version of it.

    Args:
        uri: Tracking address.
        record: What the run tells.
        classifier: The fitted model.
        example: A few rows of input; they give the signature too.

    Raises:
        TrainingError: The registry does not answer or refuses, or the model is made of types
            that nobody trusts.
    """
    trusted = list_untrusted_types(classifier)
    if foreign := sorted(set(trusted) - set(TRUSTED_TYPES)):
        raise TrainingError(f"the model needs types that nobody trusts: {', '.join(foreign)}")
    connect(uri)
    with errors_in_one_line(uri, f"register {record.name}"), _quiet():
        run_id, stored = _log_run(uri, record, classifier, example, trusted)
        version = _create_version(record, stored)
    return Registration(
        name=record.name,
        version=version,
        run_id=run_id,
        tracking_uri=without_credentials(uri),
    )


def _log_run(
    uri: str,
    record: TrainingRecord,
    classifier: Classifier,
    example: pd.DataFrame,
    trusted: list[str],
) -> tuple[str, StoredModel]:
    import mlflow  # noqa: PLC0415 - it takes seconds, after the address was checked

    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    mlflow.set_experiment(record.name)
    tags = _lineage(record) | {_MLFLOW_GIT_TAG: record.git_sha}
    with mlflow.start_run(tags=tags) as run:
        mlflow.log_params(dict(record.params))
        mlflow.log_text(record.card, "card.md")
        for path in record.pictures:
            mlflow.log_artifact(str(path), artifact_path="plots")
        run_id = str(run.info.run_id)
        stored = store_model(
            classifier, example, run_id=run_id, params=record.params, trusted=trusted
        )
        mlflow.log_metrics(dict(record.metrics), model_id=stored.model_id)
    return run_id, stored


def _create_version(record: TrainingRecord, stored: StoredModel) -> int:
    import mlflow  # noqa: PLC0415 - see above

    version = mlflow.register_model(
        stored.uri,
        record.name,
        tags=_lineage(record) | {TAG_DIGEST: stored.digest},
        await_registration_for=0,
    )
    return int(version.version)


def _lineage(record: TrainingRecord) -> dict[str, str]:
    return {TAG_GIT_SHA: record.git_sha, TAG_DATA_VERSION: record.data_version}


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep MLflow's chatter away: the stage says in one line what it did."""
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        yield
