"""Fit the models of the benchmark and keep them as the servers want them.

Run by the python of each environment, so that no server unpickles what another version wrote:
`python fit.py FOLDER` writes `<model>.joblib` and `<model>.json` with rows to send;
`python fit.py FOLDER --mlflow` writes the MLflow model folder `<model>/model` as well.
"""

import json
import sys
import warnings
from pathlib import Path
from typing import Any, TypeAlias

import joblib
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

_ROWS = 32

Estimator: TypeAlias = Any
Frame: TypeAlias = Any
"""Pandas is another version in each environment."""


def fit_all() -> dict[str, tuple[Estimator, Frame]]:
    """Return the fitted models by name, with the data that they were fitted on."""
    estimators = {
        "M1": (make_pipeline(StandardScaler(), LogisticRegression()), load_breast_cancer),
        "M2": (RandomForestClassifier(n_estimators=100, random_state=0), load_wine),
        "M3": (GradientBoostingRegressor(random_state=0), load_diabetes),
    }
    fitted = {}
    for name, (estimator, load) in estimators.items():
        data, target = load(return_X_y=True, as_frame=True)
        fitted[name] = (estimator.fit(data, target), data)
    return fitted


def main() -> None:
    """Write everything."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, (estimator, data) in fit_all().items():
        joblib.dump(estimator, folder / f"{name}.joblib")
        rows = {"columns": list(data.columns), "data": data.head(_ROWS).to_numpy().tolist()}
        (folder / f"{name}.json").write_text(json.dumps(rows))
        if "--mlflow" in sys.argv:
            save_for_mlflow(estimator, data, folder / name / "model")


def save_for_mlflow(estimator: Estimator, data: Frame, path: Path) -> None:
    """Write a model folder, in the format that runs no code when it is loaded."""
    with warnings.catch_warnings(action="ignore"):
        import mlflow.models  # noqa: PLC0415 - only one of the environments has it
        import mlflow.sklearn  # noqa: PLC0415
        import skops.io  # noqa: PLC0415

        types = skops.io.get_untrusted_types(data=skops.io.dumps(estimator))
        mlflow.sklearn.save_model(
            estimator,
            path,
            signature=mlflow.models.infer_signature(data, estimator.predict(data)),
            input_example=data.head(2),
            serialization_format="skops",
            skops_trusted_types=types,
            pip_requirements=["scikit-learn"],
        )


if __name__ == "__main__":
    main()
