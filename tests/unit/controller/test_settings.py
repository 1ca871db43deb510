"""A wrong setting ends in one line that names its key; a right one is read."""

from pathlib import Path

import pytest

from regisseur_operator.settings import RegistrySettings, SettingsError, load_settings

REGISTRIES = """
registries:
  - {name: default, url: "http://mlflow.mlops.svc:5000/"}
  - {name: eu-west, url: https://mlflow.example.com/registry, pollIntervalSeconds: 2.5,
     trustPickle: true, allowedNamespaces: ["team-*"]}
"""


@pytest.fixture
def registries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "registries.yaml"
    path.write_text(REGISTRIES)
    monkeypatch.setenv("REGISSEUR_REGISTRIES_FILE", str(path))
    monkeypatch.setenv("REGISSEUR_SERVING_IMAGE", "regisseur/serving:1")
    return path


@pytest.mark.usefixtures("registries")
def test_an_image_and_a_registry_are_enough() -> None:
    settings = load_settings()

    assert settings.registries == (
        RegistrySettings(name="default", url="http://mlflow.mlops.svc:5000"),
        RegistrySettings(
            name="eu-west",
            url="https://mlflow.example.com/registry",
            poll_interval_seconds=2.5,
            trust_pickle=True,
            allowed_namespaces=("team-*",),
        ),
    )
    assert (settings.workers, settings.web_port, settings.log_format) == (8, 8080, "json")
    assert settings.lease.renew_deadline_seconds == 10.0
    assert settings.identity


@pytest.mark.parametrize(
    ("text", "names"), [("", ()), ("ml", ("ml",)), (" ml, team-a,ml,", ("ml", "team-a"))]
)
@pytest.mark.usefixtures("registries")
def test_namespaces_are_separated_by_commas(
    text: str, names: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGISSEUR_NAMESPACES", text)

    assert load_settings().namespaces == names


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("REGISSEUR_SERVING_IMAGE", "", "REGISSEUR_SERVING_IMAGE: String should have at least"),
        ("REGISSEUR_WORKERS", "many", "REGISSEUR_WORKERS: Input should be a valid integer"),
        ("REGISSEUR_WEB_PORT", "70000", "REGISSEUR_WEB_PORT: Input should be less than or equal"),
        ("REGISSEUR_LOG_FORMAT", "xml", "REGISSEUR_LOG_FORMAT: Input should be 'json' or 'text'"),
        ("REGISSEUR_LEASE_RETRY_SECONDS", "12", "LEASE_RETRY_SECONDS < REGISSEUR_LEASE_RENEW"),
        ("REGISSEUR_NAMESPACES", "ml,Team_A", "REGISSEUR_NAMESPACES: 'Team_A' is no name of a"),
        ("REGISSEUR_REGISTRIES", "[]", "REGISSEUR_REGISTRIES: Input should be a valid tuple"),
    ],
)
@pytest.mark.usefixtures("registries")
def test_a_wrong_variable_is_named(
    variable: str, value: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(SettingsError) as caught:
        load_settings()

    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            "registries: [{url: 'http://a', trustPickle: 'yes'}]",
            "registries[0].trustPickle: Input should be a valid boolean",
            id="a policy that is no truth value",
        ),
        pytest.param("registries: []", "registries: Tuple should have at least 1", id="none"),
        pytest.param("{", "is not YAML", id="not YAML"),
        pytest.param("[]", "valid dictionary", id="a list"),
        pytest.param("registries: [{name: a}]", "registries[0].url: Field required", id="no url"),
        pytest.param(
            "registries: [{url: mlflow:5000}]",
            "registries[0].url: must be an address such as http://",
            id="no scheme",
        ),
        pytest.param(
            "registries: [{url: 'http://user:example@mlflow'}]",
            "registries[0].url: must not carry a user name",
            id="credentials in the address",
        ),
        pytest.param(
            "registries: [{url: 'http://mlflow..svc:5000'}]",
            "registries[0].url: must have a host name whose parts",
            id="two dots in a row",
        ),
        pytest.param(
            f"registries: [{{url: 'http://{'m' * 64}.svc'}}]",
            "registries[0].url: must have a host name whose parts",
            id="a part of the host that is too long",
        ),
        pytest.param(
            "registries: [{url: http://a, name: A_b}]",
            "registries[0].name: must be lower-case letters",
            id="a name that no label takes",
        ),
        pytest.param(
            "registries: [{url: http://a, poll: 3}]",
            "registries[0].poll: Extra inputs",
            id="an unknown key",
        ),
        pytest.param(
            "registries: [{url: http://a}, {url: http://b}]",
            "two registries are called 'default'",
            id="one name twice",
        ),
    ],
)
def test_a_wrong_registry_is_named(registries: Path, text: str, message: str) -> None:
    registries.write_text(text)

    with pytest.raises(SettingsError) as caught:
        load_settings()

    assert str(caught.value).startswith(str(registries))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named_with_the_variable_that_names_it(registries: Path) -> None:
    registries.unlink()

    with pytest.raises(SettingsError, match=r"REGISSEUR_REGISTRIES_FILE\) cannot be read: No such"):
        load_settings()
