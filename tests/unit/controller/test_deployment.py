"""The Deployment of a roll: how its pods are replaced, and whose word its template is."""

from dataclasses import replace
from typing import Any

import pytest

from regisseur_operator.core.roll import Roll
from regisseur_operator.resources.deployment import build_deployment
from support.pod_parts import NOW, Json, build_inputs, build_observed

ROLL = Roll(1, None, None, NOW, build_inputs())


def build_spec(**spec: Any) -> Json:
    found: Json = build_deployment(build_observed(**spec), ROLL)["spec"]
    return found


STRATEGIES: list[Any] = [
    pytest.param(
        {},
        {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
        id="one pod more and none less, by default",
    ),
    pytest.param(
        {"strategy": {"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 1}}},
        {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 1}},
        id="as many as the spec says",
    ),
    pytest.param(
        {"strategy": {"recreate": {}}}, {"type": "Recreate"}, id="all of them, then the new ones"
    ),
]


@pytest.mark.parametrize(("spec", "strategy"), STRATEGIES)
def test_how_pods_are_replaced(spec: Json, strategy: Json) -> None:
    assert build_spec(**spec)["strategy"] == strategy


def test_what_the_spec_says_of_time_and_memory() -> None:
    spec = build_spec(
        replicas=3, minReadySeconds=7, progressDeadlineSeconds=77, revisionHistoryLimit=5
    )

    assert spec["replicas"] == 3
    assert spec["minReadySeconds"] == 7
    assert spec["progressDeadlineSeconds"] == 77
    assert spec["revisionHistoryLimit"] == 5
    assert spec["paused"] is False


def test_a_template_that_was_rendered_before_is_kept_word_for_word() -> None:
    old = {"metadata": {"labels": {"of": "an older operator"}}, "spec": {"containers": []}}

    deployment = build_deployment(build_observed(), replace(ROLL, template=old))

    assert deployment["spec"]["template"] == old
