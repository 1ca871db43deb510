"""What a rehearsal explains of the input example, and what it makes of a refusal."""

from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from regisseur_serving.adapters.masking import count_rows
from regisseur_serving.app import explanation
from regisseur_serving.settings.rehearse import RehearseSettings
from support.adding_server import served
from support.fake_explainer import FakeExplainer

SETTINGS = RehearseSettings(Path("/nowhere"), explain_budget_seconds=1.0)
ROWS = [{"a": 0.5, "b": 2}, {"a": 1.5, "b": 3}]


class Rehearsed(FakeExplainer):
    """An explainer of a model of trees."""

    is_closed = False

    async def prepare(self) -> str:
        """Return its method."""
        return "tree"

    async def close(self) -> None:
        """Remember that it was told to end."""
        self.is_closed = True


async def run(
    explainer: Rehearsed, example: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> tuple[str, str]:
    """Try to explain a model that has this example."""
    monkeypatch.setattr(explanation, "ProcessExplainer", lambda *_, **__: explainer)
    loaded = replace(served().loaded, example=example)
    found = await explanation.try_explaining(SETTINGS, loaded)
    assert explainer.is_closed
    return found


async def test_one_row_is_explained_as_more_may_not_fit_the_budget(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    explainer = Rehearsed()
    assert await run(explainer, ROWS, monkeypatch) == ("tree", "")
    (table,) = explainer.tables
    assert count_rows(table) == 1
    assert np.array_equal(table, [[0.5, 2.0]])  # type: ignore[arg-type]  # of numbers


async def test_without_an_example_the_method_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    explainer = Rehearsed()
    assert await run(explainer, [], monkeypatch) == ("tree", "")
    assert explainer.tables == []


async def test_a_refusal_is_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    explainer = Rehearsed(refusal=HTTPStatus.GATEWAY_TIMEOUT)
    assert await run(explainer, ROWS, monkeypatch) == ("", "not now")


async def test_what_the_explainer_knows_of_the_model_comes_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    explainer = Rehearsed(reason="no library", refusal=HTTPStatus.NOT_IMPLEMENTED)
    assert await run(explainer, ROWS, monkeypatch) == ("", "no library")
