"""`spec.serving.batching`: what the server is told of it, and what it rolls."""

from typing import Any

import pytest

from regisseur_operator.api.serving import Batching
from regisseur_operator.api.status import Lineage
from regisseur_operator.api.v1alpha1 import ModelDeploymentSpec
from regisseur_operator.core.wanted import _choose_batch
from regisseur_operator.resources.pods import build_pod_template
from support.pod_parts import build_inputs, containers, environment

VARIABLE = "REGISSEUR_BATCH_MAX_ROWS"


def read_server(**inputs: Any) -> dict[str, str]:
    """Return what the server's container is told."""
    template = build_pod_template("wine", build_inputs(**inputs), Lineage())
    return environment(containers(template)["server"])


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({}, 0),
        ({"maxRows": 2048}, 0),
        ({"maxRows": 100}, 100),
        ({"enabled": False}, 1),
        ({"enabled": False, "maxRows": 100}, 1),
    ],
)
def test_the_server_is_told_what_is_not_usual(said: dict[str, Any], told: int) -> None:
    assert _choose_batch(Batching.model_validate(said)) == told


def test_the_usual_pods_are_told_nothing_and_are_the_same_as_ever() -> None:
    assert VARIABLE not in read_server()
    usual, other = build_inputs(), build_inputs(batch_max_rows=1)
    assert read_server(batch_max_rows=1)[VARIABLE] == "1"
    assert usual.fingerprint != other.fingerprint
    assert usual.wish == other.wish[:-1]


@pytest.mark.parametrize("rows", [0, 65537])
def test_senseless_sizes_are_refused(rows: int) -> None:
    model = {"name": "wine", "stage": "Production"}
    with pytest.raises(ValueError, match=r"maxRows|max_rows"):
        ModelDeploymentSpec.model_validate(
            {"model": model, "serving": {"batching": {"maxRows": rows}}}
        )
