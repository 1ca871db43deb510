"""Which engine makes the predictions, and why it is not the one that was asked for."""

from dataclasses import dataclass
from enum import StrEnum

from regisseur_contract.engines import Engine


class Fallback(StrEnum):
    """Why a model is served by Native although ONNX was asked for, in one word."""

    NOT_INSTALLED = "NotInstalled"
    UNSUPPORTED = "Unsupported"
    CONVERSION_FAILED = "ConversionFailed"
    CONVERSION_DIED = "ConversionDied"
    TIMED_OUT = "TimedOut"
    PARITY_FAILED = "ParityFailed"
    NOT_CONVERTED = "NotConverted"
    LOAD_FAILED = "LoadFailed"


class FallbackError(Exception):
    """A model cannot be served by ONNX, which is no fault: another engine serves it."""

    def __init__(self, word: Fallback, reason: str) -> None:
        super().__init__(reason)
        self.word = word
        self.reason = reason


@dataclass(frozen=True)
class EngineChoice:
    """What makes the predictions of a model.

    Attributes:
        word: Why it is not the engine that was asked for, one of `Fallback`; empty when it is.
        reason: The same for people.
    """

    engine: Engine = Engine.NATIVE
    word: str = ""
    reason: str = ""


NATIVE = EngineChoice()


def fall_back(error: FallbackError) -> EngineChoice:
    """Return the choice of Native for a reason."""
    return EngineChoice(Engine.NATIVE, error.word, error.reason)
