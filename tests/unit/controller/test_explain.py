"""`spec.serving.explain`: what the server is told, what it rolls, and what becomes of it."""

from typing import Any

import pytest

from regisseur_operator.api.explain import Explain
from regisseur_operator.api.status import Lineage
from regisseur_operator.core.wanted import _choose_budget
from regisseur_operator.resources.pods import build_pod_template
from support.pod_parts import build_inputs, containers, environment
from support.worlds import World, start

NO_LIBRARY = "the image has no library for it; build it with --build-arg EXTRAS=explain"
PINNED = "Version 2 passed its rehearsal, and its files are pinned"


def read_server(**inputs: Any) -> dict[str, str]:
    """Return what the server's container is told."""
    template = build_pod_template("wine", build_inputs(**inputs), Lineage())
    return environment(containers(template)["server"])


async def start_explaining(**behaviour: Any) -> World:
    """Return a world in which version 2 is promoted after explanations were asked for."""
    world = await start()
    world.edit_spec(lambda spec: spec.update(serving={"explain": {"budget": "2s"}}))
    await world.settle()
    world.kubelet.behave(2, **behaviour)
    world.registry.promote(2)
    await world.settle()
    return world


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (None, 0.0),
        ({}, 5.0),
        ({"enabled": True, "budget": "1500ms"}, 1.5),
        ({"enabled": False}, 0.0),
        ({"enabled": False, "budget": "10s"}, 0.0),
    ],
)
def test_the_budget_is_what_the_spec_says(said: dict[str, Any] | None, seconds: float) -> None:
    explain = None if said is None else Explain.model_validate(said)
    assert _choose_budget(explain) == seconds


def test_the_usual_pods_are_told_nothing_and_are_the_same_as_ever() -> None:
    assert not [name for name in read_server() if "EXPLAIN" in name]
    told = read_server(explain_budget_seconds=1.5)
    assert told["REGISSEUR_EXPLAIN"] == "true"
    assert told["REGISSEUR_EXPLAIN_BUDGET_SECONDS"] == "1.5"
    usual, other = build_inputs(batch_max_rows=1), build_inputs(explain_budget_seconds=5.0)
    assert build_inputs().wish == usual.wish[:-1] == other.wish[:-1]
    assert usual.wish[-1] != other.wish[-1]


async def test_the_rehearsal_is_told_as_the_server_is() -> None:
    world = await start()
    world.edit_spec(lambda spec: spec.update(serving={"explain": {"budget": "2s"}}))
    await world.until(lambda: bool(world.rehearsal_pods))
    told = environment(containers(world.rehearsal_pods[0])["rehearse"])
    assert told["REGISSEUR_EXPLAIN"] == "true"
    assert told["REGISSEUR_EXPLAIN_BUDGET_SECONDS"] == "2"


async def test_a_version_that_is_explained_is_served_without_a_remark() -> None:
    world = await start_explaining(explanations="tree")

    assert world.condition("Rehearsed")[:3] == ("True", "RehearsalPassed", PINNED)
    assert world.status.rehearsal is not None
    assert world.status.rehearsal.facts is not None
    assert world.status.rehearsal.facts.explanations == "tree"


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        pytest.param({"unexplained": NO_LIBRARY}, NO_LIBRARY, id="by what it says"),
        pytest.param({}, "the image knows nothing of it", id="by an image that says nothing"),
    ],
)
async def test_a_version_that_is_not_explained_is_served_and_the_status_says_why(
    behaviour: dict[str, Any], reason: str
) -> None:
    world = await start_explaining(**behaviour)

    told = f"{PINNED}; its predictions are not explained: {reason}"
    assert world.condition("Rehearsed")[:3] == ("True", "RehearsalPassed", told)
    assert world.status.rehearsal is not None
    assert world.status.rehearsal.facts is not None
    facts = world.status.rehearsal.facts
    assert (facts.explanations, facts.explain_reason) == ("", reason)
    assert world.served_versions == ["2", "2"]
    assert world.status.rejected == []


async def test_pods_that_were_not_asked_to_explain_have_no_remark_about_it() -> None:
    world = await start_explaining(unexplained=NO_LIBRARY)

    world.edit_spec(lambda spec: spec.update(serving={"explain": {"enabled": False}}))
    await world.settle()

    assert world.condition("Rehearsed")[2] == PINNED
