"""What the shares of rows are, model by model; the library that finds them is the real one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_diabetes, load_wine
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, PoissonRegressor, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from regisseur_serving.adapters import explaining_child, model_explainer
from regisseur_serving.adapters.exact_shares import InexactError
from regisseur_serving.adapters.loading import load_model
from regisseur_serving.adapters.model_explainer import ModelExplainer
from regisseur_serving.core.explaining import TooManyRowsError, UnexplainableError
from support.model_folders import ModelFolder, save

pytestmark = pytest.mark.timeout(60, func_only=True)
"""Most of that is for imports on a busy machine."""

WINE, CLASSES = load_wine(return_X_y=True, as_frame=True)
DIABETES, PROGRESS = load_diabetes(return_X_y=True, as_frame=True)
GAPS = WINE.mask(
    (np.arange(WINE.size).reshape(WINE.shape) % 7 == 0) & (WINE.index.to_numpy() > 1)[:, np.newaxis]
)
MIXED = pd.DataFrame({"size": [1, 2, 3, 4] * 5, "color": ["red", "blue"] * 10})
ENCODED = make_column_transformer((OneHotEncoder(), ["color"]), remainder="passthrough")
STAMPS = pd.DataFrame({"when": 1.7e9 + np.arange(100) * 60.0, "size": np.arange(100) % 7.0})


@dataclass(frozen=True)
class Case:
    """A model, and how it is explained."""

    model: Any
    data: Any
    target: Any
    method: str
    explained: str
    answer: str
    outputs: Sequence[object]


CASES = {
    "a forest": Case(
        RandomForestClassifier(20, random_state=0),
        *(WINE, CLASSES, "tree", "probability", "predict_proba", [0, 1, 2]),
    ),
    "a tree of texts": Case(
        DecisionTreeClassifier(random_state=0),
        *(WINE, CLASSES.map(["a", "b", "c"].__getitem__), "tree", "probability"),
        *("predict_proba", ["a", "b", "c"]),
    ),
    "extra trees of two outputs": Case(
        ExtraTreesRegressor(10, random_state=0),
        *(DIABETES, np.c_[PROGRESS, -PROGRESS], "tree", "value", "predict", ["0", "1"]),
    ),
    "histogram boosting of gaps": Case(
        HistGradientBoostingClassifier(max_iter=5, random_state=0),
        *(GAPS, CLASSES, "tree", "margin", "decision_function", [0, 1, 2]),
    ),
    "boosting of two classes": Case(
        GradientBoostingClassifier(n_estimators=5, random_state=0),
        *(WINE, CLASSES == 1, "tree", "margin", "decision_function", [True]),
    ),
    "boosting of a number": Case(
        GradientBoostingRegressor(n_estimators=10, random_state=0),
        *(DIABETES, PROGRESS, "tree", "value", "predict", ["predict"]),
    ),
    "boosting of three classes": Case(
        GradientBoostingClassifier(n_estimators=5, random_state=0),
        *(WINE, CLASSES, "permutation", "probability", "predict_proba", [0, 1, 2]),
    ),
    "boosting of counts": Case(
        HistGradientBoostingRegressor(loss="poisson", max_iter=5, random_state=0),
        *(DIABETES, PROGRESS, "permutation", "value", "predict", ["predict"]),
    ),
    "a scaled linear one": Case(
        make_pipeline(StandardScaler(), LogisticRegression()),
        *(WINE, CLASSES, "linear", "margin", "decision_function", [0, 1, 2]),
    ),
    "one of gaps that are filled": Case(
        make_pipeline(SimpleImputer(), "passthrough", StandardScaler(), Ridge()),
        *(GAPS, CLASSES, "linear", "value", "predict", ["predict"]),
    ),
    "a linear one of arrays": Case(
        Ridge(), DIABETES.to_numpy(), PROGRESS, "linear", "value", "predict", ["predict"]
    ),
    "a linear one that was searched for": Case(
        GridSearchCV(make_pipeline(StandardScaler(), Ridge()), {"ridge__alpha": [1, 2]}, cv=2),
        *(DIABETES, PROGRESS, "linear", "value", "predict", ["predict"]),
    ),
    "a linear one of two outputs": Case(
        LinearRegression(),
        *(WINE, WINE[["alcohol", "hue"]], "linear", "value", "predict", ["0", "1"]),
    ),
    "one that is linear only inside": Case(
        PoissonRegressor(),
        *(DIABETES, PROGRESS, "permutation", "value", "predict", ["predict"]),
    ),
    "a linear one of products": Case(
        make_pipeline(PolynomialFeatures(), Ridge()),
        *(DIABETES.iloc[:, :4], PROGRESS, "permutation", "value", "predict", ["predict"]),
    ),
    "a support vector machine": Case(
        SVC(), WINE, CLASSES, "permutation", "margin", "decision_function", [0, 1, 2]
    ),
    "neighbours": Case(
        KNeighborsClassifier(),
        *(WINE, CLASSES, "permutation", "probability", "predict_proba", [0, 1, 2]),
    ),
    "neighbours in time": Case(
        KNeighborsClassifier(),
        *(STAMPS, STAMPS["when"] > 1.7e9 + 30, "permutation", "probability"),
        *("predict_proba", [False, True]),
    ),
    "columns of several kinds": Case(
        make_pipeline(ENCODED, LogisticRegression()),
        *(MIXED, MIXED["color"], "permutation", "probability", "predict_proba", ["blue", "red"]),
    ),
    "one that finds outliers": Case(
        IsolationForest(n_estimators=10, random_state=0),
        *(WINE, None, "permutation", "margin", "decision_function", ["predict"]),
    ),
}


def open_model(folder: ModelFolder, *, budget_seconds: float = 5.0) -> ModelExplainer:
    """Return what explains the model of a folder."""
    return ModelExplainer(folder.path, budget_seconds=budget_seconds, trusts_pickle=False)


def explain(folder: ModelFolder, rows: Any) -> dict[str, Any]:  # noqa: ANN401 - a frame or an array
    """Return the explanation of rows that a request could hold."""
    explainer = open_model(folder)
    reader = load_model(folder.path).reader
    if isinstance(rows, np.ndarray):
        return explainer.explain(reader.read({"rows": rows.tolist()})[0])
    records = rows.astype(object).where(rows.notna(), None).to_dict("records")
    return explainer.explain(reader.read({"records": records})[0])


@pytest.mark.parametrize("name", CASES)
def test_shares_add_up_to_what_the_model_answers(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    folder = save(case.model, case.data, case.target, tmp_path / "model")
    rows = case.data[3:7]
    found = explain(folder, rows)
    assert (found["method"], found["explained"]) == (case.method, case.explained)
    assert found["output_names"] == case.outputs
    columns = getattr(case.data, "columns", range(case.data.shape[1]))
    assert list(found["feature_names"]) == [str(column) for column in columns]
    assert found["values"].shape == (4, case.data.shape[1], len(case.outputs))
    assert found["base_values"].shape == (len(case.outputs),)
    answers = getattr(case.model, case.answer)(rows).reshape(4, -1)
    sums = found["base_values"] + found["values"].sum(axis=1)
    np.testing.assert_allclose(sums, answers, rtol=1e-9, atol=1e-12)
    assert np.any(found["values"])
    predictions = case.model.predict(rows)
    is_number = predictions.dtype.kind == "f"
    same = np.allclose if is_number else np.array_equal
    assert same(found["predictions"], predictions)


def test_a_column_that_decides_has_the_share(tmp_path: Path) -> None:
    """Its values lie closer together than the library can tell apart by itself."""
    case = CASES["neighbours in time"]
    folder = save(case.model, case.data, case.target, tmp_path / "model")
    (shares,) = explain(folder, STAMPS[50:51])["values"]
    assert abs(shares[0, 1]) > abs(shares[1, 1])


def test_the_same_row_is_explained_the_same_beside_others(tmp_path: Path) -> None:
    case = CASES["a support vector machine"]
    folder = save(case.model, case.data, case.target, tmp_path / "model")
    together, alone = explain(folder, WINE[5:8]), explain(folder, WINE[6:7])
    assert np.array_equal(together["values"][1], alone["values"][0])


def test_more_rows_than_fit_are_refused(tmp_path: Path) -> None:
    case = CASES["a support vector machine"]
    folder = save(case.model, case.data, case.target, tmp_path / "model")
    explainer = open_model(folder, budget_seconds=0.1)
    with pytest.raises(TooManyRowsError) as caught:
        explainer.explain(np.zeros((10_000, 13)))
    assert 0 < caught.value.most < 1000


def test_a_model_that_is_too_slow_for_the_budget_is_not_explained(tmp_path: Path) -> None:
    case = CASES["a support vector machine"]
    folder = save(case.model, case.data, case.target, tmp_path / "model")
    with pytest.raises(UnexplainableError, match=r"one row takes about .* s, .*raise the budget"):
        open_model(folder, budget_seconds=1e-6)


def forget_example(folder: ModelFolder) -> ModelFolder:
    """Take its input example away from a model."""
    document = yaml.safe_load((folder.path / "MLmodel").read_text())
    document["saved_input_example_info"] = None
    (folder.path / "MLmodel").write_text(yaml.safe_dump(document))
    return folder


def test_trees_need_no_example(tmp_path: Path) -> None:
    case = CASES["a forest"]
    folder = forget_example(save(case.model, case.data, case.target, tmp_path / "model"))
    assert open_model(folder).method == "tree"


def test_other_models_need_an_example(tmp_path: Path) -> None:
    case = CASES["a scaled linear one"]
    folder = forget_example(save(case.model, case.data, case.target, tmp_path / "model"))
    with pytest.raises(UnexplainableError, match="no input example to compare rows with"):
        open_model(folder)


def test_rows_of_the_example_that_no_request_can_hold_are_passed_over(
    summing_folder: ModelFolder,
) -> None:
    """It has a gap in its first row, which MLflow writes as a number that JSON has not."""
    explainer = open_model(summing_folder)
    table, _ = load_model(summing_folder.path).reader.read(
        {"records": summing_folder.records(2)[1:]}
    )
    found = explainer.explain(table)
    assert (found["method"], found["values"].shape) == ("permutation", (1, 7, 1))


def make_clusters(path: Path) -> ModelFolder:
    """Return a model that answers no number."""
    return save(KMeans(2, n_init=1, random_state=0), WINE, None, path)


def make_labels(path: Path) -> ModelFolder:
    """Return a model that answers two labels a row."""
    labels = np.c_[CLASSES, CLASSES == 1]
    return save(RandomForestClassifier(3, random_state=0), WINE, labels, path)


@pytest.mark.parametrize("make", [make_clusters, make_labels])
def test_a_model_that_answers_no_numbers_is_not_explained(
    make: Callable[[Path], ModelFolder], tmp_path: Path
) -> None:
    with pytest.raises(UnexplainableError, match="the model answers no numbers"):
        open_model(make(tmp_path / "model"))


def test_a_model_of_texts_is_not_explained(text_folder: ModelFolder) -> None:
    with pytest.raises(UnexplainableError, match="the model takes one text a row"):
        open_model(text_folder)


def test_a_fault_that_nobody_foresaw_is_told_by_its_type_alone(
    linear_folder: ModelFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a value")

    # The rest of the tests goes on with the threads that it has.
    monkeypatch.setattr(explaining_child, "threadpool_limits", lambda _: None)
    monkeypatch.setattr(model_explainer, "find_exact_way", fail)
    with pytest.raises(UnexplainableError, match=r"^trying to has failed \(RuntimeError\)$"):
        explaining_child._open(linear_folder.path, 5.0, trusts_pickle=False)


def test_what_the_model_refuses_is_refused(linear_folder: ModelFolder) -> None:
    rows: NDArray[np.float64] = np.full((1, 13), np.nan)
    with pytest.raises(ValueError, match="NaN"):
        open_model(linear_folder).explain(rows)


def test_shares_that_are_not_of_the_answer_are_not_told(
    forest_folder: ModelFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    explainer = open_model(forest_folder)
    trees = explainer._way.output.predictor.estimator
    monkeypatch.setattr(trees, "predict_proba", lambda rows: np.zeros((len(rows), 3)))
    monkeypatch.setattr(
        explainer._way.output.predictor, "_method", lambda rows: np.zeros((len(rows), 3))
    )
    with pytest.raises(InexactError):
        explainer.explain(WINE.head(1).to_numpy())
