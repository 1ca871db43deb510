"""What MLflow saves is what the server loads, and nothing else."""

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
import yaml
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_wine
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, QuantileTransformer
from sklearn.svm import SVC

from regisseur_serving.adapters.fitted_columns import describe_mismatch
from regisseur_serving.adapters.loading import load_model
from regisseur_serving.adapters.sklearn_model import load_estimator
from regisseur_serving.errors import ModelError
from support.model_folders import ModelFolder


def copy(folder: ModelFolder, target: Path, **changes: Any) -> Path:
    """Copy a model folder and change some of its MLmodel."""
    shutil.copytree(folder.path, target)
    document = yaml.safe_load((target / "MLmodel").read_text())
    (target / "MLmodel").write_text(yaml.safe_dump(document | changes))
    return target


def predict(folder: ModelFolder) -> tuple[Any, bool]:
    loaded = load_model(folder.path)
    table, rows = loaded.reader.read({"records": folder.records(len(folder.data))})
    assert rows == len(folder.data)
    return list(loaded.predictor.predict(table).values), loaded.takes_arrays


def test_a_linear_model_predicts_as_it_did_before(linear_folder: ModelFolder) -> None:
    assert predict(linear_folder) == (linear_folder.predictions, True)


def test_a_forest_predicts_as_it_did_before(forest_folder: ModelFolder) -> None:
    assert predict(forest_folder) == (forest_folder.predictions, True)


def test_text_columns_go_in_as_a_dataframe(mixed_folder: ModelFolder) -> None:
    assert predict(mixed_folder) == (mixed_folder.predictions, False)


def test_probabilities_belong_to_the_classes(linear_folder: ModelFolder) -> None:
    loaded = load_model(linear_folder.path)
    assert loaded.predictor.classes == [0, 1, 2]
    table, _ = loaded.reader.read({"records": linear_folder.records(5)})
    prediction = loaded.predictor.predict(table, with_probabilities=True)
    assert prediction.probabilities is not None
    np.testing.assert_allclose(prediction.probabilities.sum(axis=1), 1)
    assert prediction.probabilities.argmax(axis=1).tolist() == list(prediction.values)


