"""A copy of the training pipeline for a test, and DVC to run it with."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from regisseur_training.workspace import copy_workspace

ROOT = Path(__file__).parents[2]
GIT_COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass(frozen=True, slots=True)
class Finished:
    """A program that ended: its exit code, and what it wrote to both streams."""

    code: int
    output: str


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A copy of the pipeline in a folder of its own.

    Args:
        folder: Where dvc.yaml is.
        tracking_uri: Address of its registry; the default of training when empty.
    """

    folder: Path
    tracking_uri: str = ""

    @classmethod
    def copied(
        cls, folder: Path, *, tracking_uri: str = "", changes: Sequence[str] = ()
    ) -> "Pipeline":
        """Copy the pipeline of the checkout, with some parameters changed."""
        copy_workspace(ROOT, folder, changes)
        return cls(folder, tracking_uri)

    def repro(self, *arguments: str) -> Finished:
        """Run `dvc repro`."""
        return self.run("dvc", "repro", *arguments)

    def run_module(self, module: str, *arguments: str) -> Finished:
        """Run a program of training, as `make` does."""
        return self.run("python", "-m", f"regisseur_training.{module}", *arguments)

    def run(self, *command: str) -> Finished:
        """Run a program of the virtual environment in the folder."""
        ended = subprocess.run(
            command,
            cwd=self.folder,
            env=self._environment(),
            check=False,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        return Finished(ended.returncode, ended.stdout)

    def lock(self) -> str:
        """Return the text of dvc.lock."""
        return (self.folder / "dvc.lock").read_text()

    def change(self, old: str, new: str) -> None:
        """Edit params.yaml as a person would, mistakes included."""
        params = self.folder / "params.yaml"
        text = params.read_text()
        assert old in text
        params.write_text(text.replace(old, new))

    def _environment(self) -> dict[str, str]:
        own = {key: value for key, value in os.environ.items() if not key.startswith("MLFLOW_")}
        programs = str(Path(sys.executable).parent)
        return own | {
            "PATH": os.pathsep.join([programs, own.get("PATH", "")]),
            "GIT_COMMIT": GIT_COMMIT,
            "MLFLOW_TRACKING_URI": self.tracking_uri,
        }


def read_recorded(lock: str, stage: str, part: str) -> dict[str, str]:
    """Return the MD5 by path that a lock holds for the `deps` or `outs` of a stage."""
    return {entry["path"]: entry["md5"] for entry in yaml.safe_load(lock)["stages"][stage][part]}
