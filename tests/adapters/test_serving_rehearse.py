"""`rehearse` as a process: a verdict for every kind of version."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import skops.io
import yaml
from sklearn.dummy import DummyRegressor
from sklearn.naive_bayes import GaussianNB

from regisseur_contract.exits import ARTIFACT_INVALID, CONFIGURATION
from regisseur_contract.rehearsal import RehearsalVerdict, Word
from support.mlflow_server import MlflowServer
from support.model_folders import ModelFolder
from support.model_versions import create_model_version, digest_folder
from support.serving_process import run_fetch, run_rehearse
from support.stored_files import StoredFiles

pytestmark = pytest.mark.timeout(60, func_only=True)
"""Most of that is for the import of scikit-learn on a busy machine."""

INTEGERS = '[{"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}}]'


@pytest.fixture
def folder(linear_folder: ModelFolder, tmp_path: Path) -> Path:
    """Return a model as `fetch` leaves it."""
    target = tmp_path / "volume" / "current"
    shutil.copytree(linear_folder.path, target)
    return target


def change(folder: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    """Edit the MLmodel file of a folder."""
    path = folder / "MLmodel"
    document = yaml.safe_load(path.read_text())
    edit(document)
    path.write_text(yaml.safe_dump(document))


def change_inputs(folder: Path, edit: Callable[[list[dict[str, Any]]], object]) -> None:
    def edit_document(document: dict[str, Any]) -> None:
        inputs = json.loads(document["signature"]["inputs"])
        edit(inputs)
        document["signature"]["inputs"] = json.dumps(inputs)

    change(folder, edit_document)


def change_example(folder: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    path = folder / "input_example.json"
    document = json.loads(path.read_text())
    edit(document)
    path.write_text(json.dumps(document))


def forget_example(folder: Path) -> None:
    change(folder, lambda document: document.update(saved_input_example_info=None))


def serve_copy(folder: Path) -> Path:
    """Put the MLmodel of the same model where the served version's would be."""
    served = folder.with_name("served")
    served.mkdir()
    shutil.copy(folder / "MLmodel", served)
    return served


def refused(folder: Path, word: Word, **environment: str) -> RehearsalVerdict:
    """The verdict of a version that must not be served, which people can read as well."""
    ended, verdict = run_rehearse(folder, **environment)
    assert verdict is not None, ended.stderr
    assert (ended.returncode, verdict.word) == (ARTIFACT_INVALID, word), ended.stderr
    assert not verdict.has_passed
    assert ended.stderr.splitlines()[-1] == f"error: {word}: {verdict.message}"
    return verdict


def passed(folder: Path, message: str = "", **environment: str) -> RehearsalVerdict:
    ended, verdict = run_rehearse(folder, **environment)
    assert verdict is not None, ended.stderr
    assert (ended.returncode, verdict.word) == (0, Word.PASSED), ended.stderr
    assert (verdict.message, verdict.has_passed) == (message, True)
    return verdict


def test_a_registered_model_passes_with_all_its_facts(
    mlflow_server: MlflowServer, model_name: str, forest_folder: ModelFolder, tmp_path: Path
) -> None:
    version = create_model_version(mlflow_server, model_name, folder=forest_folder.path)
    uri = StoredFiles(mlflow_server, model_name, version).uri
    target = tmp_path / "current"
    fetched = run_fetch(uri, mlflow_server.url, target, REGISSEUR_SERVED_ARTIFACT_URI=uri)
    assert fetched.returncode == 0, fetched.stderr
    digest = digest_folder(forest_folder.path)
    ended, verdict = run_rehearse(target, REGISSEUR_EXPECTED_DIGEST=digest)
    assert verdict is not None
    assert (ended.returncode, verdict.word) == (0, Word.PASSED), ended.stderr
    assert verdict.digest == digest
    assert verdict.bytes == sum(
        path.stat().st_size for path in forest_folder.path.rglob("*") if path.is_file()
    )
    assert (verdict.requirements, verdict.signature) == ((), "compatible")
    assert 0 < verdict.latency_seconds < verdict.seconds
    assert verdict.memory_bytes > 50e6
    for finding in (digest, "(as expected)", "nothing differs", "compatible", "2 example rows"):
        assert finding in ended.stdout
    assert ended.stdout.splitlines()[-1].startswith("Passed in ")


