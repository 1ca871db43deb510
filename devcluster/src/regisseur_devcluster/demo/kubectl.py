"""Speaking to a cluster as a person would: with kubectl and a kubeconfig."""

import json
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regisseur_devcluster.commands import run
from regisseur_devcluster.settings import environment
from regisseur_devcluster.tools import tool


@dataclass(frozen=True)
class Kubectl:
    """The cluster of a kubeconfig.

    Attributes:
        kubeconfig: Names the cluster and who we are to it.
        program: A kubectl of the person's own, instead of the project's.
        helm: A helm of the person's own, instead of the project's.
    """

    kubeconfig: Path
    program: Path | None = None
    helm: Path | None = None

    def __call__(
        self, *arguments: str | Path, stdin: str | None = None, timeout_seconds: float = 300
    ) -> str:
        """Run kubectl and return what it printed.

        Raises:
            CommandError: It failed; the message ends with what it said.
        """
        return run(self.command(*arguments), stdin=stdin, timeout_seconds=timeout_seconds)

    def read(self, *arguments: str) -> dict[str, Any]:
        """Return what `kubectl get` finds."""
        document: dict[str, Any] = json.loads(self("get", *arguments, "-o", "json"))
        return document

    def apply(self, manifest: str) -> None:
        """Apply a manifest by server-side apply, taking over its fields."""
        self("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=manifest)

    def watch(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `kubectl get --watch`; `read_documents` reads what it prints."""
        watching = ("get", *arguments, "--watch", "--output-watch-events", "-o", "json")
        return subprocess.Popen(
            self.command(*watching),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment(),
        )

    def command(self, *arguments: str | Path) -> list[str]:
        """Return the whole command line."""
        program = self.program or tool("kubectl")
        return [str(part) for part in (program, "--kubeconfig", self.kubeconfig, *arguments)]

    @property
    def typed(self) -> str:
        """What a person types for it: a path only where no kubectl is at hand."""
        if shutil.which("kubectl"):
            return shlex.join(["kubectl", *self.command()[1:]])
        return shlex.join(self.command())


def read_documents(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    """Read JSON objects that are printed one after the other, each over many lines.

    An object ends with the only line that is a closing brace without indentation.
    """
    collected: list[str] = []
    for line in lines:
        collected.append(line)
        if line.startswith("}") or (line.startswith("{") and line.rstrip().endswith("}")):
            yield json.loads("".join(collected))
            collected.clear()
