"""What a model wants of its environment, and what this one has."""

import importlib.metadata
import platform
from pathlib import Path

import yaml

from regisseur_serving.adapters.model_folder import read_text
from regisseur_serving.core.mlmodel import MLmodel
from regisseur_serving.core.requirements import Installed, Requirements

_REQUIREMENTS = "requirements.txt"
_CONSTRAINTS = "constraints.txt"
_PYTHON = "python_env.yaml"


def read_requirements(folder: Path, mlmodel: MLmodel) -> Requirements:
    """Return what a model folder says of its environment.

    Raises:
        ModelError: One of the files cannot be read.
    """
    return Requirements(
        packages=_read_lines(folder / _REQUIREMENTS),
        constraints=_read_lines(folder / _CONSTRAINTS),
        python=mlmodel.python_version or _read_python(folder / _PYTHON),
    )


def list_installed() -> Installed:
    """Return what this program could import."""
    packages = {
        distribution.name: distribution.version
        for distribution in importlib.metadata.distributions()
        # What was half removed has no name.
        if distribution.name
    }
    return Installed(packages, platform.python_version())


def _read_lines(path: Path) -> tuple[str, ...]:
    return tuple(read_text(path).splitlines()) if path.is_file() else ()


def _read_python(path: Path) -> str:
    if not path.is_file():
        return ""
    try:
        document = yaml.safe_load(read_text(path))
    except (yaml.YAMLError, RecursionError):
        return ""
    return str(document.get("python", "")) if isinstance(document, dict) else ""