def test_files_that_were_changed_are_refused(folder: Path) -> None:
    before = digest_folder(folder)
    (folder / "model.skops").write_bytes(b"")
    verdict = refused(folder, Word.DIGEST_MISMATCH, REGISSEUR_EXPECTED_DIGEST=before)
    assert before in verdict.message
    assert verdict.digest == digest_folder(folder)
    assert verdict.digest in verdict.message


@pytest.mark.parametrize(
    ("harm", "complaint"),
    [
        pytest.param(shutil.rmtree, "there is no folder", id="no folder"),
        pytest.param(lambda folder: (folder / "MLmodel").unlink(), "no file MLmodel", id="empty"),
        pytest.param(lambda folder: (folder / "MLmodel").write_text("["), "not YAML", id="broken"),
        pytest.param(
            lambda folder: (folder / "model.skops").unlink(), "which is not in", id="a part is gone"
        ),
        pytest.param(
            lambda folder: change_inputs(folder, list.clear), "not a list of inputs", id="no inputs"
        ),
    ],
)
def test_a_folder_that_is_no_model_is_refused(
    folder: Path, harm: Callable[[Path], object], complaint: str
) -> None:
    harm(folder)
    assert complaint in refused(folder, Word.ARTIFACT_INVALID).message


def test_a_model_for_other_packages_is_refused_unless_nobody_minds(folder: Path) -> None:
    pins = "numpy==1.26.4\nlightgbm==4.6.0\nmlflow==1.0\n"
    (folder / "requirements.txt").write_text(pins)
    verdict = refused(folder, Word.REQUIREMENTS_MISMATCH)
    assert [line.partition(",")[0] for line in verdict.requirements] == [
        *("numpy==1.26.4", "lightgbm==4.6.0")
    ]
    assert "lightgbm==4.6.0, the image has none" in verdict.message
    assert "spec.rehearsal.requirements: Ignore" in verdict.message
    assert passed(folder, REGISSEUR_REQUIREMENTS="Ignore").requirements == ()


def test_a_model_of_another_python_is_refused(folder: Path) -> None:
    change(folder, lambda document: _python_function(document).update(python_version="2.7.18"))
    assert "python 2.7.18, the image has 3." in refused(folder, Word.REQUIREMENTS_MISMATCH).message


def test_a_model_whose_callers_would_be_refused_does_not_pass(folder: Path) -> None:
    serve_copy(folder)
    more = {"name": "sweetness", "type": "double", "required": True}
    change_inputs(folder, lambda inputs: inputs.append(more))
    verdict = refused(folder, Word.SIGNATURE_INCOMPATIBLE)
    assert "the input 'sweetness' is new and required" in verdict.message
    assert "spec.model.gates.signature: Any" in verdict.message
    assert verdict.signature.startswith("incompatible: ")


def test_a_model_that_answers_in_another_shape_passes_only_when_that_is_wanted(
    folder: Path,
) -> None:
    served = serve_copy(folder)
    text = INTEGERS.replace("int64", "str")
    change(served, lambda document: document["signature"].update(outputs=text))
    change(folder, lambda document: document["signature"].update(outputs=INTEGERS))
    assert "one string a row" in refused(folder, Word.SIGNATURE_INCOMPATIBLE).message
    verdict = passed(folder, REGISSEUR_SIGNATURE="Any")
    assert verdict.signature.startswith("incompatible, which is allowed: ")


@pytest.mark.parametrize("rule", ["Compatible", "Any"])
def test_a_served_version_that_is_gone_does_not_keep_its_cure_back(folder: Path, rule: str) -> None:
    folder.with_name("served.gone").write_text("there is no file MLmodel")
    verdict = passed(folder, REGISSEUR_SIGNATURE=rule)
    assert verdict.signature == "not compared, the served version's MLmodel is gone or out of reach"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [("[", "is not YAML"), ("flavors: {}", "only scikit-learn models are served")],
)
def test_a_served_version_that_is_unreadable_does_not_keep_its_cure_back(
    folder: Path, content: str, complaint: str
) -> None:
    (serve_copy(folder) / "MLmodel").write_text(content)
    said = passed(folder).signature
    assert said.startswith("not compared, the served version's MLmodel is unreadable: ")
    assert complaint in said


def test_the_first_version_has_nothing_to_be_compared_with(folder: Path) -> None:
    assert passed(folder).signature == "not compared, nothing of this registry is served"


