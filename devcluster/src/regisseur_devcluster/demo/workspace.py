"""A copy of the training pipeline, so that the demo's experiments never touch the checkout."""

import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from regisseur_devcluster.commands import run
from regisseur_devcluster.errors import DevclusterError
from regisseur_devcluster.settings import REPOSITORY, search_path

COPIED: Final = ("params.yaml", "dvc.yaml", "dvc.lock", ".dvcignore")
SOURCES: Final = "training/src"
"""What the stages depend on; DVC looks at the files, Python imports the installed package."""

LINEAR: Final = "logistic_regression"
FOREST: Final = "random_forest"


@dataclass(frozen=True)
class Workspace:
    """A folder with a pipeline of its own.

    Attributes:
        folder: Where it is.
    """

    folder: Path

    @property
    def model(self) -> str:
        """Name of the registered model."""
        return str(self._params()["model"]["name"])

    @property
    def algorithm(self) -> str:
        """What is trained at present."""
        return str(self._params()["train"]["algorithm"])

    @property
    def has_registered(self) -> bool:
        """Whether a version was registered from here."""
        return bool(self._registered())

    def create(self) -> None:
        """Copy the pipeline of the checkout; what was trained with last is kept."""
        self.folder.mkdir(parents=True, exist_ok=True)
        trained = self.algorithm if self.has_registered else ""
        for name in COPIED:
            if (source := REPOSITORY / name).exists():
                shutil.copy(source, self.folder / name)
        if trained:
            self._choose(trained)
        ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
        shutil.rmtree(self.folder / SOURCES, ignore_errors=True)
        shutil.copytree(REPOSITORY / SOURCES, self.folder / SOURCES, ignore=ignored)
        if not (self.folder / ".dvc").exists():
            self._run("dvc", "init", "--no-scm", "--quiet")
            self._run("dvc", "config", "core.analytics", "false")
            self._run("dvc", "config", "core.check_update", "false")

    def fit(self, algorithm: str) -> None:
        """Train and evaluate with an algorithm, which needs no registry yet."""
        self._choose(algorithm)
        self._run("dvc", "repro", "evaluate")

    def train(self, algorithm: str, registry_url: str) -> str:
        """Train, evaluate and register with an algorithm; return the new version."""
        self._choose(algorithm)
        preflight = (sys.executable, "-m", "regisseur_training.stages.preflight")
        self._run(*preflight, registry_url=registry_url)
        self._run("dvc", "repro", registry_url=registry_url)
        if version := self._registered():
            return version
        raise DevclusterError(f"the pipeline in {self.folder} registered no version")

    def promote(self, version: str, registry_url: str) -> str:
        """Promote a version by the project's own command; return what it says."""
        module = "regisseur_training.promote"
        command = (sys.executable, "-m", module, "--version", version)
        return self._run(*command, registry_url=registry_url).strip()

    def _registered(self) -> str:
        """Return the version that was registered from here last, or nothing."""
        try:
            registered = json.loads((self.folder / "registered.json").read_text())
        except (OSError, ValueError):
            return ""
        return str(registered["version"])

    def _choose(self, algorithm: str) -> None:
        params = self._params()
        params["train"]["algorithm"] = algorithm
        (self.folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))

    def _params(self) -> dict[str, dict[str, object]]:
        document: dict[str, dict[str, object]] = yaml.safe_load(
            (self.folder / "params.yaml").read_text()
        )
        return document

    def _run(self, *arguments: str, registry_url: str = "") -> str:
        # The stages call `python`: the one of this virtual environment has to come first.
        return run(
            arguments,
            folder=self.folder,
            extra_environment={
                "PATH": search_path(Path(sys.executable).parent),
                "MLFLOW_TRACKING_URI": registry_url,
                "GIT_COMMIT": _commit(),
            },
            log=self.folder / "logs" / f"{Path(arguments[-1]).name}.log",
        )


def _commit() -> str:
    try:
        return run(["git", "-C", REPOSITORY, "rev-parse", "HEAD"]).strip()
    except DevclusterError:
        return "unknown"
