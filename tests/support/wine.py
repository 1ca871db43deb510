"""Models of the wine data set that the end-to-end tests register, trained in milliseconds."""

from dataclasses import dataclass
from typing import Any

from sklearn.base import ClassifierMixin
from sklearn.datasets import load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from support.model_versions import Registry, register_model_version
from support.served import Served

_DATA = load_wine(as_frame=True)


@dataclass(frozen=True)
class Wine:
    """A ModelDeployment that serves one of two good versions of its model."""

    served: Served
    versions: tuple[int, int]

    @property
    def now(self) -> int:
        """The version that is served."""
        return int(self.served.status["stable"]["version"])

    @property
    def other(self) -> int:
        """The version that is not served."""
        first, second = self.versions
        return second if self.now == first else first


def start_wine(served: Served, **spec: Any) -> Wine:
    """Register two versions, serve the first one and return when it is ready.

    Args:
        served: The ModelDeployment, not applied yet.
        spec: What its spec has beside the usual.
    """
    first = register_linear(served.registry, served.model)
    second = register_forest(served.registry, served.model)
    served.promote(first)
    served.deploy(**spec)
    served.wait_until_ready()
    return Wine(served, (first, second))


def register_linear(registry: Registry, model: str) -> int:
    """Register a logistic regression; return its version."""
    return _register(registry, model, make_pipeline(StandardScaler(), LogisticRegression()))


def register_forest(registry: Registry, model: str) -> int:
    """Register a small random forest; return its version."""
    return _register(registry, model, RandomForestClassifier(n_estimators=5, random_state=1))


def register_scaled_forest(registry: Registry, model: str) -> int:
    """Register a forest behind a scaler, which 32 bits answer otherwise; return its version."""
    forest = RandomForestClassifier(n_estimators=5, random_state=1)
    return _register(registry, model, make_pipeline(StandardScaler(), forest))


def _register(registry: Registry, model: str, estimator: ClassifierMixin) -> int:
    estimator.fit(_DATA.data, _DATA.target)
    return register_model_version(
        registry,
        model,
        estimator,
        input_example=_DATA.data.head(2),
        metrics={"test_accuracy": float(estimator.score(_DATA.data, _DATA.target))},
    )