@pytest.mark.parametrize(
    "estimator",
    [
        RandomForestClassifier(n_estimators=3),
        GradientBoostingClassifier(n_estimators=3),
        HistGradientBoostingClassifier(max_iter=3),
        KNeighborsClassifier(),
        KNeighborsClassifier(algorithm="ball_tree"),
        SVC(),
        CalibratedClassifierCV(GaussianNB()),
        GridSearchCV(GaussianNB(), {"var_smoothing": [1e-9]}),
        VotingClassifier([("a", GaussianNB()), ("b", GaussianNB())]),
        make_pipeline(QuantileTransformer(n_quantiles=5), GaussianNB()),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_the_usual_estimators_are_trusted(
    estimator: BaseEstimator,
    tmp_path: Path,
) -> None:
    data, target = load_wine(return_X_y=True)
    estimator.fit(data, target)
    skops.io.dump(estimator, tmp_path / "model.skops")
    loaded = load_estimator(tmp_path / "model.skops")
    np.testing.assert_array_equal(loaded.predict(data), estimator.predict(data))


def test_a_model_that_brings_code_is_refused_whatever_it_says_of_itself(
    linear_folder: ModelFolder, tmp_path: Path
) -> None:
    folder = copy(linear_folder, tmp_path / "model")
    document = yaml.safe_load((folder / "MLmodel").read_text())
    document["flavors"]["sklearn"]["skops_trusted_types"] = ["posix.system"]
    (folder / "MLmodel").write_text(yaml.safe_dump(document))
    estimator = make_pipeline(FunctionTransformer(os.system), LogisticRegression())
    skops.io.dump(estimator, folder / "model.skops")
    with pytest.raises(ModelError, match=r"types that this server does not load: .*system"):
        load_model(folder)


def test_a_file_outside_the_folder_is_not_opened(
    linear_folder: ModelFolder, tmp_path: Path
) -> None:
    folder = copy(linear_folder, tmp_path / "model")
    (folder / "model.skops").rename(tmp_path / "elsewhere")
    (folder / "model.skops").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ModelError, match="outside the model folder"):
        load_model(folder)


@pytest.mark.parametrize("name", ["registered_model_meta", "./registered_model_meta"])
def test_a_model_that_no_digest_covers_is_not_opened(
    linear_folder: ModelFolder, tmp_path: Path, name: str
) -> None:
    folder = copy(linear_folder, tmp_path / "model")
    document = yaml.safe_load((folder / "MLmodel").read_text())
    document["flavors"]["sklearn"]["pickled_model"] = name
    (folder / "MLmodel").write_text(yaml.safe_dump(document))
    (folder / "model.skops").rename(folder / name)
    with pytest.raises(ModelError, match="belongs to MLflow's client"):
        load_model(folder)


@pytest.mark.parametrize(
    ("file", "content", "complaint"),
    [
        ("MLmodel", None, "no file MLmodel"),
        ("MLmodel", b"[", "not YAML"),
        ("MLmodel", b"\xff", "cannot read MLmodel"),
        ("model.skops", None, "not in"),
        ("model.skops", b"PK\x03\x04half", "no readable skops file"),
        ("input_example.json", b"[]", "not a table"),
    ],
)
def test_a_broken_folder_is_refused_with_the_file_named(
    linear_folder: ModelFolder, tmp_path: Path, file: str, content: bytes | None, complaint: str
) -> None:
    folder = copy(linear_folder, tmp_path / "model")
    if content is None:
        (folder / file).unlink()
    else:
        (folder / file).write_bytes(content)
    with pytest.raises(ModelError, match=complaint):
        load_model(folder)


def test_a_model_that_cannot_predict_its_example_is_refused(
    linear_folder: ModelFolder, tmp_path: Path
) -> None:
    folder = copy(linear_folder, tmp_path / "model")
    estimator = GaussianNB().fit([[0.0, 1.0], [1.0, 0.0]], [0, 1])
    skops.io.dump(estimator, folder / "model.skops")
    with pytest.raises(ModelError, match="cannot predict its own input example"):
        load_model(folder)


def test_a_model_without_an_example_is_served_all_the_same(
    linear_folder: ModelFolder, tmp_path: Path
) -> None:
    folder = copy(linear_folder, tmp_path / "model", saved_input_example_info=None)
    loaded = load_model(folder)
    assert (loaded.example, loaded.takes_arrays, loaded.problem) == ([], True, "")


def test_a_model_whose_example_does_not_fit_is_served_all_the_same(
    linear_folder: ModelFolder, tmp_path: Path
) -> None:
    folder = copy(linear_folder, tmp_path / "model")
    example = (folder / "input_example.json").read_text().replace("alcohol", "strength")
    (folder / "input_example.json").write_text(example)
    loaded = load_model(folder)
    assert loaded.example == []
    assert "records.0.alcohol: Field required" in loaded.problem
    table, _ = loaded.reader.read({"records": linear_folder.records(1)})
    assert len(loaded.predictor.predict(table).values) == 1


FRAME = pd.DataFrame({"a": [0.0, 1.0] * 4, "b": [1.0, 0.0] * 4})
CLASSES = [0, 1] * 4
FITTED = GaussianNB().fit(FRAME, CLASSES)


@pytest.mark.parametrize(
    ("estimator", "names", "said"),
    [
        pytest.param(FITTED, ["a", "b"], "", id="the same"),
        pytest.param(FITTED, ["b", "a"], "in another order", id="another order"),
        pytest.param(FITTED, ["a"], "fitted with 'b', which the signature has not", id="fewer"),
        pytest.param(FITTED, ["a", "b", "c"], "the signature has 'c', which the", id="more"),
        pytest.param(GaussianNB().fit([[0], [1]], [0, 1]), ["x"], "", id="as many without names"),
        pytest.param(
            make_pipeline(GridSearchCV(GaussianNB(), {"var_smoothing": [1e-9]}, cv=2)).fit(
                FRAME.to_numpy(), CLASSES
            ),
            ["a"],
            "fitted with 2 columns, the signature has 1",
            id="a search in a pipeline",
        ),
        pytest.param(
            make_pipeline(make_column_transformer(("passthrough", ["a"])), GaussianNB()).fit(
                FRAME, CLASSES
            ),
            ["a", "c"],
            "",
            id="it picks its columns itself",
        ),
        pytest.param(GaussianNB(), ["a"], "", id="never fitted"),
        pytest.param(Pipeline([("nothing", "passthrough")]), ["a"], "", id="nothing in it"),
    ],
)
def test_columns_are_compared_with_those_that_it_was_fitted_with(
    estimator: BaseEstimator, names: list[str], said: str
) -> None:
    found = describe_mismatch(estimator, names)
    assert said in found
    assert bool(said) is bool(found)


def test_another_scikit_learn_is_worth_a_warning(
    linear_folder: ModelFolder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = copy(linear_folder, tmp_path / "model")
    text = (folder / "MLmodel").read_text()
    (folder / "MLmodel").write_text(text.replace("sklearn_version: ", "sklearn_version: 0."))
    load_model(folder)
    assert "was written with scikit-learn 0." in caplog.text
