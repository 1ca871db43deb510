"""`make check` is worth nothing if it cannot go red: each kind of fault is tried."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MEMBERS = ("contract", "operator", "serving", "training", "devcluster", "bench")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the sources and of what configures the checks."""
    for member in MEMBERS:
        shutil.copytree(
            ROOT / member / "src",
            tmp_path / member / "src",
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    for name in ("crds", "charts"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in ("pyproject.toml", ".importlinter"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def run(copy: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a tool of the virtual environment on the copy instead of on the checkout."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(str(copy / member / "src") for member in MEMBERS),
    }
    tool = Path(sys.executable).with_name(command[0])
    return subprocess.run(
        [tool, *command[1:]], cwd=copy, env=environment, check=False, capture_output=True, text=True
    )


def prepend(path: Path, line: str) -> None:
    path.write_text(f"{line}\n{path.read_text()}")


def test_the_copy_itself_is_clean(copy: Path) -> None:
    result = run(copy, "lint-imports", "--no-cache")
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("module", "line"),
    [
        pytest.param(
            "operator/src/regisseur_operator/core/planner.py",
            "import regisseur_operator.reconcile",
            id="core imports a layer above it",
        ),
        pytest.param(
            "operator/src/regisseur_operator/core/planner.py",
            "import time",
            id="core reads the clock",
        ),
        pytest.param(
            "serving/src/regisseur_serving/errors.py",
            "import mlflow",
            id="the server imports mlflow",
        ),
        pytest.param(
            "operator/src/regisseur_operator/errors.py",
            "import regisseur_serving",
            id="one application imports another",
        ),
    ],
)
def test_a_wrong_way_import_is_refused(copy: Path, module: str, line: str) -> None:
    prepend(copy / module, line)
    result = run(copy, "lint-imports", "--no-cache")
    assert result.returncode != 0
    assert "BROKEN" in result.stdout


def test_a_stale_crd_is_refused(copy: Path) -> None:
    crd = copy / "crds/modeldeployments.regisseur.dev.yaml"
    crd.write_text(crd.read_text().replace("mdep", "mdp"))
    result = run(copy, "python", "-m", "regisseur_operator.api.generate", "--check")
    assert result.returncode != 0
    assert "make generate" in result.stdout + result.stderr


def test_an_unformatted_file_is_refused(copy: Path) -> None:
    path = copy / "contract/src/regisseur_contract/names.py"
    path.write_text(path.read_text() + "x = {  'a':1 }\n")
    assert run(copy, "ruff", "format", "--check", str(path)).returncode != 0
