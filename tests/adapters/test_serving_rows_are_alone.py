"""A row gets the same answer whatever the values of other rows are, and whatever is missing."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from regisseur_serving.adapters.sklearn_model import SklearnPredictor
from regisseur_serving.core.mlmodel import MLmodel, parse_mlmodel
from regisseur_serving.core.tables import TableReader

Json = dict[str, Any]


def describe(*inputs: Json) -> MLmodel:
    flavor = {"serialization_format": "skops", "sklearn_version": "1.9.1"}
    return parse_mlmodel(
        {"flavors": {"sklearn": flavor}, "signature": {"inputs": json.dumps(inputs)}}
    )


@pytest.fixture(scope="module")
def visitors() -> SklearnPredictor:
    """Return a model to which a city that is not told is a city of its own."""
    cities = pd.Series(["a", "b", None] * 20, dtype="str")
    data = pd.DataFrame({"age": np.arange(60.0) % 7, "city": cities})
    model = make_pipeline(
        make_column_transformer(
            (OneHotEncoder(handle_unknown="ignore"), ["city"]), remainder="passthrough"
        ),
        LogisticRegression(),
    )
    model.fit(data, cities.isna())
    mlmodel = describe(
        {"name": "age", "type": "double", "required": True},
        {"name": "city", "type": "string", "required": False},
    )
    predictor = SklearnPredictor(model, mlmodel)
    predictor.warm_up({"age": [1.0], "city": ["a"]})
    return predictor


@pytest.mark.parametrize("others", [[], ["a"], [None], ["b", None, "a"]])
def test_a_text_that_is_missing_is_the_same_alone_and_beside_others(
    visitors: SklearnPredictor, others: list[str | None]
) -> None:
    signature = describe(
        {"name": "age", "type": "double", "required": True},
        {"name": "city", "type": "string", "required": False},
    ).signature
    records = [{"age": 3.0, "city": city} for city in (None, *others)]
    table, _ = TableReader(signature).read({"records": records})

    prediction = visitors.predict(table, with_probabilities=True)

    assert prediction.values[0] is True or prediction.values[0] == np.True_
    assert prediction.probabilities is not None
    assert prediction.probabilities[0, 1] > 0.8


def test_an_estimator_whose_probabilities_never_work_has_none() -> None:
    data = pd.DataFrame({"a": np.arange(9.0)})
    model = GaussianProcessClassifier(multi_class="one_vs_one").fit(data, [0, 1, 2] * 3)
    predictor = SklearnPredictor(model, describe({"name": "a", "type": "double"}))

    predictor.warm_up(np.array([[1.0], [2.0]]))

    assert predictor.classes is None
    assert len(predictor.predict(np.array([[1.0]])).values) == 1
