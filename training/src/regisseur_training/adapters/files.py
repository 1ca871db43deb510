"""Files of a pipeline workspace: where they are and how they are written.

Paths are relative: a stage runs in the folder that holds dvc.yaml. Everything is written so that
the same content gives the same bytes, because DVC compares bytes.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Final

import pandas as pd

from regisseur_training.errors import TrainingError
from regisseur_training.ports import Registration

RAW_DATA: Final = Path("data/wine.csv")
TRAIN_DATA: Final = Path("data/train.csv")
TEST_DATA: Final = Path("data/test.csv")
MODEL: Final = Path("models/model.skops")
MODEL_CARD: Final = Path("models/card.md")
METRICS: Final = Path("metrics.json")
CONFUSION_ROWS: Final = Path("plots/confusion_matrix.csv")
CONFUSION_PICTURE: Final = Path("plots/confusion_matrix.png")
REGISTRATION: Final = Path("registered.json")
"""Where this workspace registered last. Not an output in DVC's sense: it names a server and a
random run, so it would make every training look different from the one before."""


def read_rows(path: Path) -> pd.DataFrame:
    """Read a CSV file with a header.

    Raises:
        TrainingError: It is missing or no CSV.
    """
    try:
        return pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise TrainingError(f"cannot read {path} ({error}); run 'dvc repro'") from None


def write_rows(path: Path, frame: pd.DataFrame) -> None:
    """Write a CSV file with a header and numbers that read back to the same bits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_csv(path, index=False, lineterminator="\n")


def read_metrics() -> dict[str, float]:
    """Read what the evaluate stage wrote.

    Raises:
        TrainingError: It is missing or broken.
    """
    try:
        return {str(k): float(v) for k, v in json.loads(METRICS.read_text("utf-8")).items()}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise TrainingError(f"cannot read {METRICS} ({error}); run 'dvc repro'") from None


def write_json(path: Path, content: Mapping[str, object]) -> None:
    """Write a JSON object with sorted keys."""
    write_text(path, json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def read_registration(path: Path = REGISTRATION) -> Registration | None:
    """Return what this workspace registered last, or None when it is missing or unreadable.

    It is only a memory: whoever has lost it registers again.
    """
    try:
        content = json.loads(path.read_text("utf-8"))
        return Registration(
            name=str(content["name"]),
            version=int(content["version"]),
            run_id=str(content["run_id"]),
            tracking_uri=str(content["tracking_uri"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_registration(registration: Registration) -> None:
    """Remember where the model was registered."""
    write_json(REGISTRATION, asdict(registration))
