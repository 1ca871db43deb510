"""A model that is converted answers as before, or is served by its own engine and says so."""

import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.datasets import load_diabetes, load_wine
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler
from sklearn.tree import DecisionTreeRegressor

from regisseur_contract.engines import Engine
from regisseur_contract.exits import CONFIGURATION
from regisseur_contract.rehearsal import RehearsalVerdict, Word
from regisseur_serving.adapters.loading import load_model
from regisseur_serving.adapters.onnx_outcome import onnx_folder
from regisseur_serving.app.conversion import convert_model
from regisseur_serving.core.engine import EngineChoice, FallbackError
from support.eventually import eventually
from support.mlflow_server import MlflowServer
from support.model_folders import ModelFolder, save
from support.model_versions import create_model_version
from support.serving_process import (
    COMMAND,
    Ended,
    ServingProcess,
    run_convert,
    run_fetch,
    run_rehearse,
)
from support.stored_files import StoredFiles

pytestmark = pytest.mark.timeout(150, func_only=True)
"""Most of that is for imports on a busy machine."""

ONNX = {"REGISSEUR_ENGINE": "ONNX"}


@pytest.fixture(scope="session")
def boosted_folder(tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    data, target = load_diabetes(return_X_y=True, as_frame=True)
    model = GradientBoostingRegressor(n_estimators=20, random_state=0)
    return save(model, data, target, tmp_path_factory.mktemp("boosted") / "model")


@pytest.fixture(scope="session")
def stamps_folder(tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    """Return a model over points in time: neighbouring 32-bit numbers are two minutes apart."""
    seconds = 1_700_000_000.0 + np.random.default_rng(0).integers(0, 5000, 200)
    data, target = pd.DataFrame({"seconds": seconds}), seconds > 1_700_002_500
    model = make_pipeline(StandardScaler(), LogisticRegression())
    return save(model, data, target, tmp_path_factory.mktemp("stamps") / "model")


@pytest.fixture(scope="session")
def scaled_folder(tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    """Return a forest behind a scaler: its thresholds are of numbers that 32 bits round twice."""
    data, target = load_wine(return_X_y=True, as_frame=True)
    model = make_pipeline(StandardScaler(), RandomForestClassifier(20, random_state=0))
    return save(model, data, target, tmp_path_factory.mktemp("scaled") / "model")


@pytest.fixture(scope="session")
def histogram_folder(tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    """Return a model that the converter does not manage."""
    data, target = load_wine(return_X_y=True, as_frame=True)
    model = HistGradientBoostingClassifier(max_iter=3)
    return save(model, data, target, tmp_path_factory.mktemp("histogram") / "model")


@pytest.fixture(scope="session")
def converted_folder(
    linear_folder: ModelFolder, tmp_path_factory: pytest.TempPathFactory
) -> ModelFolder:
    """Return the quick model with its conversion beside it."""
    folder = copy(linear_folder, tmp_path_factory.mktemp("converted"))
    assert "rows are answered alike" in converted(folder).stdout
    return ModelFolder(folder, linear_folder.data, linear_folder.predictions)


def copy(folder: ModelFolder, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder.path, tmp_path / "current"))


def save_diabetes(model: Pipeline, tmp_path: Path) -> Path:
    """Fit a regressor and return its folder, with room for its conversion beside it."""
    data, target = load_diabetes(return_X_y=True, as_frame=True)
    folder = save(model, data, target, tmp_path / "volume" / "current").path
    onnx_folder(folder).mkdir()
    return folder


def converted(folder: Path, **environment: str) -> Ended:
    ended = run_convert(folder, **environment)
    assert ended.returncode == 0, ended.stderr
    return ended


def rehearsed(folder: Path) -> RehearsalVerdict:
    ended, verdict = run_rehearse(folder, **ONNX)
    assert verdict is not None
    assert verdict.word == Word.PASSED, ended.stderr
    return verdict


def libraries_of(server: ServingProcess) -> set[str]:
    """The libraries that a process has mapped."""
    mapped = Path(f"/proc/{server.process.pid}/maps").read_text()
    return {name for name in ("sklearn", "pandas", "scipy", "onnxruntime") if f"/{name}/" in mapped}


@pytest.mark.parametrize("kind", ["forest_folder", "boosted_folder"])
def test_a_converted_model_answers_as_before_without_its_own_library(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    model: ModelFolder = request.getfixturevalue(kind)
    folder = copy(model, tmp_path)
    assert "rows are answered alike" in converted(folder).stdout
    with ServingProcess(folder, tmp_path, settings=ONNX) as server:
        server.wait_until_ready()
        answers = server.ask("/predict", {"records": model.records(50)}).json["predictions"]
        assert answers == pytest.approx(model.predictions[:50], rel=1e-5)
        assert list(map(type, answers)) == list(map(type, model.predictions[:50]))
        described = server.ask("/model").json
        assert (described["engine"], described["engine_reason"]) == ("ONNX", "")
        metrics = server.ask_admin("/metrics").body.decode()
        assert 'regisseur_serving_engine_info{engine="ONNX",reason_word=""} 1.0' in metrics
        assert libraries_of(server) == {"onnxruntime"}


def test_a_registered_model_goes_all_the_way(
    mlflow_server: MlflowServer, model_name: str, linear_folder: ModelFolder, tmp_path: Path
) -> None:
    version = create_model_version(mlflow_server, model_name, folder=linear_folder.path)
    uri = StoredFiles(mlflow_server, model_name, version).uri
    folder = tmp_path / "current"
    assert run_fetch(uri, mlflow_server.url, folder).returncode == 0
    converted(folder)
    verdict = rehearsed(folder)
    assert (verdict.engine, verdict.engine_reason, verdict.message) == ("ONNX", "", "")
    assert verdict.latency_seconds > 0


def test_a_model_whose_parity_fails_is_served_by_its_own_engine_and_says_so(
    scaled_folder: ModelFolder, tmp_path: Path
) -> None:
    folder = copy(scaled_folder, tmp_path)
    assert "served by Native, not by ONNX: ONNX answers otherwise: rows" in converted(folder).stdout
    verdict = rehearsed(folder)
    assert verdict.engine == "Native"
    assert verdict.message == f"served by Native, not by ONNX: {verdict.engine_reason}"
    with ServingProcess(folder, tmp_path, settings=ONNX) as server:
        server.wait_until_ready()
        answers = server.ask("/predict", {"records": scaled_folder.records(5)}).json
        assert answers["predictions"] == scaled_folder.predictions[:5]
        described = server.ask("/model").json
        told = (described["engine"], described["engine_reason"])
        assert told == ("Native", verdict.engine_reason)
        info = 'regisseur_serving_engine_info{engine="Native",reason_word="ParityFailed"} 1.0'
        assert info in server.ask_admin("/metrics").body.decode()


@pytest.mark.parametrize(
    "model",
    [
        pytest.param(
            make_pipeline(StandardScaler(), RandomForestRegressor(10, random_state=0)), id="forest"
        ),
        pytest.param(
            make_pipeline(RobustScaler(), GradientBoostingRegressor(n_estimators=20)), id="boosted"
        ),
        pytest.param(
            make_pipeline(MinMaxScaler(), PCA(4), DecisionTreeRegressor(max_depth=4)), id="mixed"
        ),
    ],
)
def test_numbers_of_trees_behind_a_scaler_step_elsewhere_in_32_bits(
    model: Pipeline, tmp_path: Path
) -> None:
    folder = save_diabetes(model, tmp_path)
    with pytest.raises(FallbackError, match=r"rows between answers: \d+ of \d+ answers differ"):
        convert_model(folder, 0.0)


def test_numbers_without_steps_behind_a_scaler_are_answered_alike(tmp_path: Path) -> None:
    folder = save_diabetes(make_pipeline(StandardScaler(), Ridge()), tmp_path)
    assert convert_model(folder, 0.0).choice == EngineChoice(Engine.ONNX)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        pytest.param("histogram_folder", "cannot be converted (", id="the converter fails"),
        pytest.param("stamps_folder", "32 bits are too few for the values", id="points in time"),
        pytest.param("mixed_folder", "the model takes text", id="it takes text"),
    ],
)
def test_a_model_that_cannot_be_converted_is_left_to_its_own_engine(
    kind: str, reason: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    folder = copy(request.getfixturevalue(kind), tmp_path)
    assert reason in converted(folder).stdout
    assert load_model(folder, Engine.ONNX).engine.reason.count(reason) == 1


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        pytest.param(
            {"REGISSEUR_CONVERT_TIMEOUT_SECONDS": "0.2"}, "took longer than 0.2 s", id="too slow"
        ),
        pytest.param(
            {"REGISSEUR_CONVERT_MEMORY_BYTES": str(20 << 20)}, "the conversion to", id="too large"
        ),
    ],
)
def test_a_conversion_that_does_not_end_well_leaves_the_model_to_its_own_engine(
    harm: dict[str, str], reason: str, linear_folder: ModelFolder, tmp_path: Path
) -> None:
    folder = copy(linear_folder, tmp_path)
    assert reason in converted(folder, **harm).stdout
    assert reason in load_model(folder, Engine.ONNX).engine.reason


@pytest.mark.parametrize(
    ("converter", "reason"),
    [
        pytest.param("raise ImportError", "the image has no ONNX", id="it is not there"),
        pytest.param("import os; os.abort()", "ended by signal 6", id="it crashes"),
        pytest.param("raise OSError", "ended by exit code 1", id="it is broken"),
    ],
)
def test_a_converter_that_is_broken_leaves_the_model_to_its_own_engine(
    converter: str, reason: str, linear_folder: ModelFolder, tmp_path: Path
) -> None:
    folder = copy(linear_folder, tmp_path)
    (tmp_path / "skl2onnx.py").write_text(converter)
    path = os.pathsep.join([str(tmp_path), *sys.path])
    assert reason in converted(folder, PYTHONPATH=path).stdout
    assert reason in load_model(folder, Engine.ONNX).engine.reason


def test_a_conversion_that_was_killed_is_not_begun_again(
    linear_folder: ModelFolder, tmp_path: Path
) -> None:
    folder = copy(linear_folder, tmp_path)
    with ServingProcess(folder, tmp_path, command=(*COMMAND, "convert")) as conversion:
        eventually((tmp_path / "onnx" / "outcome.json").exists, deadline_seconds=20)
        conversion.process.kill()
    assert "the conversion to ONNX was killed" in converted(folder).stdout


def test_a_model_that_nobody_converted_is_left_to_its_own_engine(
    linear_folder: ModelFolder,
) -> None:
    loaded = load_model(linear_folder.path, Engine.ONNX)
    assert loaded.engine.reason == "the model was not converted to ONNX before the server started"


def test_a_converted_model_that_is_broken_leaves_the_model_to_its_own_engine(
    converted_folder: ModelFolder, tmp_path: Path
) -> None:
    shutil.copytree(converted_folder.path.parent, tmp_path / "volume")
    (tmp_path / "volume" / "onnx" / "model.onnx").write_bytes(b"nonsense")
    loaded = load_model(tmp_path / "volume" / "current", Engine.ONNX)
    assert "the converted model cannot be loaded" in loaded.engine.reason


def test_a_model_without_an_example_cannot_be_compared(
    linear_folder: ModelFolder, tmp_path: Path
) -> None:
    folder = copy(linear_folder, tmp_path)
    document = yaml.safe_load((folder / "MLmodel").read_text())
    document["saved_input_example_info"] = None
    (folder / "MLmodel").write_text(yaml.safe_dump(document))
    assert "no input example to compare with" in converted(folder).stdout


def test_what_the_model_refuses_is_refused_by_its_converted_self(
    converted_folder: ModelFolder,
) -> None:
    """ONNX itself answers in silence where a number is missing."""
    loaded = load_model(converted_folder.path, Engine.ONNX)
    row = converted_folder.data.head(1).to_numpy(float, copy=True)
    for number in (np.nan, np.inf, 1e300):
        row[0, 0] = number
        with pytest.raises(ValueError, match="missing, or too large"):
            loaded.predictor.predict(row)


def test_probabilities_come_with_the_labels(converted_folder: ModelFolder) -> None:
    folder = converted_folder.path
    native, onnx = load_model(folder), load_model(folder, Engine.ONNX)
    assert (native.engine.engine, onnx.engine.engine) == ("Native", "ONNX")
    assert native.predictor.classes == onnx.predictor.classes
    table = converted_folder.data.head(50).to_numpy(float)
    before = native.predictor.predict(table, with_probabilities=True)
    after = onnx.predictor.predict(table, with_probabilities=True)
    assert before.values.dtype == after.values.dtype
    assert before.probabilities is not None
    assert after.probabilities is not None
    np.testing.assert_allclose(after.probabilities, before.probabilities, atol=1e-5)


def test_a_senseless_setting_ends_the_command(linear_folder: ModelFolder, tmp_path: Path) -> None:
    folder = copy(linear_folder, tmp_path)
    ended = run_convert(folder, REGISSEUR_CONVERT_TIMEOUT_SECONDS="soon")
    assert ended.returncode == CONFIGURATION
    assert ended.stderr.startswith("error: REGISSEUR_CONVERT_TIMEOUT_SECONDS is 'soon'")


def test_a_model_that_was_logged_with_an_array_is_converted(
    tensor_folder: ModelFolder, tmp_path: Path
) -> None:
    folder = shutil.copytree(tensor_folder.path, tmp_path / "volume" / "current")
    onnx_folder(folder).mkdir()

    outcome = convert_model(folder, 0.0)

    assert outcome.choice == EngineChoice(Engine.ONNX)


def test_a_pickle_is_not_converted_and_says_so(tensor_folder: ModelFolder, tmp_path: Path) -> None:
    folder = shutil.copytree(tensor_folder.path, tmp_path / "volume" / "current")
    text = (folder / "MLmodel").read_text()
    (folder / "MLmodel").write_text(text.replace("skops", "cloudpickle"))
    with pytest.raises(FallbackError, match="the model is pickled"):
        convert_model(folder, 0.0)
