"""Golden stories: a rollout as people would tell it, one readable text file a story.

A story is played in a small world to its end; what the operator wrote, said and showed is compared
with the file. `REGISSEUR_GOLDEN=write` writes the files anew, to be reviewed as a diff.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from regisseur_contract.names import LABEL_MODEL_VERSION
from regisseur_operator.reconcile import Outcome
from regisseur_operator.reconcile.reconciler import STATUS_WRITE
from support.fake_pod_status import is_ready
from support.worlds import KEY, PATIENCE_SECONDS, World

GOLDEN = Path(__file__).parents[1] / "golden"
FLAG = "REGISSEUR_GOLDEN"
ONLY_WHILE_TRUE = ("Stalled", "Reconciling")


class Story:
    """Plays a world and writes down what happens.

    Args:
        title: First line of the file; the file is called after it.
        world: Where it plays.
    """

    def __init__(self, title: str, world: World) -> None:
        self.world = world
        self._title = title
        self._lines = [f"# {title}"]
        self._last_state = ""
        self._begun_at = world.clock.now()

    def tell(self, what: str) -> None:
        """Begin a paragraph: somebody outside does something."""
        self._lines += ["", f"== {what}"]
        self._begun_at = self.world.clock.now()

    async def round(self) -> None:
        """Do one reconcile."""
        outcome = await self.world.survive_reconcile()
        if outcome is not None:
            self._note(outcome)

    async def play(self, what: str, *, patience: float = PATIENCE_SECONDS) -> None:
        """Tell what somebody did, and go on until everything is at rest or so long."""
        self.tell(what)
        await self.world.settle(self._note, patience=patience)

    def compare(self) -> None:
        """Compare with the file, or write it.

        Raises:
            AssertionError: The story went otherwise.
        """
        path = GOLDEN / f"{self._title.lower().replace(' ', '-')}.txt"
        told = "\n".join(self._lines) + "\n"
        if os.environ.get(FLAG) == "write":
            GOLDEN.mkdir(exist_ok=True)
            path.write_text(told, encoding="utf-8")
        expected = path.read_text(encoding="utf-8") if path.exists() else ""
        assert told == expected, f"the story changed; review it with {FLAG}=write"

    def _note(self, outcome: Outcome) -> None:
        writes = [write.title for write in outcome.writes if write != STATUS_WRITE]
        if writes:
            self._lines.append(f"   writes  {', '.join(writes)}")
        self._lines += [
            f"   {note.kind.lower():7} {note.reason}: {note.message}" for note in outcome.notes
        ]
        state = self._describe()
        if state != self._last_state:
            passed = int((self.world.clock.now() - self._begun_at).total_seconds())
            self._lines.append(f"   {passed:4} s  {state}")
            self._last_state = state

    def _describe(self) -> str:
        parts = [*self._describe_versions(), f"pods {self._describe_pods() or 'none'}"]
        for entry in self.world.status.conditions:
            is_bad = entry.status != "True" and entry.type not in ONLY_WHILE_TRUE
            if is_bad or (entry.type == "Stalled" and entry.status == "True"):
                parts.append(f"{entry.type}={entry.status}/{entry.reason}")
        return ", ".join(parts)

    def _describe_versions(self) -> Iterator[str]:
        status = self.world.status
        yield str(status.phase)
        if status.stable is None:
            yield "stable none"
        else:
            yield f"stable v{status.stable.version} (rollout {status.stable.revision})"
        if status.candidate is not None:
            yield f"candidate v{status.candidate.version} ({status.candidate.phase})"
        if status.rejected:
            yield f"rejected {' '.join(f'v{entry.version}' for entry in status.rejected)}"

    def _describe_pods(self) -> str:
        pods = [
            pod["metadata"]["labels"][LABEL_MODEL_VERSION] + ("+" if is_ready(pod) else "-")
            for pod in self.world.workloads.pods(KEY)
        ]
        return " ".join(pods)
