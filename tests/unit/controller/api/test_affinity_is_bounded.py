"""An affinity is taken as a Pod has it, and no larger or deeper than anything that makes sense."""

from typing import Any

import pytest

from regisseur_operator.api.v1alpha1 import parse_spec
from regisseur_operator.errors import TerminalError
from support.refused_specs import pods

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def parse(affinity: dict[str, Any]) -> dict[str, Any]:
    spec = parse_spec({"spec": pods(affinity=affinity)})
    return dict(spec.serving.pod_template.to_manifest().get("affinity", {}))


def nest(levels: int) -> dict[str, Any]:
    inner: dict[str, Any] = {}
    for _ in range(levels):
        inner = {"deeper": inner}
    return inner


def test_the_deepest_that_a_pod_takes_is_kept_as_it_was_written() -> None:
    term = {
        "topologyKey": "zone",
        "namespaceSelector": {},
        "labelSelector": {"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]},
    }
    affinity = {
        "podAntiAffinity": {
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": 1, "podAffinityTerm": term}
            ]
        }
    }

    assert parse(affinity) == affinity


@pytest.mark.parametrize(
    ("affinity", "message"),
    [
        pytest.param({"podAffinity": nest(20)}, "more than 12 levels deep", id="deep"),
        pytest.param({"podAffinity": nest(5000)}, "more than 12 levels deep", id="very deep"),
        pytest.param(
            {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [{"x": "y" * 40000}]}}},
            "longer than 32768 characters",
            id="long",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(affinity: dict[str, Any], message: str) -> None:
    with pytest.raises(TerminalError, match=message) as caught:
        parse(affinity)

    assert str(caught.value).startswith("spec.serving.podTemplate.affinity: ")
    assert "yyy" not in str(caught.value)
