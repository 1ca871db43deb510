"""Versions that are good, and wait: for a person's approval, or for the registry to be back."""

from collections.abc import Callable

import pytest

from support.eventually import eventually
from support.faulty_versions import APPROVED
from support.model_versions import set_version_tag
from support.stage import Stage
from support.victim import Case, Victim

pytestmark = pytest.mark.timeout(600, func_only=True)

MLFLOW = "mlops/mlflow"


def test_a_version_waits_for_its_approval(victim: Victim, case: Callable[..., Case]) -> None:
    served, version = victim.served, victim.versions.good()
    victim.deploy_gated({"requiredTags": {APPROVED: "true"}})

    with case() as seen:
        served.promote(version)
        held = served.wait_for_condition("Progressing", "False", "GateUnmet")
        seen.wait_for_requests(200)
        assert APPROVED in held["message"]
        assert served.status["phase"] == "Waiting"
        assert seen.observer.versions_seen == {str(victim.good)}
        set_version_tag(served.registry, served.model, version, APPROVED, "true")
        victim.wait_until_served(version)


def test_a_roll_goes_on_when_the_registry_is_back(
    victim: Victim, stage: Stage, case: Callable[..., Case]
) -> None:
    served, version = victim.served, victim.versions.good()
    # The second pod starts some seconds after the first: at least one of them finds no registry.
    victim.deploy(minReadySeconds=5)

    with case() as seen:
        served.promote(version)
        wait_for_first_pod(victim, version)
        stage.scale(MLFLOW, 0)
        held = wait_until_held(victim, "StoreUnavailable")
        seen.wait_for_requests(200)
        stage.scale(MLFLOW, 1)
        victim.wait_until_served(version)

    assert "mlflow" in held
    assert not served.status.get("rejected")


@pytest.mark.deep
def test_a_rehearsal_goes_on_when_the_registry_is_back(
    victim: Victim, stage: Stage, case: Callable[..., Case]
) -> None:
    served, version = victim.served, victim.versions.good()

    with case() as seen:
        served.promote(version)
        eventually(
            lambda: served.status["resolved"]["version"] == version,
            deadline_seconds=30,
            interval=0.1,
            describe="the promotion is seen",
        )
        stage.scale(MLFLOW, 0)
        seen.wait_for_requests(2000)
        assert served.status["stable"]["version"] in {victim.good, version}
        stage.scale(MLFLOW, 1)
        victim.wait_until_served(version)

    assert not served.status.get("rejected")


def wait_for_first_pod(victim: Victim, version: int) -> None:
    eventually(
        lambda: str(version) in victim.served.counts,
        deadline_seconds=60,
        interval=0.1,
        describe=lambda: f"a pod of version {version}; {victim.served.describe()}",
    )


def wait_until_held(victim: Victim, reason: str) -> str:
    """Wait until the candidate is held by something and return what is said of it."""
    served = victim.served

    def message() -> str:
        candidate = served.status.get("candidate", {})
        failure = candidate.get("lastFailure", {})
        is_held = candidate.get("phase") == "Held" and failure.get("reason") == reason
        return str(failure["message"]) if is_held else ""

    return eventually(
        message,
        deadline_seconds=90,
        interval=0.5,
        describe=lambda: f"the candidate is held: {reason}; {served.describe()}",
    )
