"""MLflow answers slowly, with garbage or without end: what serves goes on, and it is told."""

from collections.abc import Callable

import pytest

from support.hostile_registry import hostile_registry
from support.hostile_server import Behaviour, build_answer, drip, flood, say
from support.stage import Stage
from support.wine import Wine

REQUESTS_PER_SECOND = 150.0
BOUNDS = ("--count", "100000", "--seconds", "600")
GARBAGE = build_answer(b"<html>Welcome</html>", content_type="text/html")


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        pytest.param(drip, "did not answer within", id="slowly", marks=pytest.mark.deep),
        pytest.param(say(GARBAGE), "instead of a JSON object", id="with garbage"),
        pytest.param(flood, "more than 16 MiB", id="without end", marks=pytest.mark.deep),
    ],
)
def test_a_registry_that_answers_nonsense_harms_nobody(
    wine: Wine,
    stage: Stage,
    note_figure: Callable[[str], None],
    behaviour: Behaviour,
    words: str,
) -> None:
    served, new, before = wine.served, wine.other, wine.served.pods
    with served.load(REQUESTS_PER_SECOND, *BOUNDS) as load:
        with hostile_registry(stage, behaviour):
            told = served.wait_for_condition(
                "RegistryReachable", "False", "RegistryUnreachable", deadline_seconds=120
            )
            assert words in told["message"]
            assert set(served.pods) == set(before), "the server's pods are others now"
            assert served.condition("Available")["status"] == "True"
        served.wait_for_condition("RegistryReachable", "True", deadline_seconds=120)
        served.promote(new)
        served.wait_until_served(new)
        summary = load.stop()

    note_figure(f"the registry answers {words!r}: {summary.describe()}")
    assert summary.failed == 0, summary.failures
