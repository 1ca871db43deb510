"""A copy of the pipeline with other parameters, and the files of a workspace."""

from pathlib import Path

import pytest
import yaml

from regisseur_training.adapters.files import read_registration, write_json
from regisseur_training.adapters.lineage import read_git_sha
from regisseur_training.adapters.mlflow_connection import tracking_uri, without_credentials
from regisseur_training.errors import TrainingError, run_to_exit
from regisseur_training.workspace import change_params, copy_workspace

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "params.yaml").read_text()


def test_parameters_of_a_copy_can_be_changed() -> None:
    changed = yaml.safe_load(change_params(TEXT, ["train.algorithm=random_forest", "seed=7"]))
    assert (changed["train"]["algorithm"], changed["seed"]) == ("random_forest", 7)


@pytest.mark.parametrize(
    "change", ["seed", "sead=1", "model.nam=x", "no.such.key=1", "seed.deep=1", "=1"]
)
def test_a_change_of_nothing_is_refused(change: str) -> None:
    with pytest.raises(TrainingError, match="does not set a parameter"):
        change_params(TEXT, [change])


def test_a_change_to_a_bad_value_is_refused() -> None:
    with pytest.raises(TrainingError, match=r"params\.yaml: train\.algorithm: "):
        change_params(TEXT, ["train.algorithm=perceptron"])


def test_a_change_that_is_no_yaml_is_refused_in_one_line() -> None:
    with pytest.raises(TrainingError) as refused:
        change_params(TEXT, ["seed=["])
    assert str(refused.value) == "'seed=[' has no valid YAML value; write e.g. seed=7"


def test_a_pipeline_that_never_ran_has_no_lock(tmp_path: Path) -> None:
    copy_workspace(ROOT, tmp_path / "first")
    (tmp_path / "first/dvc.lock").unlink()
    copy_workspace(tmp_path / "first", tmp_path / "second")
    assert not (tmp_path / "second/dvc.lock").exists()
    assert (tmp_path / "second/dvc.yaml").exists()


def test_a_copy_leaves_results_behind_and_needs_no_git(tmp_path: Path) -> None:
    copy_workspace(ROOT, tmp_path / "copy")
    names = {path.name for path in (tmp_path / "copy").iterdir()}
    assert names == {".dvc", ".dvcignore", "dvc.lock", "dvc.yaml", "params.yaml", "training"}
    assert "no_scm = true" in (tmp_path / "copy/.dvc/config.local").read_text()
    assert (tmp_path / "copy/params.yaml").read_bytes() == (ROOT / "params.yaml").read_bytes()


def test_a_folder_without_a_pipeline_is_not_copied(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"has no dvc\.yaml"):
        copy_workspace(tmp_path, tmp_path / "copy")


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("https://ann:secret@mlflow.example:8443/path", "https://mlflow.example:8443/path"),
        ("sqlite:///mlflow.db", "sqlite:///mlflow.db"),
        ("postgresql+psycopg2://u:p%40ss@db/mlflow", "postgresql+psycopg2://db/mlflow"),
    ],
)
def test_credentials_are_never_shown(uri: str, shown: str) -> None:
    assert without_credentials(uri) == shown


@pytest.mark.parametrize("value", [None, "", "  "], ids=["unset", "empty", "blank"])
def test_without_a_server_a_file_is_the_registry(
    value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    if value is not None:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", value)
    assert tracking_uri() == "sqlite:///mlflow.db"


def test_the_commit_comes_from_the_build_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_COMMIT", "abc123")
    assert read_git_sha() == "abc123"


def test_outside_a_checkout_the_commit_is_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GIT_COMMIT", raising=False)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.chdir(tmp_path)
    assert read_git_sha() == "unknown"


@pytest.mark.parametrize(
    "content", ["", "[]", '{"name": "wine"}', '{"name": "w", "version": "x"}', "null"]
)
def test_an_unreadable_registration_counts_as_none(content: str, tmp_path: Path) -> None:
    path = tmp_path / "registered.json"
    path.write_text(content)
    assert read_registration(path) is None


def test_json_files_are_sorted(tmp_path: Path) -> None:
    write_json(tmp_path / "metrics.json", {"b": 1, "a": 2.5})
    assert (tmp_path / "metrics.json").read_text() == '{\n  "a": 2.5,\n  "b": 1\n}\n'


def test_a_mistake_ends_a_program_with_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    def program() -> int:
        raise TrainingError("params.yaml: seed: too small")

    with pytest.raises(SystemExit) as ended:
        run_to_exit(program)
    assert ended.value.code == "error: params.yaml: seed: too small"
    assert capsys.readouterr().out == ""
