"""Pictures of an evaluation, drawn without a display."""

from pathlib import Path

import matplotlib as mpl
import pandas as pd

mpl.use("Agg")

from matplotlib import pyplot as plt
from sklearn.metrics import ConfusionMatrixDisplay


def draw_confusion_matrix(path: Path, outcomes: pd.DataFrame, *, title: str) -> None:
    """Draw how often each actual class was predicted as which one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure, axes = plt.subplots(figsize=(5, 4.5), layout="constrained")
    ConfusionMatrixDisplay.from_predictions(
        outcomes["actual"], outcomes["predicted"], cmap="Blues", colorbar=False, ax=axes
    )
    axes.set_title(title)
    # Matplotlib signs its files with its version, which says nothing about the model.
    figure.savefig(path, dpi=120, metadata={"Software": None})
    plt.close(figure)
