"""Fit the chosen classifier to the training rows."""

from regisseur_training.adapters.files import MODEL, TRAIN_DATA, read_rows
from regisseur_training.adapters.model_file import write_model
from regisseur_training.core.model import fit_classifier
from regisseur_training.params import read_params
from regisseur_training.stages import run_stage


def train() -> str:
    """Run the stage and return what it did."""
    params = read_params()
    rows = read_rows(TRAIN_DATA)
    write_model(MODEL, fit_classifier(rows, params.train, seed=params.seed))
    return f"{params.train.algorithm} fitted to {len(rows)} rows"


if __name__ == "__main__":
    run_stage(train)
