"""Versions whose files are not those that were trained, or not those that were rehearsed."""

from collections.abc import Callable

import pytest

from support.eventually import eventually
from support.faulty_versions import EXAMPLE_FILE, OTHER_DIGEST
from support.stored_files import StoredFiles
from support.victim import Case, Victim

pytestmark = pytest.mark.timeout(600, func_only=True)


def test_files_that_training_did_not_make_meet_no_traffic(
    victim: Victim, case: Callable[..., Case]
) -> None:
    served, mistagged = victim.served, victim.versions.mistagged()

    with case() as seen:
        served.promote(mistagged)
        message = victim.wait_until_rejected(mistagged, "DigestMismatch")

    assert OTHER_DIGEST in message
    assert served.condition("Rehearsed")["reason"] == "DigestMismatch"
    assert served.status["rehearsal"]["facts"]["digest"] in message
    assert seen.observer.versions_seen == {str(victim.good)}


def test_files_changed_under_a_served_version_reach_no_new_pod(
    victim: Victim, case: Callable[..., Case]
) -> None:
    served = victim.served
    files = StoredFiles(served.registry, served.model, victim.good)
    digest, content = files.digest, files.read(EXAMPLE_FILE)
    assert served.status["stable"]["digest"] == digest
    gone, pod = next(iter(served.pods.items()))

    with case() as seen:
        files.overwrite(EXAMPLE_FILE, content + b"\n")
        served.kubectl("delete", "pod", pod.name, "-n", served.namespace, "--wait=false")
        stalled = served.wait_for_condition("Stalled", "True", "ArtifactChanged")
        seen.wait_for_requests(200)
        assert gone not in {uid for uid, other in served.pods.items() if not other.is_ending}
        assert sum(other.is_ready and not other.is_ending for other in served.pods.values()) == 1
        assert served.condition("Ready")["status"] == "False"
        assert files.digest in stalled["message"]
        files.overwrite(EXAMPLE_FILE, content)
        victim.wait_until_served(victim.good)
        served.wait_until_ready()

    assert served.condition("Stalled") == {}
    assert served.status["stable"]["digest"] == digest


@pytest.mark.deep
def test_files_changed_after_their_rehearsal_do_not_come_back(
    victim: Victim, case: Callable[..., Case]
) -> None:
    served, other = victim.served, victim.versions.good()
    served.promote(other)
    victim.wait_until_served(other)
    served.promote(victim.good)
    victim.wait_until_served(victim.good)
    files = StoredFiles(served.registry, served.model, other)

    with case() as seen:
        # It was rehearsed and served: it comes back at once, and its pods look at the files.
        files.overwrite(EXAMPLE_FILE, files.read(EXAMPLE_FILE) + b"\n")
        served.promote(other)
        message = victim.wait_until_rejected(other, "ArtifactChanged")

    assert files.digest in message
    assert seen.observer.versions_seen == {str(victim.good), str(other)}
    eventually(
        lambda: served.status["history"][0]["outcome"] == "Failed",
        deadline_seconds=10,
        describe="the history tells of the rollout that failed",
    )
