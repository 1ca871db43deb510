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
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from regisseur_serving.core.trusted_types import TRUSTED_TYPES


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
    return save(model, data, target, _new(tmp_path_factory, "linear"))


@pytest.fixture(scope="session")
def forest_folder(tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    """Return a model that is slow enough for its own thread."""
    data, target = _wine()
    model = RandomForestClassifier(n_estimators=50, random_state=0)
    return save(model, data, target, _new(tmp_path_factory, "forest"))


@pytest.fixture(scope="session")
def mixed_folder(tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    """Return a model that takes text besides numbers and answers text."""
    data = pd.DataFrame({"size": [1, 2, 3, 4] * 5, "color": ["red", "blue"] * 10})
    target = data["color"] + data["size"].astype(str)
    columns = make_column_transformer(
        (OneHotEncoder(), ["color"]), remainder="passthrough", verbose_feature_names_out=False
    )
    model = make_pipeline(columns, LogisticRegression(max_iter=1000))
    return save(model, data, target, _new(tmp_path_factory, "mixed"))


@pytest.fixture(scope="session")
def tensor_folder(tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    """Return a model that was logged with an array."""
    data, target = _wine()
    model = make_pipeline(StandardScaler(), LogisticRegression())
    rows = data.to_numpy()
    return save(model, rows, target, _new(tmp_path_factory, "tensor"))


@pytest.fixture(scope="session")
def unsigned_folder(tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    """Return a model that was logged with an array, and without signature or example."""
    data, target = _wine()
    path = _new(tmp_path_factory, "unsigned")
    return save(GaussianNB(), data.to_numpy(), target, path, is_described=False)


@pytest.fixture(scope="session")
def text_folder(tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    """Return a model that was fitted with texts, and logged with an array of some."""
    texts = np.array(["a good film", "so bad", "really good", "bad, bad"] * 3)
    moods = np.array(["glad", "sad"] * 6)
    model = make_pipeline(TfidfVectorizer(), LogisticRegression())
    return save(model, texts, moods, _new(tmp_path_factory, "text"))


@pytest.fixture(scope="session")
def price_folder(tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    """Return a regressor that takes text, numbers and truth values."""
    data = pd.DataFrame(
        {
            "city": ["Köln", "Bonn", "Köln", "Trier"] * 5,
            "rooms": np.arange(20) % 4,
            "area": np.linspace(20, 99.5, 20),
            "is_new": [True, False] * 10,
        }
    )
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["city"]),
        (StandardScaler(), ["rooms", "area"]),
        remainder="passthrough",
    )
    price = data["area"] * 9 + data["rooms"] + data["is_new"]
    return save(make_pipeline(columns, Ridge()), data, price, _new(tmp_path_factory, "price"))


@pytest.fixture(scope="session")
def outputs_folder(tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    """Return a regressor with two outputs."""
    data, _ = _wine()
    targets = data[["alcohol", "hue"]] * 2
    return save(LinearRegression(), data, targets, _new(tmp_path_factory, "outputs"))


def _new(factory: pytest.TempPathFactory, name: str) -> Path:
    return factory.mktemp(name) / "model"


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
    return save(model, data, target, _new(tmp_path_factory, "summing"))


def _wine() -> tuple[pd.DataFrame, "pd.Series[int]"]:
    return load_wine(return_X_y=True, as_frame=True)  # type: ignore[no-any-return]


def save(
    model: Any,  # noqa: ANN401 - of scikit-learn
    data: Any,  # noqa: ANN401 - a frame or an array
    target: Any,  # noqa: ANN401 - a column, a frame or an array
    path: Path,
    *,
    is_described: bool = True,
    method: str = "predict",
    serialization_format: str = "skops",
) -> ModelFolder:
    """Fit a model and save it as MLflow does.

    Args:
        model: An estimator.
        data: What it is fitted with: a frame or an array.
        target: What it learns to answer.
        path: Where the folder is made.
        is_described: Whether it gets a signature and an example.
        method: What MLflow calls for a prediction.
        serialization_format: How the estimator is written.
    """
    model.fit(data, target)
    with warnings.catch_warnings(action="ignore"):  # MLflow's own, on import and on saving
        import mlflow.models  # noqa: PLC0415 - takes seconds, only these tests pay
        import mlflow.sklearn  # noqa: PLC0415

        predictions = getattr(model, method)(data)
        signature = mlflow.models.infer_signature(data, predictions) if is_described else None
        mlflow.sklearn.save_model(
            model,
            path,
            signature=signature,
            input_example=data[:2] if is_described else None,
            skops_trusted_types=list(TRUSTED_TYPES),
            pip_requirements=["scikit-learn"],
            pyfunc_predict_fn=method,
            serialization_format=serialization_format,
        )
    return ModelFolder(path, pd.DataFrame(data), predictions.tolist())
