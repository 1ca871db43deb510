"""What is sent: models, rows a request, connections."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

Json = dict[str, Any]


@dataclass(frozen=True, order=True)
class Load:
    """One kind of traffic.

    Attributes:
        model: M1, M2 or M3.
        rows: Rows of each request.
        connections: Clients that send their next request when they have their answer.
    """

    model: str
    rows: int
    connections: int

    def __str__(self) -> str:
        rows = "" if self.rows == 1 else f" {self.rows} rows"
        return f"{self.model}{rows} c={self.connections}"


MODELS: Final = {
    "M1": "StandardScaler + LogisticRegression, 30 features",
    "M2": "RandomForestClassifier(100), 13 features",
    "M3": "GradientBoostingRegressor, 10 features",
}

LOADS: Final = (
    Load("M1", 1, 1),
    Load("M1", 1, 16),
    Load("M1", 1, 64),
    Load("M1", 32, 16),
    Load("M2", 1, 1),
    Load("M2", 1, 64),
    Load("M2", 32, 16),
    Load("M3", 1, 1),
    Load("M3", 1, 64),
)


@dataclass(frozen=True)
class Sample:
    """Rows to send."""

    columns: list[str]
    data: list[list[float]]

    def head(self, rows: int) -> "Sample":
        """Return the first rows."""
        return Sample(self.columns, self.data[:rows])


def read_sample(folder: Path, model: str) -> Sample:
    """Read the rows that were kept with a model."""
    found = json.loads((folder / f"{model}.json").read_text())
    return Sample(found["columns"], found["data"])


Body = Callable[[Sample], Json]


def write_records(sample: Sample) -> Json:
    """Return the body of our server and of the tutorial's."""
    return {"records": [dict(zip(sample.columns, row, strict=True)) for row in sample.data]}


def write_split(sample: Sample) -> Json:
    """Return the body of MLflow's scoring protocol."""
    return {"dataframe_split": {"columns": sample.columns, "data": sample.data}}


def write_instances(sample: Sample) -> Json:
    """Return the body of KServe's V1 protocol."""
    return {"instances": sample.data}


def write_tensor(sample: Sample) -> Json:
    """Return the body of the Open Inference Protocol."""
    shape = [len(sample.data), len(sample.columns)]
    flat = [value for row in sample.data for value in row]
    return {"inputs": [{"name": "predict", "shape": shape, "datatype": "FP64", "data": flat}]}
