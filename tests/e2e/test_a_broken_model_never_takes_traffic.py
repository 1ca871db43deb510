"""A version whose files are damaged: the old one goes on serving and the resource says why."""

from collections.abc import Callable
from pathlib import Path

from support.eventually import eventually
from support.model_versions import create_model_version
from support.wine import Wine

GARBAGE = "this is no model"


def test_a_broken_model_never_takes_traffic(
    wine: Wine, tmp_path: Path, note_figure: Callable[[str], None]
) -> None:
    served, old, new = wine.served, wine.now, wine.other
    (tmp_path / "MLmodel").write_text(GARBAGE)
    broken = create_model_version(served.registry, served.model, folder=tmp_path)
    served.deploy(progressDeadlineSeconds=20)
    served.wait_until_ready()

    with served.load(100.0, "--count", "50000", "--seconds", "300") as load:
        promoted = served.promote(broken)
        eventually(
            lambda: _names_the_cause(served.condition("Ready").get("message", "")),
            deadline_seconds=120,
            interval=1,
            describe=lambda: f"the resource says what is wrong; {served.describe()}",
        )
        message = served.condition("Ready")["message"]
        assert served.condition("Ready")["status"] == "False"
        assert served.condition("Available")["status"] == "True"
        assert served.status["stable"]["version"] == old
        served.promote(new)
        ended = served.wait_until_served(new)
        served.wait_until_ready()
        summary = load.stop()

    note_figure(f"broken version: {summary.describe()}; the resource says: {message}")
    note_figure(f"a good version served {ended - promoted:.1f} s after the broken one's promotion")
    assert summary.failed == 0, summary.failures
    assert set(summary.versions) == {str(old), str(new)}


def _names_the_cause(message: str) -> bool:
    return "MLmodel" in message
