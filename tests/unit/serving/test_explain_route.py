"""The route `/explain` before anything is explained."""

import asyncio
from http import HTTPStatus
from typing import Any

import numpy as np
import pytest

from support.adding_server import GOOD, Server, served
from support.fake_explainer import FakeExplainer


def ready(explainer: FakeExplainer | None, **limits: Any) -> Server:
    """Return a server with a model."""
    server = Server(explainer=explainer, **limits)
    server.lifecycle.become_ready(served())
    return server


async def test_it_is_off_unless_asked_for() -> None:
    server = ready(None)
    answer = await server.post(GOOD, path="/explain")
    assert answer.status == 404
    assert answer.json["detail"] == (
        "Not Found: explanations are off; set spec.serving.explain.enabled: true in the "
        "ModelDeployment (REGISSEUR_EXPLAIN=true for a server by itself)"
    )
    assert (await server.get("/explain")).status == 404
    assert "/explain" not in (await server.get("/openapi.json")).json["paths"]
    described = (await server.get("/model")).json
    assert described["explains"] is False
    assert described["explain_reason"].startswith("explanations are off")


async def test_rows_are_explained_and_the_answer_says_of_which_model() -> None:
    explainer = FakeExplainer()
    server = ready(explainer)
    answer = await server.post(GOOD, path="/explain")
    assert answer.status == 200
    assert answer.json == {
        "method": "tree",
        "model": {"name": "wïne/ ", "version": "3", "run_id": "r1"},
    }
    (table,) = explainer.tables
    assert np.array_equal(table, [[0.5, 2.0]])  # type: ignore[arg-type]  # of numbers
    assert 'requests_total{code="200",route="/explain",version=""} 1.0' in await server.scrape()
    described = (await server.get("/model")).json
    assert (described["explains"], described["explain_reason"]) == (True, "")


async def test_why_nothing_is_explained_is_told_of_the_model() -> None:
    described = (await ready(FakeExplainer(reason="no")).get("/model")).json
    assert (described["explains"], described["explain_reason"]) == (False, "no")


async def test_it_is_documented_with_the_rows_of_the_model() -> None:
    server = Server(explainer=FakeExplainer())
    before = (await server.get("/openapi.json")).json["paths"]["/explain"]["post"]
    assert before["requestBody"]["content"]["application/json"] == {"schema": {"type": "object"}}
    server.lifecycle.become_ready(served())
    operation = (await server.get("/openapi.json")).json["paths"]["/explain"]["post"]
    content = operation["requestBody"]["content"]["application/json"]
    assert content["example"] == GOOD
    assert [list(form["properties"]) for form in content["schema"]["oneOf"]] == [
        ["records"],
        ["columns"],
    ]
    statuses = {"200", "400", "408", "413", "415", "422", "429", "501", "503", "504"}
    assert set(operation["responses"]) == statuses


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"{", 400, "JSON decode error"),
        ({"records": [{"a": "x", "b": 1}]}, 422, "Input should be a valid number"),
        (GOOD | {"probabilities": True}, 422, "Extra inputs are not permitted"),
        ({"columns": {"a": [0.0] * 3, "b": [0] * 3}}, 413, "A request may have 2 rows at most"),
    ],
)
async def test_what_predict_refuses_is_refused(body: object, status: int, message: str) -> None:
    explainer = FakeExplainer()
    answer = await ready(explainer, max_rows=2).post(body, path="/explain")
    assert answer.status == status
    assert answer.json["detail"][0]["msg"].startswith(message)
    assert explainer.tables == []


async def test_other_methods_and_other_types_are_refused() -> None:
    server = ready(FakeExplainer())
    answer = await server.get("/explain")
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    assert (await server.post(GOOD, path="/explain", content_type="text/csv")).status == 415


async def test_nothing_is_explained_while_the_model_is_loaded() -> None:
    answer = await Server(explainer=FakeExplainer()).post(GOOD, path="/explain")
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")


@pytest.mark.parametrize(
    ("status", "is_for_later"),
    [
        (HTTPStatus.TOO_MANY_REQUESTS, True),
        (HTTPStatus.SERVICE_UNAVAILABLE, True),
        (HTTPStatus.NOT_IMPLEMENTED, False),
        (HTTPStatus.GATEWAY_TIMEOUT, False),
    ],
)
async def test_refusals_say_when_to_come_again(status: HTTPStatus, is_for_later: bool) -> None:
    answer = await ready(FakeExplainer(refusal=status)).post(GOOD, path="/explain")
    assert answer.status == status
    assert answer.json["detail"] == [{"loc": [], "msg": "not now", "type": "refused"}]
    assert ("retry-after" in answer.headers) is is_for_later


async def test_predictions_have_all_the_room_while_rows_are_explained() -> None:
    explainer = FakeExplainer()
    explainer.may_answer.clear()
    server = ready(explainer, max_requests=1, max_held_bytes=100)
    explanation = asyncio.create_task(server.post(GOOD, path="/explain"))
    await explainer.asked.wait()
    assert (await server.post(GOOD)).status == 200
    explainer.may_answer.set()
    assert (await explanation).status == 200
