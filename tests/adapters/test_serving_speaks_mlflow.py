"""MLflow's own client works unchanged against the running server."""

import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from support.model_folders import ModelFolder
from support.serving_process import ServingProcess

pytestmark = pytest.mark.timeout(60, func_only=True)
"""MLflow's client takes seconds to import on a busy machine."""

KINDS = ["linear_folder", "forest_folder", "mixed_folder"]


@pytest.fixture(scope="module", params=KINDS)
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[ServingProcess, ModelFolder]]:
    """Return a server and the model that it serves."""
    folder: ModelFolder = request.getfixturevalue(request.param)
    with ServingProcess(folder.path, tmp_path_factory.mktemp(request.param)) as server:
        server.wait_until_ready()
        yield server, folder


def client_of(server: ServingProcess) -> Any:  # noqa: ANN401 - MLflow comes without types
    with warnings.catch_warnings(action="ignore"):  # MLflow's own, on import
        from mlflow.pyfunc.scoring_server.client import ScoringServerClient  # noqa: PLC0415

    return ScoringServerClient("127.0.0.1", server.port)  # type: ignore[no-untyped-call]


def test_the_client_gets_what_the_model_predicts(
    served: tuple[ServingProcess, ModelFolder],
) -> None:
    server, folder = served
    client = client_of(server)

    client.ping()  # raises unless the answer is 200
    answer = client.invoke(folder.data.head(20))

    found: pd.DataFrame = answer.get_predictions()
    assert found.iloc[:, 0].tolist() == folder.predictions[:20]


BODIES = ("split", "records", "list")


@pytest.mark.parametrize("orient", BODIES)
def test_what_pandas_writes_is_understood(
    served: tuple[ServingProcess, ModelFolder], orient: str
) -> None:
    server, folder = served
    field = {"split": "dataframe_split", "records": "dataframe_records", "list": "inputs"}[orient]
    content = json.loads(folder.data.head(3).to_json(orient="split"))
    if orient != "split":
        content = json.loads(json.dumps(folder.data.head(3).to_dict(orient=orient)))  # type: ignore[call-overload]

    answer = server.ask("/invocations", {field: content})

    assert answer.status == 200
    assert answer.json == {"predictions": folder.predictions[:3]}


def test_csv_that_pandas_writes_is_understood(
    served: tuple[ServingProcess, ModelFolder], tmp_path: Path
) -> None:
    server, folder = served
    file = tmp_path / "rows.csv"
    folder.data.head(5).to_csv(file)

    answer = server.send("/invocations", file.read_bytes(), {"Content-Type": "text/csv"})

    assert answer.status == 200
    assert answer.json == {"predictions": folder.predictions[:5]}


def test_the_client_is_told_what_is_wrong(served: tuple[ServingProcess, ModelFolder]) -> None:
    server, folder = served
    client = client_of(server)
    frame = folder.data.head(2).rename(columns=lambda name: f"not {name}")

    with pytest.raises(Exception, match="Failed to enforce schema"):
        client.invoke(frame)
