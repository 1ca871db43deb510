"""Settings of `rehearse`."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from regisseur_contract.engines import Engine
from regisseur_contract.rehearsal import RequirementsMode, SignatureRule
from regisseur_contract.runtime import (
    ENV_ENGINE,
    ENV_EXPLAIN,
    ENV_EXPLAIN_BUDGET_SECONDS,
    ENV_MODEL_DIR,
    ENV_REQUIREMENTS,
    ENV_SIGNATURE,
    ENV_TRUST_PICKLE,
    EXPLAIN_BUDGET_SECONDS,
    MODEL_DIR,
)
from regisseur_serving.settings.fetch import read_expected_digest, read_seconds

_Choice = TypeVar("_Choice", bound=StrEnum)


class _Answer(StrEnum):
    YES = "true"
    NO = "false"


@dataclass(frozen=True)
class RehearseSettings:
    """What to rehearse, and how strictly.

    Attributes:
        model_dir: The folder that `fetch` brought.
        expected_digest: Canonical digest that its files must have; empty for any.
        requirements: How the model's requirements bind this image.
        signature: Whether the served version's callers must be able to stay.
        engine: What is to make the predictions.
        trusts_pickle: Whether a model may run code while it is loaded.
        explain_budget_seconds: What an explanation of the input example may take; 0 for none.
    """

    model_dir: Path
    expected_digest: str = ""
    requirements: RequirementsMode = RequirementsMode.MINOR
    signature: SignatureRule = SignatureRule.COMPATIBLE
    engine: Engine = Engine.NATIVE
    trusts_pickle: bool = False
    explain_budget_seconds: float = 0.0


def read_rehearse_settings(environment: Mapping[str, str]) -> RehearseSettings:
    """Read the settings of `rehearse`.

    Raises:
        ValueError: A variable is senseless; the message names it.
    """
    return RehearseSettings(
        model_dir=Path(environment.get(ENV_MODEL_DIR) or MODEL_DIR),
        expected_digest=read_expected_digest(environment),
        requirements=_choose(environment, ENV_REQUIREMENTS, RequirementsMode.MINOR),
        signature=_choose(environment, ENV_SIGNATURE, SignatureRule.COMPATIBLE),
        engine=_choose(environment, ENV_ENGINE, Engine.NATIVE),
        trusts_pickle=_choose(environment, ENV_TRUST_PICKLE, _Answer.NO) is _Answer.YES,
        explain_budget_seconds=_read_budget(environment),
    )


def _read_budget(environment: Mapping[str, str]) -> float:
    budget = read_seconds(environment, ENV_EXPLAIN_BUDGET_SECONDS, EXPLAIN_BUDGET_SECONDS)
    return budget if _choose(environment, ENV_EXPLAIN, _Answer.NO) is _Answer.YES else 0.0


def _choose(environment: Mapping[str, str], name: str, default: _Choice) -> _Choice:
    text = environment.get(name, "").strip() or default
    try:
        return type(default)(text)
    except ValueError:
        choices = " or ".join(type(default))
        raise ValueError(f"{name} is {text[:40]!r}; set it to {choices}") from None
