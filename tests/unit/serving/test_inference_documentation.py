"""The OpenAPI of the Open Inference Protocol tells of the model that is loaded."""

from typing import Any

import pytest

from support.adding_server import Adder, Server, served

INFER = "/v2/models/{model}/versions/{version}/infer"


@pytest.fixture
def loading() -> Server:
    return Server(max_body_bytes=4000)


@pytest.fixture
def server(loading: Server) -> Server:
    loading.lifecycle.become_ready(served(Adder(classes=["only"])))
    return loading


async def paths_of(server: Server) -> dict[str, Any]:
    paths: dict[str, Any] = (await server.get("/openapi.json")).json["paths"]
    return paths


async def test_the_path_holds_the_one_model_and_its_version(server: Server) -> None:
    model, version = (await paths_of(server))[INFER]["parameters"]

    assert model["schema"]["enum"] == ["wïne/ "]
    assert version["schema"]["enum"] == ["3"]


async def test_while_it_loads_the_same_paths_are_there_without_a_model(loading: Server) -> None:
    before = await paths_of(loading)
    loading.lifecycle.become_ready(served())

    assert set(before) == set(await paths_of(loading))
    assert "enum" not in before[INFER]["parameters"][0]["schema"]
    assert "example" not in before[INFER]["post"]["requestBody"]["content"]["application/json"]


@pytest.mark.parametrize("path", ["/v2/models/{model}/infer", INFER, "/invocations", "/predict"])
async def test_the_example_that_is_filled_in_is_answered(server: Server, path: str) -> None:
    content = (await paths_of(server))[path]["post"]["requestBody"]["content"]
    real = path.format(model="wïne/ ", version="3")

    answer = await server.post(
        content["application/json"]["example"], path=real, content_type="application/json"
    )

    assert answer.status == 200


async def test_every_refusal_is_there(server: Server) -> None:
    responses = (await paths_of(server))[INFER]["post"]["responses"]

    assert set(responses) >= {"200", "400", "404", "408", "413", "415", "503"}
    assert "422" not in responses
