"""What is there before the first measurement: our packages, and the models for each server."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from regisseur_bench.serving.contestants import ONNX, PEERS, Environments
from regisseur_bench.serving.loads import MODELS
from regisseur_bench.serving.processes import BenchError

REPOSITORY: Final = Path(__file__).parents[4]
_OUR_MEMBERS: Final = ("contract", "serving")


def prepare(
    environments: Environments, scratch: Path, say: Callable[[str], None]
) -> dict[Path, Path]:
    """Make everything ready and return the folder of models of each python.

    Raises:
        BenchError: A step failed.
    """
    _install_ours(environments.packages)
    folders: dict[Path, Path] = {}
    for python in (environments.mlflow, environments.mlserver, environments.kserve):
        folders[python] = scratch / f"models-{len(folders)}"
        more = ["--mlflow"] if python == environments.mlflow else []
        _run([python, PEERS / "fit.py", folders[python], *more])
    # Our image has the same scikit-learn as the environment that has MLflow.
    folders[environments.serving] = folders[environments.mlflow]
    say("the models are fitted")
    for model in MODELS:
        _convert(environments, folders[environments.serving] / model / "model")
    say("the models are converted to ONNX")
    return folders


def _install_ours(folder: Path) -> None:
    uv = Path(sys.executable).with_name("uv")
    members = [REPOSITORY / member for member in _OUR_MEMBERS]
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--target", str(folder)]
    _run([uv, "pip", "install", "--python", sys.executable, *options, *members])


def _convert(environments: Environments, folder: Path) -> None:
    places = {"PYTHONPATH": str(environments.packages), "REGISSEUR_MODEL_DIR": str(folder)}
    _run([environments.serving, "-m", "regisseur_serving", "convert"], {**ONNX, **places})


def _run(command: Sequence[Path | str], environment: Mapping[str, str] | None = None) -> None:
    ended = subprocess.run(
        [str(part) for part in command],
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode != 0:
        last = ended.stderr.strip().splitlines()[-1:]
        raise BenchError(f"`{Path(command[0]).name} {command[1]} …` failed: {' '.join(last)}")
