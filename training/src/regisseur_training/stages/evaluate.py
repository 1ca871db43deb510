"""Measure the model on the test rows: metrics.json and the confusion matrix."""

from regisseur_training.adapters.files import (
    CONFUSION_PICTURE,
    CONFUSION_ROWS,
    METRICS,
    MODEL,
    TEST_DATA,
    TRAIN_DATA,
    read_rows,
    write_json,
    write_rows,
)
from regisseur_training.adapters.model_file import read_model
from regisseur_training.adapters.pictures import draw_confusion_matrix
from regisseur_training.core.evaluation import evaluate_classifier
from regisseur_training.stages import run_stage


def evaluate() -> str:
    """Run the stage and return what it did."""
    evaluation = evaluate_classifier(
        read_model(MODEL), train=read_rows(TRAIN_DATA), test=read_rows(TEST_DATA)
    )
    write_json(METRICS, evaluation.metrics)
    write_rows(CONFUSION_ROWS, evaluation.outcomes)
    draw_confusion_matrix(
        CONFUSION_PICTURE, evaluation.outcomes, title=f"{len(evaluation.outcomes)} test rows"
    )
    return ", ".join(f"{name} {value:.4f}" for name, value in sorted(evaluation.metrics.items()))


if __name__ == "__main__":
    run_stage(evaluate)
