"""Requests of many clients at once get the answers that each would get alone."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from support.model_folders import ModelFolder
from support.serving_process import Reply, ServingProcess

pytestmark = pytest.mark.timeout(60, func_only=True)

CLIENTS = 16
REQUESTS = 160


@pytest.fixture(scope="module", params=["linear_folder", "forest_folder", "mixed_folder"])
def folder(request: pytest.FixtureRequest) -> ModelFolder:
    found: ModelFolder = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="module")
def server(
    folder: ModelFolder, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServingProcess]:
    with ServingProcess(folder.path, tmp_path_factory.mktemp("batches")) as process:
        process.wait_until_ready()
        yield process


def test_many_clients_get_what_each_gets_alone(folder: ModelFolder, server: ServingProcess) -> None:
    records = folder.records(20)
    bodies = [
        {"records": records[number % 7 : number % 7 + 1 + number % 5], "probabilities": True}
        for number in range(20)
    ]
    alone = [server.ask("/predict", body).json for body in bodies]

    answers = send_together(lambda number: server.ask("/predict", bodies[number % 20]))

    for number, answer in enumerate(answers):
        assert answer.status == 200
        expected = alone[number % 20]
        assert answer.json["predictions"] == expected["predictions"]
        np.testing.assert_allclose(
            answer.json["probabilities"], expected["probabilities"], rtol=1e-12, atol=1e-12
        )


def test_who_sends_nonsense_fails_alone(folder: ModelFolder, server: ServingProcess) -> None:
    good = folder.records(1)
    bad: list[dict[str, Any]] = [{}]

    def send(number: int) -> Reply:
        return server.ask("/predict", {"records": bad if number % 4 == 0 else good})

    statuses = [answer.status for answer in send_together(send)]

    assert statuses == [422 if number % 4 == 0 else 200 for number in range(REQUESTS)]


def test_a_row_that_only_the_model_refuses_fails_alone(
    linear_folder: ModelFolder, tmp_path: Path
) -> None:
    columns = list(linear_folder.data.columns)
    good = linear_folder.data.head(1).to_numpy().ravel().tolist()
    bad = [None, *good[1:]]  # it is NaN to the model, which a logistic regression refuses

    with ServingProcess(linear_folder.path, tmp_path) as server:
        server.wait_until_ready()

        def send(number: int) -> Reply:
            row = bad if number % 3 == 0 else good
            frame = {"columns": columns, "data": [row]}
            return server.ask("/invocations", {"dataframe_split": frame})

        answers = send_together(send)

    for number, answer in enumerate(answers):
        assert answer.status == (400 if number % 3 == 0 else 200)
        if answer.status == 200:
            assert json.loads(answer.body) == {"predictions": linear_folder.predictions[:1]}


def send_together(send: Callable[[int], Reply]) -> list[Reply]:
    with ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(send, range(REQUESTS)))
