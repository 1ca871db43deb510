"""Read a model folder as MLflow wrote it."""

import json
from pathlib import Path
from typing import Any

import yaml

from regisseur_contract.digest import EXCLUDED
from regisseur_serving.core.mlmodel import MLmodel, parse_mlmodel
from regisseur_serving.errors import ModelError

_MLMODEL = "MLmodel"
_MAX_BYTES = 8 << 20
_EXAMPLE_ROWS = 5

Example = list[Any]
"""Rows that a model predicts: objects where its columns have names, lists of values where not."""


def read_mlmodel(folder: Path) -> MLmodel:
    """Read the MLmodel file of a folder.

    Raises:
        ModelError: It is missing, broken, or of a model that this server does not serve.
    """
    path = folder / _MLMODEL
    if not path.is_file():
        raise ModelError(f"there is no file {_MLMODEL} in {folder}; fetch the model first")
    try:
        document = yaml.safe_load(read_text(path))
    except (yaml.YAMLError, RecursionError):
        raise ModelError(f"{_MLMODEL} in {folder} is not YAML; log the model again") from None
    return parse_mlmodel(document)


def read_example(folder: Path, mlmodel: MLmodel, *, rows: int = _EXAMPLE_ROWS) -> Example:
    """Return the first rows of the input example; none when there is no example.

    MLflow leaves the names of columns away where they are numbers, and all names of an array.

    Raises:
        ModelError: The example is announced but missing or unreadable.
    """
    if not mlmodel.example_file:
        return []
    path = resolve_inside(folder, mlmodel.example_file)
    try:
        return _take_rows(json.loads(read_text(path)), rows)
    except (ValueError, KeyError, TypeError, RecursionError):
        if mlmodel.is_example_free:
            return []
        raise ModelError(
            f"the input example {mlmodel.example_file} is not a table; log the model again"
        ) from None


def _take_rows(document: Any, count: int) -> Example:  # noqa: ANN401 - a JSON text of any shape
    if isinstance(document, list) and document:
        return [row if isinstance(row, list | dict) else [row] for row in document[:count]]
    rows = document["data"][:count]
    if "columns" not in document:
        return list(rows)
    return [dict(zip(document["columns"], row, strict=True)) for row in rows]


def resolve_inside(folder: Path, name: str) -> Path:
    """Return the path of an existing file of the model.

    Raises:
        ModelError: There is no such file, it lies outside the folder, or no digest covers it.
    """
    root = folder.resolve()
    path = (root / name).resolve()
    if not path.is_relative_to(root):
        raise ModelError(f"MLmodel names the file {name[:80]!r} outside the model folder")
    if path.relative_to(root).as_posix() in EXCLUDED:
        raise ModelError(
            f"MLmodel names the file {name[:80]!r}, which belongs to MLflow's client and is no part"
            " of the model; log the model under another name"
        )
    if not path.is_file():
        raise ModelError(
            f"MLmodel names the file {name[:80]!r}, which is not in {folder}; log the model again"
        )
    return path


def read_text(path: Path) -> str:
    """Return the text of a file of the model.

    Raises:
        ModelError: It is too large, or cannot be read.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ModelError(f"{path.name} is larger than {_MAX_BYTES} bytes")
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"cannot read {path.name}: {type(error).__name__}") from None
