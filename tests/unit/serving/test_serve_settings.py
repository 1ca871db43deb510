import pytest

from regisseur_contract import runtime
from regisseur_serving.settings.serve import ServeSettings, read_serve_settings


@pytest.mark.parametrize(
    ("variable", "field"),
    [
        (runtime.ENV_MODEL_NAME, "model_name"),
        (runtime.ENV_MODEL_VERSION, "model_version"),
        (runtime.ENV_RUN_ID, "run_id"),
        (runtime.ENV_MODEL_DIR, "model_dir"),
        (runtime.ENV_DRAIN_SECONDS, "drain_seconds"),
        (runtime.ENV_ENGINE, "engine"),
        (runtime.ENV_TRUST_PICKLE, "trust_pickle"),
        (runtime.ENV_EXPLAIN, "explain"),
        (runtime.ENV_EXPLAIN_BUDGET_SECONDS, "explain_budget_seconds"),
    ],
)
def test_settings_are_read_from_what_the_contract_names(variable: str, field: str) -> None:
    assert variable == f"{runtime.ENV_PREFIX}{field.upper()}"
    assert field in ServeSettings.model_fields


def test_every_setting_is_described() -> None:
    assert all(field.description for field in ServeSettings.model_fields.values())


@pytest.mark.parametrize("seconds", ["0", "10.5", "soon"])
def test_a_budget_that_no_request_may_take_is_refused(
    seconds: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(runtime.ENV_MODEL_NAME, "wine")
    monkeypatch.setenv(runtime.ENV_MODEL_VERSION, "1")
    monkeypatch.setenv(runtime.ENV_EXPLAIN_BUDGET_SECONDS, seconds)
    with pytest.raises(ValueError, match="REGISSEUR_EXPLAIN_BUDGET_SECONDS: Input should be"):
        read_serve_settings()


def test_all_that_is_wrong_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(runtime.ENV_DRAIN_SECONDS, "long")
    monkeypatch.setenv(runtime.ENV_MODEL_NAME, "wine")
    monkeypatch.delenv(runtime.ENV_MODEL_VERSION, raising=False)
    with pytest.raises(ValueError, match="REGISSEUR_MODEL_VERSION: Field required") as caught:
        read_serve_settings()
    assert "REGISSEUR_DRAIN_SECONDS: Input should be a valid number" in str(caught.value)
    assert "\n" not in str(caught.value)
