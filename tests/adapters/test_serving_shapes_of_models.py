"""What an estimator takes and answers is found out when it is loaded."""

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.naive_bayes import BernoulliNB, GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from regisseur_serving.adapters.loading import LoadedModel, load_model
from support.model_folders import ModelFolder, save

RNG = np.random.default_rng(0)
NUMBERS = RNG.normal(size=(40, 3))
CLASSES = NUMBERS.sum(axis=1) > 0
NAMES = np.where(CLASSES, "pos", "neg")
FRAME = pd.DataFrame(NUMBERS, columns=["a", "b", "c"])
TEXTS = np.array(["a good film", "so bad"] * 20)


def edit(folder: ModelFolder, change: Callable[[dict[str, Any]], object]) -> Path:
    path = folder.path / "MLmodel"
    document = yaml.safe_load(path.read_text())
    change(document)
    path.write_text(yaml.safe_dump(document))
    return folder.path


def forget(document: dict[str, Any]) -> None:
    """Leave a model without signature and example."""
    del document["signature"], document["saved_input_example_info"]


def predict(loaded: LoadedModel, rows: list[Any]) -> Any:  # noqa: ANN401 - of any model
    """Predict rows of values as a client of MLflow sends them; no warning is heard of it."""
    with warnings.catch_warnings(action="error"):
        table, _ = loaded.invocations.read_json({"inputs": rows})
        values = loaded.predictor.predict(table).values
    return values.tolist() if isinstance(values, np.ndarray) else values


KINDS: list[Any] = [
    pytest.param(LogisticRegression(), NUMBERS.astype(np.float32), CLASSES, id="32 bits"),
    pytest.param(GaussianNB(), (NUMBERS * 100).astype(np.int64), CLASSES, id="integers"),
    pytest.param(GaussianNB(), (NUMBERS * 9).astype(np.int8), NAMES, id="small integers"),
    pytest.param(BernoulliNB(), NUMBERS > 0, CLASSES, id="truth values"),
    pytest.param(LinearRegression(), NUMBERS[:, :1], NUMBERS, id="one column, three outputs"),
    pytest.param(
        MultiOutputClassifier(GaussianNB()),
        NUMBERS,
        np.column_stack([NAMES, np.roll(NAMES, 1)]),
        id="several labels",
    ),
    pytest.param(
        make_pipeline(OneHotEncoder(), LogisticRegression()),
        np.array([["red", "x"], ["blue", "y"]] * 20, dtype=object),
        NAMES,
        id="objects",
    ),
    pytest.param(make_pipeline(TfidfVectorizer(), LogisticRegression()), TEXTS, NAMES, id="texts"),
]


@pytest.mark.parametrize(("estimator", "data", "target"), KINDS)
def test_an_array_is_predicted_as_it_was_before(
    estimator: Any,  # noqa: ANN401 - of scikit-learn
    data: Any,  # noqa: ANN401 - an array of any type
    target: Any,  # noqa: ANN401 - an array of any type
    tmp_path: Path,
) -> None:
    folder = save(estimator, data, target, tmp_path / "model")
    loaded = load_model(folder.path)
    assert predict(loaded, data.tolist()) == folder.predictions
    assert len(loaded.example) == 2
    forgetful = load_model(edit(folder, forget))
    assert predict(forgetful, data.tolist()) == folder.predictions


