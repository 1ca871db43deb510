"""Register the model with all that is known of it as the next version in MLflow."""

from regisseur_training.adapters.files import (
    CONFUSION_PICTURE,
    CONFUSION_ROWS,
    MODEL,
    MODEL_CARD,
    RAW_DATA,
    TEST_DATA,
    read_metrics,
    read_rows,
    write_registration,
    write_text,
)
from regisseur_training.adapters.lineage import read_data_version, read_git_sha
from regisseur_training.adapters.mlflow_connection import tracking_uri
from regisseur_training.adapters.mlflow_tracking import register_model
from regisseur_training.adapters.model_file import read_model
from regisseur_training.core.card import build_card
from regisseur_training.core.dataset import features_of
from regisseur_training.params import read_params
from regisseur_training.ports import TrainingRecord
from regisseur_training.stages import run_stage

EXAMPLE_ROWS = 3


def register() -> str:
    """Run the stage and return what it did."""
    params = read_params()
    features = features_of(read_rows(TEST_DATA))
    metrics, data_version = read_metrics(), read_data_version(RAW_DATA)
    card = build_card(
        name=params.model.name,
        params=params.flattened(),
        metrics=metrics,
        features=list(features.columns),
        data_version=data_version,
    )
    record = TrainingRecord(
        name=params.model.name,
        params=params.flattened(),
        metrics=metrics,
        git_sha=read_git_sha(),
        data_version=data_version,
        pictures=(CONFUSION_ROWS, CONFUSION_PICTURE),
        card=card,
    )
    done = register_model(tracking_uri(), record, read_model(MODEL), features.head(EXAMPLE_ROWS))
    # Last: the card is what DVC sees of this stage, and it must not stand for a failed one.
    write_registration(done)
    write_text(MODEL_CARD, card)
    return f"registered {done.name} v{done.version} at {done.tracking_uri}"


if __name__ == "__main__":
    run_stage(register)