def test_a_model_that_cannot_be_built_is_refused(folder: Path) -> None:
    (folder / "model.skops").write_bytes(b"PK\x03\x04half")
    assert "no readable skops file" in refused(folder, Word.LOAD_FAILED).message


def test_a_model_that_cannot_predict_its_example_is_refused(folder: Path) -> None:
    skops.io.dump(GaussianNB().fit([[0.0, 1.0], [1.0, 0.0]], [0, 1]), folder / "model.skops")
    assert "own input example" in refused(folder, Word.PREDICTION_FAILED).message


def test_a_model_that_answers_no_numbers_is_refused(folder: Path) -> None:
    nowhere = DummyRegressor(strategy="constant", constant=1.0).fit([[0.0]], [0.0])
    nowhere.constant_[:] = float("nan")
    skops.io.dump(nowhere, folder / "model.skops")
    assert "no finite numbers" in refused(folder, Word.PREDICTION_FAILED).message


def test_a_model_without_an_example_passes_and_says_that_it_was_not_tried(folder: Path) -> None:
    forget_example(folder)
    said = "no input example: no prediction was tried; log one with input_example="
    assert passed(folder, said).latency_seconds == 0


def test_an_example_that_the_signature_refuses_is_refused(folder: Path) -> None:
    def put_a_gap(example: dict[str, Any]) -> None:
        example["data"][1][0] = None

    change_example(folder, put_a_gap)
    message = refused(folder, Word.PREDICTION_FAILED).message
    assert "does not fit its signature (records.1.alcohol: Input should not be null)" in message
    assert "log the model with a signature and an input_example of what it takes" in message


def test_an_example_of_other_columns_is_refused(folder: Path) -> None:
    change_example(folder, lambda example: example["columns"].__setitem__(0, "strength"))
    message = refused(folder, Word.PREDICTION_FAILED).message
    assert "(records.0.alcohol: Field required; records.1.alcohol: Field required)" in message


def test_a_model_of_other_columns_than_its_signature_is_refused_untried(folder: Path) -> None:
    forget_example(folder)
    skops.io.dump(GaussianNB().fit([[0.0, 1.0], [1.0, 0.0]], [0, 1]), folder / "model.skops")
    message = refused(folder, Word.PREDICTION_FAILED).message
    assert "the estimator was fitted with 2 columns, the signature has 13; log it with" in message


def test_a_model_of_mixed_columns_passes_with_an_example_and_without(
    mixed_folder: ModelFolder, tmp_path: Path
) -> None:
    target = tmp_path / "current"
    shutil.copytree(mixed_folder.path, target)
    assert passed(target).latency_seconds > 0
    forget_example(target)
    assert run_rehearse(target)[0].returncode == 0


def test_a_model_without_a_signature_passes_and_is_no_successor_of_one_that_has_it(
    folder: Path,
) -> None:
    served = serve_copy(folder)
    change(folder, lambda document: document.pop("signature"))
    message = refused(folder, Word.SIGNATURE_INCOMPATIBLE).message
    assert "inputs were described, and the new version has no signature" in message
    shutil.rmtree(served)
    assert passed(folder).latency_seconds > 0


def test_a_model_that_takes_texts_passes(text_folder: ModelFolder, tmp_path: Path) -> None:
    shutil.copytree(text_folder.path, tmp_path / "current")
    assert passed(tmp_path / "current").latency_seconds > 0


def test_a_fault_that_nobody_foresaw_is_a_verdict_too(folder: Path) -> None:
    change(folder, lambda document: document["flavors"]["sklearn"].update(pickled_model="a\0b"))
    verdict = refused(folder, Word.LOAD_FAILED)
    assert "the model cannot be rehearsed (ValueError); see the pod's log" in verdict.message
    assert verdict.digest == digest_folder(folder)


def test_a_senseless_setting_is_no_verdict(folder: Path) -> None:
    ended, verdict = run_rehearse(folder, REGISSEUR_SIGNATURE="Perhaps")
    assert (ended.returncode, verdict) == (CONFIGURATION, None)
    assert ended.stderr == "error: REGISSEUR_SIGNATURE is 'Perhaps'; set it to Compatible or Any\n"
    log = folder.parent / "termination-log"
    assert log.read_text() == ended.stderr.strip().replace("error:", "rehearse:")


def _python_function(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["flavors"]["python_function"]
    return found
