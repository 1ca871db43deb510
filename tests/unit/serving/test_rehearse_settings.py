from pathlib import Path

import pytest

from regisseur_contract.engines import Engine
from regisseur_contract.rehearsal import RequirementsMode, SignatureRule
from regisseur_contract.runtime import MODEL_DIR
from regisseur_serving.settings.rehearse import RehearseSettings, read_rehearse_settings


def test_an_empty_environment_means_the_usual() -> None:
    assert read_rehearse_settings({}) == RehearseSettings(
        model_dir=Path(MODEL_DIR),
        expected_digest="",
        requirements=RequirementsMode.MINOR,
        signature=SignatureRule.COMPATIBLE,
        engine=Engine.NATIVE,
        trusts_pickle=False,
        explain_budget_seconds=0.0,
    )


def test_everything_can_be_said() -> None:
    settings = read_rehearse_settings(
        {
            "REGISSEUR_MODEL_DIR": "/x",
            "REGISSEUR_EXPECTED_DIGEST": " SHA256:AB ",
            "REGISSEUR_REQUIREMENTS": "Strict",
            "REGISSEUR_SIGNATURE": "Any",
            "REGISSEUR_ENGINE": "ONNX",
            "REGISSEUR_TRUST_PICKLE": "true",
            "REGISSEUR_EXPLAIN": "true",
            "REGISSEUR_EXPLAIN_BUDGET_SECONDS": "2.5",
        }
    )
    assert settings == RehearseSettings(
        Path("/x"),
        "sha256:ab",
        RequirementsMode.STRICT,
        SignatureRule.ANY,
        Engine.ONNX,
        trusts_pickle=True,
        explain_budget_seconds=2.5,
    )


def test_explanations_have_a_budget_without_one() -> None:
    assert read_rehearse_settings({"REGISSEUR_EXPLAIN": "true"}).explain_budget_seconds == 5.0
    only_budget = {"REGISSEUR_EXPLAIN_BUDGET_SECONDS": "2"}
    assert read_rehearse_settings(only_budget).explain_budget_seconds == 0.0


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("REGISSEUR_REQUIREMENTS", "set it to Strict or Minor or Ignore"),
        ("REGISSEUR_SIGNATURE", "set it to Compatible or Any"),
        ("REGISSEUR_ENGINE", "set it to Native or ONNX"),
        ("REGISSEUR_TRUST_PICKLE", "set it to true or false"),
        ("REGISSEUR_EXPLAIN", "set it to true or false"),
        ("REGISSEUR_EXPLAIN_BUDGET_SECONDS", "set it to a number of seconds above 0"),
    ],
)
def test_a_senseless_setting_is_named(name: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is 'strictly'; {complaint}"):
        read_rehearse_settings({name: "strictly"})
