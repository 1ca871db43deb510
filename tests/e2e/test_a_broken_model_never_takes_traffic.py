"""A version whose files are damaged: the old one goes on serving and the resource says why."""

from collections.abc import Callable

import pytest

from support.faulty_versions import MODEL_FILE
from support.victim import Case, Victim

pytestmark = pytest.mark.timeout(600, func_only=True)


def test_a_broken_model_never_takes_traffic(
    victim: Victim, case: Callable[..., Case], note_figure: Callable[[str], None]
) -> None:
    served, broken, good = victim.served, victim.versions.broken(), victim.versions.good()

    with case() as seen:
        served.promote(broken)
        message = victim.wait_until_rejected(broken, "ArtifactInvalid")
        assert MODEL_FILE in message
        assert served.condition("Rehearsed")["status"] == "False"
        assert served.condition("Stalled")["reason"] == "VersionRejected"
        assert served.status["stable"]["version"] == victim.good
        assert seen.observer.versions_seen == {str(victim.good)}
        promoted = served.promote(good)
        ended = victim.wait_until_served(good)

    assert set(seen.load.so_far.versions) == {str(victim.good), str(good)}
    note_figure(f"the resource says: {message}")
    note_figure(f"a good version served {ended - promoted:.1f} s after its promotion")
