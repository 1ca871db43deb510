"""Model folders as MLflow writes them, made once a session."""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler


@dataclass(frozen=True)
class ModelFolder:
    """A saved model and what it predicts."""

    path: Path
    data: pd.DataFrame
    predictions: list[Any]

    def records(self, rows: int) -> list[dict[str, Any]]:
        """The first rows of the data, as a request holds them."""
        return [
            {str(name): value for name, value in record.items()}
            for record in self.data.head(rows).to_dict("records")
        ]


@pytest.fixture(scope="session")
def linear_folder(tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    """Return a model that is quick and takes numbers."""
    data, target = _wine()
    model = make_pipeline(StandardScaler(), LogisticRegression())
    return _save(model, data, target, tmp_path_factory.mktemp("linear") / "model")


@pytest.fixture(scope="session")
def forest_folder(tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    """Return a model that is slow enough for its own thread."""
    data, target = _wine()
    model = RandomForestClassifier(n_estimators=50, random_state=0)
    return _save(model, data, target, tmp_path_factory.mktemp("forest") / "model")


@pytest.fixture(scope="session")
def mixed_folder(tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    """Return a model that takes text besides numbers and answers text."""
    data = pd.DataFrame({"size": [1, 2, 3, 4] * 5, "color": ["red", "blue"] * 10})
    target = data["color"] + data["size"].astype(str)
    columns = make_column_transformer(
        (OneHotEncoder(), ["color"]), remainder="passthrough", verbose_feature_names_out=False
    )
    model = make_pipeline(columns, LogisticRegression(max_iter=1000))
    return _save(model, data, target, tmp_path_factory.mktemp("mixed") / "model")


WEIGHTS = {"flag": 1, "small": 2, "count": 4, "share": 8, "size": 16, "maybe": 32}
RED = 64


@pytest.fixture(scope="session")
def summing_folder(tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    """Return a model with a column of each type, whose answer shows what it was given.

    It adds its columns up by `WEIGHTS`, and `RED` where the color is red; a float that is missing
    counts for nothing. Its last column is optional.
    """
    numbers = np.random.default_rng(0).integers(0, 50, (60, len(WEIGHTS)))
    data = pd.DataFrame(numbers, columns=list(WEIGHTS)).assign(color=["red", "blue"] * 30)
    target = data[list(WEIGHTS)] @ pd.Series(WEIGHTS) + (data["color"] == "red") * RED
    data["flag"], data["small"] = data["flag"] % 2 == 1, data["small"].astype("int32")
    target = target - numbers[:, 0] + data["flag"]
    data = data.astype({"share": "float32", "size": "float64", "maybe": "float64"})
    data.loc[0, "maybe"], target[0] = np.nan, target[0] - numbers[0, 5] * WEIGHTS["maybe"]
    columns = make_column_transformer(
        (OneHotEncoder(categories=[["red"]], handle_unknown="ignore"), ["color"]),
        (SimpleImputer(strategy="constant", fill_value=0), ["share", "size", "maybe"]),
        remainder="passthrough",
        verbose_feature_names_out=False,
    )
    model = make_pipeline(columns, LinearRegression())
    return _save(model, data, target, tmp_path_factory.mktemp("summing") / "model")


def _wine() -> tuple[pd.DataFrame, "pd.Series[int]"]:
    return load_wine(return_X_y=True, as_frame=True)  # type: ignore[no-any-return]


def _save(model: Any, data: pd.DataFrame, target: Any, path: Path) -> ModelFolder:  # noqa: ANN401
    model.fit(data, target)
    with warnings.catch_warnings(action="ignore"):  # MLflow's own, on import and on saving
        import mlflow.models  # noqa: PLC0415 - takes seconds, only these tests pay
        import mlflow.sklearn  # noqa: PLC0415

        predictions = model.predict(data)
        mlflow.sklearn.save_model(
            model,
            path,
            signature=mlflow.models.infer_signature(data, predictions),
            input_example=data.head(2),
            skops_trusted_types=["sklearn.tree._tree.Tree", "numpy.dtype"],
            pip_requirements=["scikit-learn"],
        )
    return ModelFolder(path, data, predictions.tolist())