def test_without_a_signature_the_columns_of_the_fit_have_their_names(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = save(LogisticRegression(), FRAME, NAMES, tmp_path / "model", is_described=False)
    loaded = load_model(folder.path)
    assert "the model has no signature" in caplog.text
    assert loaded.mlmodel.signature.names == ("a", "b", "c")
    assert loaded.takes_arrays
    assert predict(loaded, FRAME.to_dict("records")) == folder.predictions
    assert predict(loaded, NUMBERS.tolist()) == folder.predictions


@pytest.mark.parametrize("is_forgotten", [True, False])
def test_an_array_is_for_columns_with_names_too(tmp_path: Path, *, is_forgotten: bool) -> None:
    columns = make_column_transformer((StandardScaler(), ["a", "b"]), remainder="drop")
    estimator = make_pipeline(columns, LogisticRegression())
    folder = save(estimator, FRAME, NAMES, tmp_path / "model")
    if is_forgotten:
        edit(folder, forget)
    else:
        tensor = {"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 3]}}
        edit(folder, lambda document: document["signature"].update(inputs=json.dumps([tensor])))
    loaded = load_model(folder.path)
    assert predict(loaded, NUMBERS.tolist()) == folder.predictions
    assert not loaded.problem


@pytest.mark.parametrize("is_forgotten", [True, False])
def test_texts_in_a_column_go_in_as_a_list(tmp_path: Path, *, is_forgotten: bool) -> None:
    folder = save(
        make_pipeline(TfidfVectorizer(), LogisticRegression()), TEXTS, NAMES, tmp_path / "model"
    )
    column = json.dumps([{"name": "review", "type": "string", "required": True}])
    edit(folder, lambda document: document["signature"].update(inputs=column))
    if is_forgotten:
        edit(folder, lambda document: document.pop("saved_input_example_info"))
    loaded = load_model(folder.path)
    records = [{"review": text} for text in TEXTS]
    table, _ = loaded.reader.read({"records": records})
    assert loaded.predictor.predict(table).values == folder.predictions


def test_a_text_column_among_others_goes_in_as_a_frame(tmp_path: Path) -> None:
    data = FRAME.assign(review=TEXTS)
    columns = make_column_transformer((TfidfVectorizer(), "review"), remainder="passthrough")
    estimator = make_pipeline(columns, LogisticRegression())
    folder = save(estimator, data, NAMES, tmp_path / "model")
    loaded = load_model(folder.path)
    assert predict(loaded, data.to_dict("records")) == folder.predictions


def test_a_text_column_of_a_table_stays_one(tmp_path: Path) -> None:
    estimator = make_pipeline(OneHotEncoder(), LogisticRegression())
    folder = save(estimator, pd.DataFrame({"word": TEXTS}), NAMES, tmp_path / "model")
    loaded = load_model(folder.path)
    assert predict(loaded, [{"word": text} for text in TEXTS]) == folder.predictions


@pytest.mark.parametrize("values", [[None, "good"], [None]])
def test_a_text_that_is_missing_is_a_value_that_cannot_be_predicted(
    text_folder: ModelFolder, values: list[Any]
) -> None:
    with pytest.raises(ValueError, match=r"^(AttributeError|ValueError)$"):
        predict(load_model(text_folder.path), values)


def test_probabilities_can_be_the_prediction(tmp_path: Path) -> None:
    folder = save(LogisticRegression(), FRAME, NAMES, tmp_path / "m", method="predict_proba")
    loaded = load_model(folder.path)
    np.testing.assert_allclose(predict(loaded, FRAME.to_dict("records")), folder.predictions)
    assert loaded.predictor.classes == ["neg", "pos"]


def test_probabilities_of_several_outputs_are_rows(tmp_path: Path) -> None:
    forest = RandomForestClassifier(n_estimators=3, random_state=0)
    targets = np.column_stack([CLASSES, np.roll(CLASSES, 1)])
    folder = save(forest, FRAME, targets, tmp_path / "model")
    edit(folder, lambda document: _methods(document).update(predict_fn="predict_proba"))
    loaded = load_model(folder.path)
    found = np.array(predict(loaded, FRAME.to_dict("records")))
    assert found.shape == (40, 2, 2)
    np.testing.assert_array_equal(found[:, 1], forest.predict_proba(FRAME)[1])
    assert loaded.predictor.classes is None


def test_sparse_answers_are_rows(tmp_path: Path) -> None:
    labels = np.column_stack([CLASSES, ~CLASSES, CLASSES]).astype(int)
    folder = save(OneVsRestClassifier(LogisticRegression()), FRAME, labels, tmp_path / "model")
    assert predict(load_model(folder.path), FRAME.to_dict("records")) == folder.predictions


def _methods(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["flavors"]["python_function"]
    return found


EXAMPLES: list[Any] = [
    pytest.param([[1.0, 2.0, 3.0]], "ndarray", 1, id="an array for columns with names"),
    pytest.param({"data": [[1.0, 2.0, 3.0]]}, "dataframe", 1, id="a frame without names"),
    pytest.param([{"a": 1, "b": 2, "c": 3}], "json_object", 1, id="records"),
    pytest.param({"prompt": "x"}, "json_object", 0, id="something else"),
    pytest.param("x", "json_object", 0, id="a text"),
    pytest.param([[1.0]], "sparse_matrix_csr", 0, id="a kind that has no rows"),
]


@pytest.mark.parametrize(("example", "kind", "rows"), EXAMPLES)
def test_an_example_is_used_where_it_is_rows(
    tmp_path: Path, example: object, kind: str, rows: int
) -> None:
    path = tmp_path / "model"
    folder = save(LogisticRegression(), FRAME, NAMES, path)
    edit(folder, lambda document: document["saved_input_example_info"].update(type=kind))
    (path / "input_example.json").write_text(json.dumps(example))
    loaded = load_model(path)
    assert (len(loaded.example), loaded.problem) == (rows, "")
