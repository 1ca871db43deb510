"""What a person gets wrong ends the pipeline with a line to act on, never with a traceback."""

from pathlib import Path

import pytest

from support.mlflow_server import MlflowServer, free_port
from support.model_versions import create_model_version, read_stages
from support.pipeline import Finished, Pipeline


def line_of(ended: Finished) -> str:
    """Return the one line that tells the mistake."""
    assert ended.code != 0, ended.output
    assert "Traceback" not in ended.output
    (line,) = [line for line in ended.output.splitlines() if line.startswith("error: ")]
    return line


@pytest.mark.parametrize("program", ["preflight", "repro"])
def test_a_bad_parameter(program: str, tmp_path: Path) -> None:
    pipeline = Pipeline.copied(tmp_path)
    pipeline.change("test_fraction: 0.3", "test_fraction: 3")
    ended = pipeline.repro() if program == "repro" else pipeline.run_module("stages.preflight")
    assert line_of(ended).startswith("error: params.yaml: data.test_fraction: ")


def test_a_parameter_that_no_stage_uses_is_checked_before_the_run(tmp_path: Path) -> None:
    pipeline = Pipeline.copied(tmp_path)
    pipeline.change("threshold: 0.9", "threshold: 90")
    line = line_of(pipeline.run_module("stages.preflight"))
    assert line.startswith("error: params.yaml: promotion.threshold: ")


def test_a_server_that_is_not_there_stops_the_run_before_it_begins(tmp_path: Path) -> None:
    address = f"http://127.0.0.1:{free_port()}"
    ended = Pipeline.copied(tmp_path, tracking_uri=address).run_module("stages.preflight")
    assert line_of(ended).startswith(f"error: MLflow at {address} does not answer")


def test_a_server_that_went_away_costs_the_registration_only(
    mlflow_server: MlflowServer, model_name: str, tmp_path: Path
) -> None:
    name = [f"model.name={model_name}"]
    address = f"http://127.0.0.1:{free_port()}"
    ended = Pipeline.copied(tmp_path, tracking_uri=address, changes=name).repro()
    assert line_of(ended).startswith(f"error: MLflow at {address} does not answer")
    again = Pipeline(tmp_path, mlflow_server.url).repro()
    assert again.code == 0, again.output
    assert again.output.count("Running stage") == 1
    assert read_stages(mlflow_server, model_name) == {1: "None"}


def test_promoting_before_training(mlflow_server: MlflowServer, tmp_path: Path) -> None:
    pipeline = Pipeline.copied(
        tmp_path, tracking_uri=mlflow_server.url, changes=["model.name=nobody-trained-this"]
    )
    line = line_of(pipeline.run_module("promote"))
    assert line == "error: the registry has no model 'nobody-trained-this'; run 'make train' first"


def test_a_poor_version_ends_with_a_code_of_its_own(
    mlflow_server: MlflowServer, model_name: str, tmp_path: Path
) -> None:
    create_model_version(mlflow_server, model_name, metrics={"test_accuracy": 0.5})
    pipeline = Pipeline.copied(tmp_path, tracking_uri=mlflow_server.url)
    ended = pipeline.run_module("promote", "--model", model_name)
    assert ended.code == 3
    assert "test_accuracy 0.5 is below the threshold 0.9" in ended.output


def test_a_copy_with_a_bad_change(tmp_path: Path) -> None:
    pipeline = Pipeline.copied(tmp_path / "first")
    ended = pipeline.run_module("workspace", str(tmp_path / "second"), "--set", "sead=1")
    assert "'sead=1' does not set a parameter" in line_of(ended)
    assert not (tmp_path / "second").exists()
