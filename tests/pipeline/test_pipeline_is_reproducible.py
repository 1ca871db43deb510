"""The same data, parameters and code give the same bytes, with or without a server."""

import hashlib
import subprocess
from pathlib import Path

import pytest
import yaml

from support.mlflow_server import MlflowServer
from support.model_versions import read_stages
from support.pipeline import ROOT, Pipeline

MODEL = "wine-of-two-copies"
LOCK = (ROOT / "dvc.lock").read_text()


@pytest.fixture(scope="module")
def serverless(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """The pipeline after one `dvc repro` on a bare folder: its registry is a file."""
    pipeline = Pipeline.copied(tmp_path_factory.mktemp("bare"), changes=[f"model.name={MODEL}"])
    ended = pipeline.repro()
    assert ended.code == 0, ended.output
    assert f"registered {MODEL} v1 at sqlite:///mlflow.db" in ended.output
    return pipeline


def test_two_folders_and_two_registries_give_one_lock(
    serverless: Pipeline, mlflow_server: MlflowServer, tmp_path: Path
) -> None:
    other = Pipeline.copied(
        tmp_path, tracking_uri=mlflow_server.url, changes=[f"model.name={MODEL}"]
    )
    ended = other.repro()
    assert ended.code == 0, ended.output
    assert other.lock() == serverless.lock()
    assert read_stages(mlflow_server, MODEL)


def test_a_registry_that_does_not_know_the_model_gets_it(
    serverless: Pipeline, mlflow_server: MlflowServer
) -> None:
    known = len(read_stages(mlflow_server, MODEL))
    moved = Pipeline(serverless.folder, mlflow_server.url)
    assert "does not know this model yet" in moved.run_module("stages.preflight").output
    lock, ended = moved.lock(), moved.repro()
    assert ended.code == 0, ended.output
    assert ended.output.count("Running stage") == 1
    assert f"registered {MODEL} v{known + 1} at {mlflow_server.url}" in ended.output
    assert moved.lock() == lock
    assert "is ready" in moved.run_module("stages.preflight").output


def test_former_parameters_are_a_new_version_again(serverless: Pipeline) -> None:
    for seed, version in ((43, 2), (42, 3)):
        serverless.change(f"seed: {85 - seed}", f"seed: {seed}")
        ended = serverless.repro()
        assert f"registered {MODEL} v{version}" in ended.output, ended.output


def test_the_lock_of_the_checkout_is_of_these_files() -> None:
    stale = [
        f"{stage}: {dep['path']}"
        for stage, content in yaml.safe_load(LOCK)["stages"].items()
        for dep in content["deps"]
        if (path := ROOT / dep["path"]).suffix == ".py"
        and hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest() != dep["md5"]
    ]
    assert not stale, "run 'make train' and commit dvc.lock"


def test_the_lock_of_the_checkout_is_of_these_parameters_and_results() -> None:
    stages = yaml.safe_load(LOCK)["stages"]
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    recorded = stages["train"]["params"]["params.yaml"]
    assert recorded["train.algorithm"] == params["train"]["algorithm"]
    assert recorded["train.random_forest"] == params["train"]["random_forest"]
    assert recorded["train.logistic_regression"] == params["train"]["logistic_regression"]
    assert recorded["seed"] == params["seed"]
    outs = {out["path"]: out["md5"] for out in stages["evaluate"]["outs"]}
    metrics = (ROOT / "metrics.json").read_bytes()
    assert outs["metrics.json"] == hashlib.md5(metrics, usedforsecurity=False).hexdigest()


def test_no_result_is_committed_that_dvc_keeps() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "data", "models", "plots", "registered.json", "mlflow.db"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    assert listed.stdout.split() == ["plots/confusion_matrix.csv"]
