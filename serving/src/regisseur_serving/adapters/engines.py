"""Choose the engine of a model: ONNX where it was asked for and is there, else its own."""

import logging
from pathlib import Path

from regisseur_contract.engines import Engine
from regisseur_serving.adapters.onnx_outcome import (
    not_converted,
    onnx_file,
    onnx_folder,
    read_outcome,
)
from regisseur_serving.core.engine import NATIVE, EngineChoice, Fallback
from regisseur_serving.ports.predictor import Predictor, Table

_LOGGER = logging.getLogger("regisseur_serving.engines")


def choose_engine(
    folder: Path, wanted: Engine, example: Table
) -> tuple[EngineChoice, Predictor | None]:
    """Return the engine of the model in a folder, and what predicts by it.

    Args:
        folder: The model folder.
        wanted: The engine that was asked for.
        example: Rows that the model predicts.

    Returns:
        The choice; without a predictor when the model's own engine has to be loaded.
    """
    if wanted is Engine.NATIVE:
        return NATIVE, None
    outcome = read_outcome(onnx_folder(folder))
    choice = outcome.choice if outcome is not None else not_converted()
    if outcome is not None and outcome.facts is not None:
        try:
            from regisseur_serving.adapters.onnx_model import OnnxPredictor  # noqa: PLC0415

            predictor = OnnxPredictor(onnx_file(onnx_folder(folder)), outcome.facts)
            predictor.predict(example)
        except Exception as error:  # noqa: BLE001 - whatever it is, the model has an engine of its own
            reason = f"the converted model cannot be loaded ({type(error).__name__})"
            choice = EngineChoice(Engine.NATIVE, Fallback.LOAD_FAILED, reason)
        else:
            return choice, predictor
    _LOGGER.warning("the model is served by %s, not by ONNX: %s", choice.engine, choice.reason)
    return choice, None
