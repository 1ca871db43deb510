"""The pod that rehearses a version: like a serving pod, but nobody may send it a request."""

from dataclasses import replace
from typing import Any

import pytest

from regisseur_operator.api.status import Lineage
from regisseur_operator.core.identity import Key
from regisseur_operator.core.pods import observe_rehearsal_pod
from regisseur_operator.core.trial import Trial
from regisseur_operator.resources.disruption import build_disruption_budget
from regisseur_operator.resources.labels import build_role_selector
from regisseur_operator.resources.pods import build_pod_template
from regisseur_operator.resources.rehearsal import build_rehearsal_pod
from regisseur_operator.resources.service import build_service
from support.pod_parts import (
    DIGEST,
    Json,
    build_everything,
    build_inputs,
    build_observed,
    containers,
    environment,
)
from support.pod_security import find_violations

LINEAGE = Lineage(git_sha="abc123")
OBSERVED = build_observed()
TRIAL = Trial(
    key="abc-def",
    inputs=build_inputs(),
    lineage=LINEAGE,
    expected_digest=DIGEST,
    served_source="mlflow-artifacts:/1/models/m-2",
    timeout_seconds=300.0,
    requirements="Minor",
    signature="Compatible",
)


def build_pod(**trial: Any) -> Json:
    return build_rehearsal_pod(OBSERVED, replace(TRIAL, **trial))


def test_it_has_one_name_and_belongs_to_the_resource() -> None:
    metadata = build_pod()["metadata"]

    assert (metadata["namespace"], metadata["name"]) == ("ml", "wine-rehearsal")
    assert metadata["ownerReferences"] == [OBSERVED.owner_reference]


def test_the_longest_name_of_a_resource_still_makes_a_name_of_a_pod() -> None:
    observed = replace(OBSERVED, key=Key("ml", "w" * 50))

    assert len(build_rehearsal_pod(observed, TRIAL)["metadata"]["name"]) <= 63


def test_no_selector_of_ours_matches_it() -> None:
    labels = build_rehearsal_pod(OBSERVED, replace(TRIAL, inputs=build_everything()))["metadata"][
        "labels"
    ]
    selectors = [
        build_service(OBSERVED)["spec"]["selector"],
        build_disruption_budget(OBSERVED)["spec"]["selector"]["matchLabels"],
        build_role_selector("wine"),
    ]

    assert labels["regisseur.dev/rehearsal"] == "wine"
    assert "regisseur.dev/modeldeployment" not in labels
    for selector in selectors:
        assert not selector.items() <= labels.items()


def test_a_service_of_somebody_else_sends_it_nothing_either() -> None:
    """People's labels are on it, so somebody's Service may select it: it never gets ready."""
    pod = build_pod(inputs=build_everything())

    assert pod["metadata"]["labels"]["team"] == "ml"
    assert pod["spec"]["readinessGates"] == [{"conditionType": "regisseur.dev/takes-traffic"}]
    assert "ports" not in containers(pod)["rehearse"]


def test_its_key_comes_back() -> None:
    facts = observe_rehearsal_pod(build_pod())

    assert (facts.key, facts.version) == ("abc-def", "3")


ENDS: list[Any] = [
    pytest.param(300.0, 300, id="whole seconds"),
    pytest.param(1.2, 2, id="a part of a second is a second"),
    pytest.param(0.001, 1, id="no time at all is no time limit"),
]


@pytest.mark.parametrize(("timeout", "deadline"), ENDS)
def test_it_ends_by_itself_and_by_force(timeout: float, deadline: int) -> None:
    spec = build_pod(timeout_seconds=timeout)["spec"]

    assert spec["restartPolicy"] == "Never"
    assert spec["activeDeadlineSeconds"] == deadline
    assert spec["terminationGracePeriodSeconds"] <= 10


@pytest.mark.parametrize(
    ("timeout", "told"), [(300.0, None), (3600.0, None), (3600.5, "3600.5"), (86400.0, "86400")]
)
def test_the_download_may_use_all_of_a_long_rehearsal(timeout: float, told: str | None) -> None:
    fetch = containers(build_pod(timeout_seconds=timeout))["fetch"]

    assert environment(fetch).get("REGISSEUR_FETCH_TIMEOUT_SECONDS") == told


def test_the_fetch_brings_the_served_version_s_signature_along() -> None:
    fetch = containers(build_pod())["fetch"]

    assert environment(fetch)["REGISSEUR_ARTIFACT_URI"] == "mlflow-artifacts:/1/models/m-3"
    assert environment(fetch)["REGISSEUR_SERVED_ARTIFACT_URI"] == "mlflow-artifacts:/1/models/m-2"


def test_with_nothing_served_there_is_nothing_to_bring() -> None:
    fetch = containers(build_pod(served_source=""))["fetch"]

    assert "REGISSEUR_SERVED_ARTIFACT_URI" not in environment(fetch)


def test_the_rehearsal_and_not_the_fetch_compares_the_digest_so_that_its_verdict_says_so() -> None:
    found = containers(build_pod())

    assert environment(found["rehearse"])["REGISSEUR_EXPECTED_DIGEST"] == DIGEST
    assert "REGISSEUR_EXPECTED_DIGEST" not in environment(found["fetch"])


def test_without_a_tag_of_training_nothing_is_compared() -> None:
    rehearse = containers(build_pod(expected_digest=""))["rehearse"]

    assert "REGISSEUR_EXPECTED_DIGEST" not in environment(rehearse)


def test_the_rehearsal_knows_the_rules() -> None:
    rehearse = containers(build_pod(requirements="Strict", signature="Any"))["rehearse"]

    assert rehearse["args"] == ["rehearse"]
    assert environment(rehearse)["REGISSEUR_REQUIREMENTS"] == "Strict"
    assert environment(rehearse)["REGISSEUR_SIGNATURE"] == "Any"


def test_only_the_fetch_has_credentials() -> None:
    pod = build_pod(inputs=build_everything())
    found = containers(pod)

    assert found["fetch"]["envFrom"] == [{"secretRef": {"name": "mlflow-credentials"}}]
    assert "envFrom" not in found["rehearse"]
    assert pod["spec"]["automountServiceAccountToken"] is False
    annotations = pod["metadata"]["annotations"]
    assert annotations["eks.amazonaws.com/skip-containers"] == "rehearse"
    assert find_violations(pod) == []


def test_what_would_keep_serving_pods_from_running_keeps_it_as_well() -> None:
    inputs = build_everything()
    pod, serving = build_pod(inputs=inputs), build_pod_template("wine", inputs, LINEAGE)

    same = set(serving["spec"]) - {
        *("initContainers", "containers"),
        *("terminationGracePeriodSeconds",),
    }
    assert {field: pod["spec"][field] for field in same} == {
        field: serving["spec"][field] for field in same
    }
    rehearse, server = containers(pod)["rehearse"], containers(serving)["server"]
    for field in ("image", "imagePullPolicy", "resources", "volumeMounts", "securityContext"):
        assert rehearse[field] == server[field]
    told = {entry["name"]: entry for entry in rehearse["env"]}
    assert all(told[entry["name"]] == entry for entry in server["env"])


def test_a_spec_without_anything_special_gives_a_restricted_pod() -> None:
    assert find_violations(build_pod()) == []
