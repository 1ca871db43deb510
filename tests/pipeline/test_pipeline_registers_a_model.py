"""`dvc repro` leads from nothing to a registered version that tells where it comes from."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import skops.io
import yaml

from regisseur_contract import exits
from regisseur_contract.runtime import (
    ENV_ARTIFACT_URI,
    ENV_EXPECTED_DIGEST,
    ENV_MODEL_DIR,
    ENV_REGISTRY_URL,
    SUBCOMMAND_FETCH,
)
from regisseur_contract.tags import TAG_DATA_VERSION, TAG_DIGEST, TAG_GIT_SHA
from regisseur_training.adapters.files import TEST_DATA, read_rows
from regisseur_training.adapters.model_file import read_model
from regisseur_training.core.dataset import features_of
from regisseur_training.core.model import TRUSTED_TYPES
from support.mlflow_server import MlflowServer
from support.model_versions import call, digest_folder, read_run, read_stages, read_version
from support.pipeline import GIT_COMMIT, Pipeline, read_recorded
from support.serving_process import own_environment
from support.stored_files import StoredFiles

MODEL = "wine-of-the-pipeline"


@pytest.fixture(scope="module")
def pipeline(mlflow_server: MlflowServer, tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """The pipeline after one `dvc repro` of a random forest against the MLflow server."""
    pipeline = Pipeline.copied(
        tmp_path_factory.mktemp("pipeline"),
        tracking_uri=mlflow_server.url,
        changes=[f"model.name={MODEL}", "train.algorithm=random_forest"],
    )
    ended = pipeline.repro()
    assert ended.code == 0, ended.output
    return pipeline


@pytest.fixture(scope="module")
def version(pipeline: Pipeline, mlflow_server: MlflowServer) -> dict[str, Any]:
    """What the registry holds of the version."""
    registered = json.loads((pipeline.folder / "registered.json").read_text())
    assert registered["name"] == MODEL
    assert registered["tracking_uri"] == mlflow_server.url
    found = read_version(mlflow_server, MODEL, registered["version"])
    assert found["run_id"] == registered["run_id"]
    return found


@pytest.fixture(scope="module")
def run(version: dict[str, Any], mlflow_server: MlflowServer) -> dict[str, Any]:
    """The run behind the version."""
    return read_run(mlflow_server, version["run_id"])


@pytest.fixture(scope="module")
def model_folder(version: dict[str, Any], mlflow_server: MlflowServer) -> Path:
    """The model folder as the server stores it."""
    model_id = version["source"].removeprefix("models:/")
    (found,) = mlflow_server.artifacts.rglob(f"{model_id}/artifacts/MLmodel")
    return found.parent


def tags_of(holder: dict[str, Any]) -> dict[str, str]:
    return {tag["key"]: tag["value"] for tag in holder["tags"]}


def test_the_metrics_are_those_of_the_file(pipeline: Pipeline, run: dict[str, Any]) -> None:
    logged = {metric["key"]: metric["value"] for metric in run["data"]["metrics"]}
    assert logged == json.loads((pipeline.folder / "metrics.json").read_text())
    assert set(logged) == {
        "train_accuracy",
        "test_accuracy",
        "precision_weighted",
        "recall_weighted",
        "f1_weighted",
    }
    assert logged["test_accuracy"] > 0.9


def test_the_parameters_are_those_that_were_used(run: dict[str, Any]) -> None:
    logged = {param["key"]: param["value"] for param in run["data"]["params"]}
    assert logged == {
        "algorithm": "random_forest",
        "seed": "42",
        "test_fraction": "0.3",
        "n_estimators": "100",
        "max_depth": "6",
        "min_samples_leaf": "1",
    }


def test_run_and_version_tell_the_commit_and_the_data(
    pipeline: Pipeline, run: dict[str, Any], version: dict[str, Any]
) -> None:
    data = read_recorded(pipeline.lock(), "prepare", "outs")["data/wine.csv"]
    lineage = {TAG_GIT_SHA: GIT_COMMIT, TAG_DATA_VERSION: data}
    assert tags_of(version).items() >= lineage.items()
    tags = tags_of(run["data"])
    assert {key: tags[key] for key in lineage} == lineage
    assert tags["mlflow.source.git.commit"] == GIT_COMMIT
    assert run["info"]["status"] == "FINISHED"


def test_the_version_tells_the_digest_of_its_files(
    version: dict[str, Any], model_folder: Path, mlflow_server: MlflowServer
) -> None:
    told = tags_of(version)[TAG_DIGEST]
    assert told == digest_folder(model_folder), "the store holds other files than were sent"
    assert told == StoredFiles(mlflow_server, MODEL, int(version["version"])).digest


def test_the_digest_is_that_of_a_download(
    version: dict[str, Any], mlflow_server: MlflowServer, tmp_path: Path
) -> None:
    download = f"""
