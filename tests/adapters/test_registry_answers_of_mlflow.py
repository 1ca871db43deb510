"""The registry adapter against a real MLflow server."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from regisseur_contract.tags import STAGE_PRODUCTION
from regisseur_operator.adapters.mlflow_http import LARGEST_ANSWER_BYTES, MissingError
from regisseur_operator.adapters.mlflow_registry import MlflowRegistry
from regisseur_operator.ports import EMPTY_RUN, RegisteredModel
from support.mlflow_server import MlflowServer
from support.model_versions import (
    create_model_version,
    create_registered_model,
    delete_version,
    set_alias,
    transition,
)
from support.registry_edits import log_metric, read_run_id, set_run_tag

LONGEST_TAG = 100_000
"""Of a version, for MLflow."""


@pytest_asyncio.fixture
async def registry(mlflow_server: MlflowServer) -> AsyncIterator[MlflowRegistry]:
    registry = MlflowRegistry(mlflow_server.url, timeout_seconds=10.0)
    yield registry
    await registry.close()


async def test_models_are_found_in_one_search_and_missing_ones_are_missing(
    mlflow_server: MlflowServer, registry: MlflowRegistry, model_name: str
) -> None:
    create_registered_model(mlflow_server, model_name)

    found = await registry.search_models([model_name, f"{model_name}-missing"])

    assert set(found) == {model_name}
    model = found[model_name]
    assert isinstance(model, RegisteredModel)
    assert model.updated_ms > 0


@pytest.mark.parametrize(
    "suffix",
    [
        pytest.param("ünïcödé 模型 🙂", id="letters of all the world"),
        pytest.param("it's", id="a single quote"),
        pytest.param('say "yes"', id="double quotes"),
        pytest.param('it\'s "both"', id="both kinds of quotes"),
        pytest.param("back\\slash\\n", id="backslashes"),
        pytest.param("line\nbreak\tand tab", id="a line break and a tab"),
        pytest.param("a, b) OR (c", id="what looks like a filter"),
        pytest.param("100%_&?#+=", id="characters of addresses"),
        pytest.param(" ", id="a space at the end"),
    ],
)
async def test_any_name_is_found_with_its_versions(
    mlflow_server: MlflowServer, registry: MlflowRegistry, model_name: str, suffix: str
) -> None:
    name = f"{model_name}{suffix}"
    version = create_model_version(mlflow_server, name)
    transition(mlflow_server, name, version, STAGE_PRODUCTION)
    set_alias(mlflow_server, name, "champion", version)

    found = await registry.search_models([name, f"{model_name}-missing"])
    versions = await registry.versions(name)

    assert set(found) == {name}
    model = found[name]
    assert isinstance(model, RegisteredModel)
    assert model.aliases == {"champion": version}
    assert [(v.version, v.stage, v.model) for v in versions] == [(1, STAGE_PRODUCTION, name)]


async def test_a_model_with_more_tags_than_one_answer_may_hold_is_read_in_parts(
    mlflow_server: MlflowServer, registry: MlflowRegistry, model_name: str
) -> None:
    tags = {f"note-{number}": "x" * LONGEST_TAG for number in range(60)}
    assert 3 * len(tags) * LONGEST_TAG > LARGEST_ANSWER_BYTES
    for _ in range(3):
        create_model_version(mlflow_server, model_name, tags=tags)

    versions = await registry.versions(model_name)

    assert [version.version for version in versions] == [1, 2, 3]
    assert all(version.tags.items() >= tags.items() for version in versions)


async def test_names_that_do_not_fit_into_one_address_are_all_found(
    mlflow_server: MlflowServer, registry: MlflowRegistry, model_name: str
) -> None:
    names = [f"{model_name}-{'模' * 40}-{number}" for number in range(25)]
    for name in names:
        create_registered_model(mlflow_server, name)

    assert set(await registry.search_models(names)) == set(names)


async def test_several_versions_may_hold_a_stage(
    mlflow_server: MlflowServer, registry: MlflowRegistry, model_name: str
) -> None:
    for _ in range(3):
        version = create_model_version(mlflow_server, model_name)
        transition(mlflow_server, model_name, version, STAGE_PRODUCTION, archive=False)
    transition(mlflow_server, model_name, 2, "Staging")

    versions = await registry.versions(model_name)

    assert {v.version: v.stage for v in versions} == {
        1: "Production",
        2: "Staging",
        3: "Production",
    }
    assert [v.version for v in versions] == [1, 2, 3]


async def test_a_version_tells_its_run_its_files_and_its_birth(
    mlflow_server: MlflowServer, registry: MlflowRegistry, model_name: str
) -> None:
    create_model_version(mlflow_server, model_name, tags={"regisseur.git_sha": "abc"})

    (version,) = await registry.versions(model_name)

    assert len(version.run_id) == 32
    assert version.source == f"models:/{version.model_id}"
    assert version.status == "READY"
    assert version.created_ms > 0
    assert version.tags["regisseur.git_sha"] == "abc"


async def test_many_versions_come_page_by_page(
    mlflow_server: MlflowServer,
    registry: MlflowRegistry,
    model_name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("regisseur_operator.adapters.mlflow_registry.PAGE", 2)
    for _ in range(5):
        create_model_version(mlflow_server, model_name)

    assert [v.version for v in await registry.versions(model_name)] == [1, 2, 3, 4, 5]


async def test_the_storage_address_is_the_real_one(
    mlflow_server: MlflowServer, registry: MlflowRegistry, model_name: str
) -> None:
    version = create_model_version(mlflow_server, model_name)

    uri = await registry.artifact_uri(model_name, version)

    assert uri.startswith("mlflow-artifacts:/")
    assert uri.endswith("/artifacts")


async def test_a_run_tells_its_tags_and_every_figure_as_it_is(
    mlflow_server: MlflowServer, registry: MlflowRegistry, model_name: str
) -> None:
    create_model_version(mlflow_server, model_name, metrics={"accuracy": 0.9, "zero": 0.0})
    run_id = read_run_id(mlflow_server, model_name, 1)
    for name, value in {"nan": "NaN", "up": "Infinity", "down": "-Infinity"}.items():
        log_metric(mlflow_server, run_id, name, value)
    set_run_tag(mlflow_server, run_id, "regisseur.git_sha", "abc")

    run = await registry.run(run_id)

    assert run.tags["regisseur.git_sha"] == "abc"
    assert math.isnan(run.metrics["nan"])
    assert {name: run.metrics[name] for name in run.metrics if name != "nan"} == {
        "accuracy": 0.9,
        "zero": 0.0,
        "up": math.inf,
        "down": -math.inf,
    }
    assert await registry.run(run_id) == run


async def test_a_run_that_is_not_there_is_empty(registry: MlflowRegistry) -> None:
    assert await registry.run("0" * 32) == EMPTY_RUN


async def test_a_model_that_is_not_there_has_no_versions(
    registry: MlflowRegistry, model_name: str
) -> None:
    assert list(await registry.versions(f"{model_name}-missing")) == []


async def test_a_version_that_is_not_there_has_no_address(
    mlflow_server: MlflowServer, registry: MlflowRegistry, model_name: str
) -> None:
    version = create_model_version(mlflow_server, model_name)
    delete_version(mlflow_server, model_name, version)

    with pytest.raises(MissingError):
        await registry.artifact_uri(model_name, version)


Move = Callable[[MlflowServer, str], None]


def _set_alias(server: MlflowServer, name: str) -> None:
    set_alias(server, name, "champion", 1)


def _move_stage(server: MlflowServer, name: str) -> None:
    transition(server, name, 1, STAGE_PRODUCTION)


def _delete_version(server: MlflowServer, name: str) -> None:
    delete_version(server, name, 1)


def _add_version(server: MlflowServer, name: str) -> None:
    create_model_version(server, name)


@pytest.mark.parametrize(
    "move",
    [
        pytest.param(_set_alias, id="an alias is set"),
        pytest.param(_move_stage, id="a stage is moved"),
        pytest.param(_delete_version, id="a version is deleted"),
        pytest.param(_add_version, id="a version is added"),
    ],
)
async def test_a_search_shows_that_a_model_moved(
    mlflow_server: MlflowServer, registry: MlflowRegistry, model_name: str, move: Move
) -> None:
    create_model_version(mlflow_server, model_name)
    before = (await registry.search_models([model_name]))[model_name]

    move(mlflow_server, model_name)

    assert (await registry.search_models([model_name]))[model_name] != before


async def test_the_host_check_still_answers_as_the_adapter_expects(
    mlflow_server: MlflowServer,
) -> None:
    # The same server by a name that it does not know, as a Service's would be.
    status, body = await _get_with_host(mlflow_server, "mlflow.mlops.svc:5000")

    assert status == 403
    assert "Invalid Host header" in body


async def _get_with_host(server: MlflowServer, host: str) -> tuple[int, str]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    path = "/api/2.0/mlflow/registered-models/search"
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    answer = (await reader.read()).decode()
    writer.close()
    await writer.wait_closed()
    head, _, body = answer.partition("\r\n\r\n")
    return int(head.split()[1]), body.strip()


async def test_nothing_found_is_no_error(registry: MlflowRegistry) -> None:
    # MLflow answers `200 {}` when nothing matches.
    assert await registry.search_models(["nobody has this name"]) == {}
