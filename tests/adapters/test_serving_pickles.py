"""Models that run code when they are loaded are loaded only where that is allowed."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from regisseur_contract.rehearsal import Word
from regisseur_contract.runtime import ENV_TRUST_PICKLE
from regisseur_serving.adapters.loading import load_model
from regisseur_serving.errors import LoadError, ModelError
from support.model_folders import ModelFolder, save
from support.serving_process import ServingProcess, run_rehearse

pytestmark = pytest.mark.timeout(60, func_only=True)

TRUSTED = {ENV_TRUST_PICKLE: "true"}
DATA = np.arange(24.0).reshape(8, 3)


def build(folder: Path, serialization_format: str) -> ModelFolder:
    """Save a model that brings code: no skops file could hold it."""
    halve = FunctionTransformer(lambda rows: rows / 2)
    steps = [halve] if serialization_format == "cloudpickle" else []
    model = make_pipeline(*steps, LogisticRegression())
    target = [0, 1] * 4
    return save(model, DATA, target, folder, serialization_format=serialization_format)


@pytest.fixture(params=["pickle", "cloudpickle"])
def pickled(request: pytest.FixtureRequest, tmp_path: Path) -> ModelFolder:
    """Return a model that runs code when it is loaded."""
    return build(tmp_path / "model", request.param)


def test_a_pickle_is_loaded_with_a_warning_only_where_it_is_trusted(
    pickled: ModelFolder, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ModelError, match=r"runs code when it is loaded; .*trustPickle: true"):
        load_model(pickled.path)
    assert "runs whatever code is in it" not in caplog.text

    loaded = load_model(pickled.path, trusts_pickle=True)
    table, _ = loaded.reader.read({"rows": DATA.tolist()})
    assert list(loaded.predictor.predict(table).values) == pickled.predictions
    assert "loading it runs whatever code is in it" in caplog.text


class Treacherous:
    """Asks for a module that is nowhere when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return __import__, ("no_such_module_anywhere",)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        pytest.param(pickle.dumps(Treacherous()), "needs the module 'no_such_mod", id="a module"),
        pytest.param(b"\x80\x05", "model.pkl cannot be unpickled", id="half a file"),
    ],
)
def test_a_pickle_that_does_not_load_says_why(
    tmp_path: Path, content: bytes, complaint: str
) -> None:
    folder = build(tmp_path / "model", "pickle").path
    (folder / "model.pkl").write_bytes(content)
    with pytest.raises(LoadError, match=complaint):
        load_model(folder, trusts_pickle=True)


def test_a_rehearsal_refuses_it_and_says_who_may_allow_it(tmp_path: Path) -> None:
    ended, verdict = run_rehearse(build(tmp_path / "current", "cloudpickle").path)
    assert verdict is not None, ended.stderr
    assert verdict.word == Word.ARTIFACT_INVALID
    assert "have the operator's configuration trust its registry" in verdict.message


def test_a_rehearsal_is_told_the_policy(tmp_path: Path) -> None:
    ended, verdict = run_rehearse(build(tmp_path / "current", "cloudpickle").path, **TRUSTED)
    assert verdict is not None
    assert verdict.word == Word.PASSED, ended.stderr


def test_a_server_is_told_the_policy(tmp_path: Path) -> None:
    model = build(tmp_path / "model", "cloudpickle")
    with ServingProcess(model.path, tmp_path, settings=TRUSTED) as server:
        server.wait_until_ready()
        answer = server.ask("/predict", {"rows": DATA.tolist()})
        assert answer.json["predictions"] == model.predictions
        assert "loading it runs whatever code" in server.log.read_text()
