"""Promotion against a real MLflow server, as a person or Jenkins runs it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from regisseur_training.adapters.files import write_registration
from regisseur_training.adapters.mlflow_connection import check_reachable
from regisseur_training.adapters.mlflow_registry import MlflowRegistry
from regisseur_training.errors import TrainingError
from regisseur_training.ports import Registration
from regisseur_training.promote import EXIT_REFUSED, main
from support.mlflow_server import MlflowServer, free_port
from support.model_versions import create_model_version, read_stages, read_version, transition

GOOD = {"test_accuracy": 0.95}
POOR = {"test_accuracy": 0.80}

Promote = Callable[..., int]


@pytest.fixture(scope="module", autouse=True)
def _mlflow_is_imported(mlflow_server: MlflowServer) -> None:
    """Pay for the import of MLflow's client here and not in the first test."""
    MlflowRegistry(mlflow_server.url)


@pytest.fixture
def promote(
    mlflow_server: MlflowServer,
    model_name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Promote:
    """Run `promote` for the test's model in an empty folder with a threshold of 0.9."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_server.url)
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: main(["--model", model_name, "--threshold", "0.9", *arguments])


def test_the_newest_version_replaces_the_one_in_production(
    mlflow_server: MlflowServer,
    model_name: str,
    promote: Promote,
    capsys: pytest.CaptureFixture[str],
) -> None:
    create_model_version(mlflow_server, model_name, metrics=GOOD)
    transition(mlflow_server, model_name, 1, "Production")
    create_model_version(mlflow_server, model_name, metrics=GOOD)
    assert promote() == 0
    assert read_stages(mlflow_server, model_name) == {1: "Archived", 2: "Production"}
    assert capsys.readouterr().out == (
        f"{model_name} v2 → Production (test_accuracy 0.95 ≥ 0.9), v1 archived\n"
    )


def test_a_version_below_the_threshold_is_refused_with_the_figures(
    mlflow_server: MlflowServer,
    model_name: str,
    promote: Promote,
    capsys: pytest.CaptureFixture[str],
) -> None:
    create_model_version(mlflow_server, model_name, metrics=POOR)
    assert promote() == EXIT_REFUSED
    assert read_stages(mlflow_server, model_name) == {1: "None"}
    assert "test_accuracy 0.8 is below the threshold 0.9" in capsys.readouterr().out


def test_promoting_twice_says_so_and_writes_nothing(
    mlflow_server: MlflowServer,
    model_name: str,
    promote: Promote,
    capsys: pytest.CaptureFixture[str],
) -> None:
    create_model_version(mlflow_server, model_name, metrics=GOOD)
    assert promote() == 0
    before = read_version(mlflow_server, model_name, 1)
    assert promote() == 0
    assert read_version(mlflow_server, model_name, 1) == before
    assert "is in Production already" in capsys.readouterr().out


def test_a_former_version_can_be_promoted_back(
    mlflow_server: MlflowServer, model_name: str, promote: Promote
) -> None:
    for _ in range(2):
        create_model_version(mlflow_server, model_name, metrics=GOOD)
        assert promote() == 0
    assert promote("--version", "1") == 0
    assert read_stages(mlflow_server, model_name) == {1: "Production", 2: "Archived"}


def test_all_holders_of_a_shared_stage_are_archived(
    mlflow_server: MlflowServer,
    model_name: str,
    promote: Promote,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for _ in range(3):
        version = create_model_version(mlflow_server, model_name, metrics=GOOD)
        transition(mlflow_server, model_name, version, "Production", archive=False)
    assert promote("--version", "2") == 0
    assert read_stages(mlflow_server, model_name) == {
        1: "Archived",
        2: "Production",
        3: "Archived",
    }
    assert "v1, v3 archived" in capsys.readouterr().out


def test_staging_is_a_stage_of_its_own(
    mlflow_server: MlflowServer, model_name: str, promote: Promote
) -> None:
    create_model_version(mlflow_server, model_name, metrics=GOOD)
    create_model_version(mlflow_server, model_name, metrics=GOOD)
    assert promote("--version", "1") == 0
    assert promote("--version", "2", "--stage", "staging") == 0
    assert read_stages(mlflow_server, model_name) == {1: "Production", 2: "Staging"}


def test_a_dry_run_decides_and_changes_nothing(
    mlflow_server: MlflowServer,
    model_name: str,
    promote: Promote,
    capsys: pytest.CaptureFixture[str],
) -> None:
    create_model_version(mlflow_server, model_name, metrics=GOOD)
    assert promote("--dry-run") == 0
    assert read_stages(mlflow_server, model_name) == {1: "None"}
    assert capsys.readouterr().out.startswith("dry run, nothing changed: ")


@pytest.mark.parametrize(
    ("is_same_server", "promoted"),
    [
        pytest.param(True, 1, id="here: that version is meant"),
        pytest.param(False, 2, id="elsewhere: its number means nothing here"),
    ],
)
def test_what_this_workspace_registered(
    mlflow_server: MlflowServer,
    model_name: str,
    promote: Promote,
    is_same_server: bool,
    promoted: int,
) -> None:
    create_model_version(mlflow_server, model_name, metrics=GOOD)
    create_model_version(mlflow_server, model_name, metrics=GOOD)
    server = mlflow_server.url if is_same_server else "http://mlflow.example"
    write_registration(Registration(model_name, 1, "some-run", server))
    assert promote() == 0
    assert read_stages(mlflow_server, model_name)[promoted] == "Production"


@pytest.mark.parametrize(
    "name", ["déjà vu", "it's wine", ' "quoted" '], ids=["unicode", "one quote", "two quotes"]
)
def test_any_name_that_mlflow_allows_can_be_promoted(
    mlflow_server: MlflowServer, promote: Promote, model_name: str, name: str
) -> None:
    full = f"{name} {model_name}"
    create_model_version(mlflow_server, full, metrics=GOOD)
    assert promote("--model", full) == 0
    assert read_stages(mlflow_server, full) == {1: "Production"}


def test_a_missing_model_is_one_line(promote: Promote, model_name: str) -> None:
    with pytest.raises(TrainingError, match=f"no model '{model_name}'"):
        promote()


def test_a_missing_version_is_one_line(
    mlflow_server: MlflowServer, model_name: str, promote: Promote
) -> None:
    create_model_version(mlflow_server, model_name, metrics=GOOD)
    with pytest.raises(TrainingError, match="has no version 9; it has 1"):
        promote("--version", "9")


def test_a_missing_metric_is_one_line(
    mlflow_server: MlflowServer, model_name: str, promote: Promote
) -> None:
    create_model_version(mlflow_server, model_name)
    with pytest.raises(TrainingError, match="has no metric test_accuracy"):
        promote()


def test_a_server_that_is_not_there_is_one_line(
    promote: Promote, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://ann:secret@127.0.0.1:{free_port()}")
    with pytest.raises(TrainingError, match=r"does not answer .*set MLFLOW_TRACKING_URI") as raised:
        promote()
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("http://", id="no host"),
        pytest.param("http://two words:1", id="a blank in the host"),
        pytest.param("127.0.0.1:5000", id="no scheme"),
        pytest.param("postgresql+psycopg2://mlflow:secret@127.0.0.1:1/mlflow", id="a database"),
    ],
)
def test_an_address_that_cannot_be_is_one_line(address: str) -> None:
    with pytest.raises(TrainingError, match="MLFLOW_TRACKING_URI") as raised:
        check_reachable(address)
    assert "secret" not in str(raised.value)


def test_a_server_that_answers_is_reachable(mlflow_server: MlflowServer) -> None:
    check_reachable(mlflow_server.url + "/")


def test_a_version_is_found_by_its_number(mlflow_server: MlflowServer, model_name: str) -> None:
    create_model_version(mlflow_server, model_name)
    registry = MlflowRegistry(mlflow_server.url)
    found = registry.find_version(model_name, 1)
    assert found is not None
    assert (found.number, found.stage) == (1, "None")
    assert registry.find_version(model_name, 2) is None
    assert registry.find_version(f"no {model_name}", 1) is None
