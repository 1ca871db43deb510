"""Model servers that many tests of a module share: each is a process on a port of its own."""

from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import pytest

from support.eventually import eventually
from support.model_folders import ModelFolder
from support.serving_process import ServingProcess

EXPLAIN = {"REGISSEUR_EXPLAIN": "true"}
"""Nothing is started by it before somebody asks for an explanation."""

_START_SECONDS = 60.0


@dataclass(frozen=True)
class Running:
    """A server that is ready, and the model that it serves."""

    server: ServingProcess
    folder: ModelFolder

    def start_explaining(self) -> None:
        """Return when what explains has been started, which the first requests wait for."""

        def is_started() -> bool:
            body = {"records": self.folder.records(2)[1:]}  # the first one may have gaps
            return self.server.ask("/explain", body).status == HTTPStatus.OK

        eventually(is_started, deadline_seconds=_START_SECONDS, interval=0.5)

    @property
    def address(self) -> str:
        """Host and port, as clients take them."""
        return f"127.0.0.1:{self.server.port}"


@pytest.fixture(scope="module")
def linear(
    linear_folder: ModelFolder, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """Return a server of a model that takes 13 numbers and has probabilities."""
    yield from _run(linear_folder, tmp_path_factory.mktemp("linear"))


@pytest.fixture(scope="module")
def forest(
    forest_folder: ModelFolder, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """Return a server of a slower model with the same columns, which may be missing."""
    yield from _run(forest_folder, tmp_path_factory.mktemp("forest"))


@pytest.fixture(scope="module")
def mixed(mixed_folder: ModelFolder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Return a server of a model that takes a whole number and a text, and answers text."""
    yield from _run(mixed_folder, tmp_path_factory.mktemp("mixed"))


@pytest.fixture(scope="module")
def summing(
    summing_folder: ModelFolder, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """Return a server of a model with a column of each type, whose answer shows its values."""
    yield from _run(summing_folder, tmp_path_factory.mktemp("summing"))


def _run(folder: ModelFolder, directory: Path) -> Iterator[Running]:
    with ServingProcess(folder.path, directory, settings=EXPLAIN) as server:
        server.wait_until_ready()
        yield Running(server, folder)
