"""Versions whose server does not live: before it is ready, after it was, or neither."""

from collections.abc import Callable

import pytest

from support.eventually import eventually
from support.faulty_server import AFTER_READY, AT_START, LAST_WORD, NEVER_READY
from support.victim import Case, Victim

pytestmark = pytest.mark.timeout(600, func_only=True)


def assert_failed(victim: Victim, version: int, reason: str) -> None:
    """See that the history tells of the rollout that failed, and that nothing else is left."""
    served = victim.served
    eventually(
        lambda: served.status.get("candidate") is None,
        deadline_seconds=10,
        describe=lambda: f"there is no candidate; {served.describe()}",
    )
    newest = served.status["history"][0]
    assert (newest["version"], newest["outcome"], newest["reason"]) == (version, "Failed", reason)
    assert served.status["stable"]["version"] == victim.good


def test_a_version_that_dies_before_it_is_ready_is_taken_back(
    victim: Victim, case: Callable[..., Case]
) -> None:
    served, dying = victim.served, victim.versions.dying(**{AT_START: 1})

    with case() as seen:
        served.promote(dying)
        message = victim.wait_until_rejected(dying, "ServerCrashed")
        assert served.status["rehearsal"]["state"] == "Passed"

    assert LAST_WORD in message
    assert_failed(victim, dying, "ServerCrashed")
    assert seen.observer.versions_seen == {str(victim.good), str(dying)}


def test_a_version_that_dies_after_it_was_ready_is_taken_back(
    victim: Victim, case: Callable[..., Case]
) -> None:
    served, dying = victim.served, victim.versions.dying(**{AFTER_READY: 4})
    victim.deploy(minReadySeconds=8, progressDeadlineSeconds=60)

    with case(deaths=True) as seen:
        served.promote(dying)
        message = victim.wait_until_rejected(dying, "ServerCrashed")

    assert LAST_WORD in message
    assert len(seen.observer.deaths) >= 2
    assert seen.load.so_far.versions[str(dying)].requests > 0
    assert_failed(victim, dying, "ServerCrashed")


@pytest.mark.deep
def test_a_version_that_dies_before_it_is_ready_needs_no_rehearsal_to_be_taken_back(
    victim: Victim, case: Callable[..., Case]
) -> None:
    served, dying = victim.served, victim.versions.dying(**{AT_START: 1})
    victim.deploy(rehearsal={"enabled": False})

    with case() as seen:
        served.promote(dying)
        victim.wait_until_rejected(dying, "ServerCrashed")
        assert served.condition("Rehearsed")["reason"] == "RehearsalDisabled"

    assert not any(moment.rehearsals for moment in seen.observer.moments)
    assert_failed(victim, dying, "ServerCrashed")


@pytest.mark.deep
def test_a_version_that_is_never_ready_is_taken_back(
    victim: Victim, case: Callable[..., Case]
) -> None:
    served, hanging = victim.served, victim.versions.dying(**{NEVER_READY: 600})
    victim.deploy(progressDeadlineSeconds=10)

    with case():
        served.promote(hanging)
        message = victim.wait_until_rejected(hanging, "NeverReady")

    assert "10 s" in message
    assert_failed(victim, hanging, "NeverReady")


@pytest.mark.deep
def test_a_dying_version_is_left_for_the_one_that_is_promoted_after_it(
    victim: Victim, case: Callable[..., Case]
) -> None:
    served, dying, good = (
        victim.served,
        victim.versions.dying(**{AT_START: 1}),
        victim.versions.good(),
    )

    with case():
        served.promote(dying)
        eventually(
            lambda: str(dying) in served.counts,
            deadline_seconds=60,
            interval=0.2,
            describe=f"a pod of version {dying} starts",
        )
        served.promote(good)
        victim.wait_until_served(good)

    assert not served.status.get("rejected")
