"""Engine ONNX, in an image that has it: asked for once, proven for each version."""

import json
from collections.abc import Callable
from typing import Any
from urllib.request import urlopen

import pytest

from regisseur_devcluster.cluster import Cluster
from regisseur_devcluster.images import ONNX_SERVING, build_application
from support.served import Served
from support.stage import Stage
from support.victim import Case
from support.wine import register_forest, register_linear, register_scaled_forest


@pytest.fixture(scope="module")
def served(stage: Stage, node_cluster: Cluster) -> Served:
    """Return a ModelDeployment that has asked for ONNX, and whose first version is served by it."""
    image = build_application(ONNX_SERVING)
    node_cluster.load([image])
    served = stage.create_served("onnx")
    served.promote(register_linear(served.registry, served.model))
    served.deploy(replicas=1, serving={"image": image.reference, "engine": "ONNX"})
    served.wait_until_ready()
    return served


def roll(served: Served, version: int, note_figure: Callable[[str], None]) -> dict[str, Any]:
    """Promote a version under load and return what its rehearsal found; no request may fail."""
    with Case(served, note_figure, f"version {version}") as seen:
        promoted = served.promote(version)
        ended = served.wait_until_served(version, replicas=1)
        served.wait_until_ready()
        seen.wait_for_requests(90)
    note_figure(f"version {version} served {ended - promoted:.1f} s after its promotion")
    rehearsal = served.status["rehearsal"]
    assert rehearsal["version"] == version
    return dict(rehearsal["facts"])


def describe_server(served: Served) -> dict[str, Any]:
    """Return what a server says of itself."""
    address = served.node_url.removesuffix("/predict")
    with urlopen(f"{address}/model", timeout=10) as answer:
        return dict(json.load(answer))


def test_a_version_that_onnx_answers_alike_is_served_by_it(
    served: Served, note_figure: Callable[[str], None]
) -> None:
    version = register_forest(served.registry, served.model)

    facts = roll(served, version, note_figure)

    assert (facts["engine"], facts.get("engineReason", "")) == ("ONNX", "")
    told = describe_server(served)
    assert (told["version"], told["engine"]) == (str(version), "ONNX")
    assert "engine" not in served.condition("Rehearsed")["message"]


def test_a_version_that_onnx_answers_otherwise_is_served_by_its_own_library(
    served: Served, note_figure: Callable[[str], None]
) -> None:
    version = register_scaled_forest(served.registry, served.model)

    facts = roll(served, version, note_figure)

    assert facts["engine"] == "Native"
    assert facts["engineReason"].startswith("ONNX answers otherwise: rows between answers: ")
    told = describe_server(served)
    assert (told["version"], told["engine"]) == (str(version), "Native")
    assert told["engine_reason"] == facts["engineReason"]
    rehearsed = served.condition("Rehearsed")
    assert (rehearsed["status"], rehearsed["reason"]) == ("True", "RehearsalPassed")
    said = f"it is served by engine Native: {facts['engineReason']}"
    assert rehearsed["message"].endswith(said)
    note_figure(f"the resource says: {rehearsed['message']}")
