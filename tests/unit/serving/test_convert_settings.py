from pathlib import Path

import pytest

from regisseur_contract.runtime import CONVERT_MEMORY_BYTES, CONVERT_TIMEOUT_SECONDS, MODEL_DIR
from regisseur_serving.settings.convert import ConvertSettings, read_convert_settings


def test_an_empty_environment_means_the_usual() -> None:
    usual = ConvertSettings(Path(MODEL_DIR), CONVERT_TIMEOUT_SECONDS, CONVERT_MEMORY_BYTES)
    assert read_convert_settings({}) == usual


def test_everything_can_be_said() -> None:
    settings = read_convert_settings(
        {
            "REGISSEUR_MODEL_DIR": "/x",
            "REGISSEUR_CONVERT_TIMEOUT_SECONDS": "1.5",
            "REGISSEUR_CONVERT_MEMORY_BYTES": "1024",
        }
    )
    assert settings == ConvertSettings(Path("/x"), 1.5, 1024)


@pytest.mark.parametrize(
    ("name", "value"),
    [("REGISSEUR_CONVERT_TIMEOUT_SECONDS", "0"), ("REGISSEUR_CONVERT_MEMORY_BYTES", "much")],
)
def test_a_senseless_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=name):
        read_convert_settings({name: value})