import mlflow
mlflow.set_tracking_uri({mlflow_server.url!r})
mlflow.artifacts.download_artifacts("models:/{MODEL}/{version["version"]}", dst_path="files")
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", download], cwd=tmp_path, check=True)
    folder = tmp_path / "files"
    assert (folder / "registered_model_meta").exists(), "MLflow's client adds a file of its own"
    assert digest_folder(folder) == tags_of(version)[TAG_DIGEST]


def test_the_digest_is_the_one_that_a_pod_compares(
    version: dict[str, Any], mlflow_server: MlflowServer, tmp_path: Path
) -> None:
    def fetch(digest: str, folder: str) -> int:
        environment = {
            ENV_ARTIFACT_URI: StoredFiles(mlflow_server, MODEL, int(version["version"])).uri,
            ENV_REGISTRY_URL: mlflow_server.url,
            ENV_MODEL_DIR: str(tmp_path / folder / "current"),
            ENV_EXPECTED_DIGEST: digest,
            "REGISSEUR_TERMINATION_LOG": str(tmp_path / "termination-log"),
        }
        command = [sys.executable, "-m", "regisseur_serving", SUBCOMMAND_FETCH]
        return subprocess.run(command, env=own_environment() | environment, check=False).returncode

    told = tags_of(version)[TAG_DIGEST]
    other = f"{told[:-1]}{'0' if told[-1] != '0' else '1'}"
    assert fetch(told, "expected") == 0
    assert fetch(other, "others") == exits.DIGEST_MISMATCH


def test_the_run_shows_the_card_and_the_confusion_matrix(
    mlflow_server: MlflowServer, run: dict[str, Any]
) -> None:
    def listed(path: str) -> set[str]:
        found = call(
            mlflow_server,
            "GET",
            f"/api/2.0/mlflow/artifacts/list?run_id={run['info']['run_id']}&path={path}",
        )
        return {file["path"] for file in found.get("files", [])}

    assert "card.md" in listed("")
    assert listed("plots") == {"plots/confusion_matrix.csv", "plots/confusion_matrix.png"}


def test_the_model_has_a_signature_and_an_input_example(model_folder: Path) -> None:
    described = yaml.safe_load((model_folder / "MLmodel").read_text())
    inputs = json.loads(described["signature"]["inputs"])
    assert len(inputs) == 13
    assert {column["type"] for column in inputs} == {"double"}
    example = json.loads((model_folder / "input_example.json").read_text())
    assert example["columns"] == [column["name"] for column in inputs]
    assert len(example["data"]) == 3


def test_the_model_is_a_skops_file_of_trusted_types(model_folder: Path, pipeline: Pipeline) -> None:
    flavor = yaml.safe_load((model_folder / "MLmodel").read_text())["flavors"]["sklearn"]
    assert flavor["serialization_format"] == "skops"
    assert flavor["skops_trusted_types"] == list(TRUSTED_TYPES)
    served = skops.io.load(model_folder / flavor["pickled_model"], trusted=list(TRUSTED_TYPES))
    rows = features_of(read_rows(pipeline.folder / TEST_DATA))
    trained = read_model(pipeline.folder / "models/model.skops")
    assert (served.predict(rows) == trained.predict(rows)).all()


def test_the_requirements_are_pinned(model_folder: Path) -> None:
    lines = (model_folder / "requirements.txt").read_text().split()
    assert {line.split("==")[0] for line in lines} == {
        *("mlflow", "numpy", "pandas", "scikit-learn", "scipy", "skops"),
    }


def test_dvc_shows_metrics_and_plots(pipeline: Pipeline) -> None:
    metrics = pipeline.run("dvc", "metrics", "show", "--json")
    assert json.loads(metrics.output)[""]["data"]["metrics.json"]["data"]["test_accuracy"] > 0.9
    plots = pipeline.run("dvc", "plots", "show", "--json")
    assert "plots/confusion_matrix.csv" in json.loads(plots.output)["data"]


def test_a_second_run_does_nothing(pipeline: Pipeline, mlflow_server: MlflowServer) -> None:
    lock, versions = pipeline.lock(), read_stages(mlflow_server, MODEL)
    preflight = pipeline.run_module("stages.preflight")
    assert preflight.code == 0, preflight.output
    ended = pipeline.repro()
    assert ended.code == 0
    assert "Running stage" not in ended.output
    assert "Data and pipelines are up to date." in ended.output
    assert pipeline.lock() == lock
    assert read_stages(mlflow_server, MODEL) == versions


def test_the_version_can_be_promoted_from_here(
    pipeline: Pipeline, version: dict[str, Any], mlflow_server: MlflowServer
) -> None:
    ended = pipeline.run_module("promote")
    assert ended.code == 0, ended.output
    assert read_stages(mlflow_server, MODEL)[int(version["version"])] == "Production"
