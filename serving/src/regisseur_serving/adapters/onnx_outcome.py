"""What the conversion of a model came to, in a folder beside the model's own.

No digest covers it: it is made in the pod that serves from it, out of files that one covers.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from regisseur_contract.engines import Engine
from regisseur_serving.core.engine import EngineChoice, Fallback

_OUTCOME: Final = "outcome.json"
_MODEL: Final = "model.onnx"


@dataclass(frozen=True)
class OnnxFacts:
    """What an ONNX file does not say of the model that it was made from.

    Attributes:
        dtype: NumPy's name for what the model answers.
        classes: What its probabilities are about; None without probabilities.
        is_flat: Whether it answers one value a row.
        takes_missing: By column, whether a missing number may go in.
    """

    dtype: str
    classes: list[Any] | None
    is_flat: bool
    takes_missing: tuple[bool, ...]


@dataclass(frozen=True)
class Outcome:
    """What a conversion came to; facts come with a choice of ONNX only."""

    choice: EngineChoice
    facts: OnnxFacts | None = None
    seconds: float = 0.0
    rows: int = 0


def onnx_folder(model_dir: Path) -> Path:
    """Return the folder that belongs to a model folder."""
    return model_dir.with_name("onnx")


def onnx_file(folder: Path) -> Path:
    """Return the converted model; it is there when the outcome chose it."""
    return folder / _MODEL


def write_outcome(folder: Path, outcome: Outcome) -> None:
    """Write it, complete or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / f"{_OUTCOME}.new"
    fresh.write_text(json.dumps(asdict(outcome)))
    fresh.replace(folder / _OUTCOME)


def read_outcome(folder: Path) -> Outcome | None:
    """Read it; None where there is none that can be read."""
    try:
        body = json.loads((folder / _OUTCOME).read_text())
        facts = body["facts"]
        choice = body["choice"]
        return Outcome(
            choice=EngineChoice(Engine(choice["engine"]), choice["word"], choice["reason"]),
            facts=OnnxFacts(**{**facts, "takes_missing": tuple(facts["takes_missing"])})
            if facts
            else None,
            seconds=body["seconds"],
            rows=body["rows"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def not_converted() -> EngineChoice:
    """Return the choice for a pod in which nobody has converted anything."""
    reason = "the model was not converted to ONNX before the server started"
    return EngineChoice(Engine.NATIVE, Fallback.NOT_CONVERTED, reason)
