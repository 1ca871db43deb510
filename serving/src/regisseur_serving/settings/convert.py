"""Settings of `convert`, read without a library: this command has to start at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from regisseur_contract.runtime import (
    CONVERT_MEMORY_BYTES,
    CONVERT_TIMEOUT_SECONDS,
    ENV_CONVERT_MEMORY_BYTES,
    ENV_CONVERT_TIMEOUT_SECONDS,
    ENV_MODEL_DIR,
    MODEL_DIR,
)
from regisseur_serving.settings.fetch import read_bytes, read_seconds


@dataclass(frozen=True)
class ConvertSettings:
    """What to convert, and within which bounds.

    Attributes:
        model_dir: The folder that `fetch` brought.
        timeout_seconds: How long it may take.
        memory_bytes: How much memory it may ask for.
    """

    model_dir: Path
    timeout_seconds: float
    memory_bytes: int


def read_convert_settings(environment: Mapping[str, str]) -> ConvertSettings:
    """Read the settings of `convert`.

    Raises:
        ValueError: A variable is senseless; the message names it.
    """
    return ConvertSettings(
        model_dir=Path(environment.get(ENV_MODEL_DIR) or MODEL_DIR),
        timeout_seconds=read_seconds(
            environment, ENV_CONVERT_TIMEOUT_SECONDS, CONVERT_TIMEOUT_SECONDS
        ),
        memory_bytes=read_bytes(environment, ENV_CONVERT_MEMORY_BYTES) or CONVERT_MEMORY_BYTES,
    )
