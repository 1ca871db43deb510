"""Versions that need more than they get: memory at run time, or room on a node."""

from collections.abc import Callable

import pytest

from support.eventually import eventually
from support.faulty_versions import Versions
from support.victim import RESOURCES, Case, Victim

pytestmark = pytest.mark.timeout(600, func_only=True)

HUNGER_MEGABYTES = 400
ENOUGH = {"requests": RESOURCES["requests"], "limits": {"memory": "1536Mi"}}
TOO_MUCH = {"requests": {"cpu": "50m", "memory": "900Gi"}, "limits": {"memory": "900Gi"}}


@pytest.fixture(scope="module")
def hungry(shared_victim: Victim) -> int:
    """Return a version that takes more memory than it usually gets."""
    versions: Versions = shared_victim.versions
    return versions.hungry(HUNGER_MEGABYTES)


def test_a_version_that_runs_out_of_memory_is_served_with_more(
    victim: Victim, hungry: int, case: Callable[..., Case]
) -> None:
    served = victim.served

    with case() as seen:
        served.promote(hungry)
        message = victim.wait_until_rejected(hungry, "OutOfMemory")
        assert "spec.serving.resources.limits.memory" in message
        assert seen.observer.versions_seen == {str(victim.good)}
        victim.deploy_with(ENOUGH)
        victim.wait_until_served(hungry)

    # With less memory it would still not be tried again.
    assert [entry["reason"] for entry in served.status["rejected"]] == ["OutOfMemory"]


def test_a_version_that_no_node_can_take_waits_until_it_asks_for_less(
    victim: Victim, case: Callable[..., Case]
) -> None:
    served, good = victim.served, victim.versions.good()
    victim.deploy_with(TOO_MUCH)

    with case():
        served.promote(good)
        eventually(
            lambda: (
                served.status["rehearsal"]["version"] == good
                and served.condition("Ready")["reason"] == "RehearsalHeld"
            ),
            deadline_seconds=60,
            interval=0.5,
            describe=lambda: f"the rehearsal of version {good} is held up; {served.describe()}",
        )
        assert served.status["rehearsal"]["verdict"] == "Unschedulable"
        assert "memory" in served.status["rehearsal"]["message"]
        assert served.status["stable"]["version"] == victim.good
        assert not served.status.get("rejected")
        victim.deploy()
        victim.wait_until_served(good)


@pytest.mark.deep
def test_a_version_that_runs_out_of_memory_in_the_roll_is_taken_back(
    victim: Victim, hungry: int, case: Callable[..., Case]
) -> None:
    served, blind = victim.served, {"rehearsal": {"enabled": False}}
    victim.deploy(**blind)

    with case() as seen:
        served.promote(hungry)
        victim.wait_until_rejected(hungry, "OutOfMemory")
        assert str(hungry) in seen.observer.versions_seen
        victim.deploy_with(ENOUGH, **blind)
        victim.wait_until_served(hungry)

    assert [entry["outcome"] for entry in served.status["history"][:2]] == ["Succeeded", "Failed"]


@pytest.mark.deep
def test_a_roll_that_no_node_can_take_goes_on_when_it_asks_for_less(
    victim: Victim, case: Callable[..., Case]
) -> None:
    served, good, blind = victim.served, victim.versions.good(), {"rehearsal": {"enabled": False}}
    victim.deploy(**blind)
    served.wait_until_ready()

    with case():
        victim.deploy_with(TOO_MUCH, **blind)
        served.promote(good)
        eventually(
            lambda: served.status.get("candidate", {}).get("phase") == "Held",
            deadline_seconds=60,
            interval=0.5,
            describe=lambda: f"the candidate is held; {served.describe()}",
        )
        assert served.status["candidate"]["lastFailure"]["reason"] == "Unschedulable"
        assert not served.status.get("rejected")
        victim.deploy(**blind)
        victim.wait_until_served(good)
