"""The fitted model as a skops file with the same bytes for the same model.

skops names the parts of a model by their addresses in memory and stamps them with the time. Both
change from run to run, so they are replaced: numbers in order of appearance, and one fixed date.
Without that every training would look like a change to DVC.
"""

import io
import json
import re
import zipfile
from pathlib import Path
from typing import cast

import skops.io
from skops.io.exceptions import UntrustedTypesFoundException

from regisseur_training.core.model import TRUSTED_TYPES, Classifier
from regisseur_training.errors import TrainingError

_SCHEMA = "schema.json"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_NUMBERED_FILE = re.compile(r"^(\d+)(\.\w+)$")


def write_model(path: Path, classifier: Classifier) -> None:
    """Write a fitted classifier."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_with_stable_bytes(skops.io.dumps(classifier)))


def read_model(path: Path) -> Classifier:
    """Read a classifier that is made of trusted types only.

    Raises:
        TrainingError: The file is missing, broken or needs a type that nobody trusts.
    """
    try:
        return cast("Classifier", skops.io.load(path, trusted=list(TRUSTED_TYPES)))
    except UntrustedTypesFoundException as error:
        raise TrainingError(f"{path} is refused: {error}") from None
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise TrainingError(f"cannot read {path} ({error}); run 'dvc repro'") from None


def list_untrusted_types(classifier: Classifier) -> list[str]:
    """Return the types beyond skops' own list that the classifier is made of."""
    return list(skops.io.get_untrusted_types(data=skops.io.dumps(classifier)))


def _with_stable_bytes(model: bytes) -> bytes:
    numbers: dict[int, int] = {}
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(model)) as source, zipfile.ZipFile(target, "w") as stable:
        schema = _renumbered(json.loads(source.read(_SCHEMA)), numbers)
        members = {
            _renamed(name, numbers): source.read(name)
            for name in source.namelist()
            if name != _SCHEMA
        }
        members[_SCHEMA] = json.dumps(schema, indent=1).encode()
        for name in sorted(members):
            stable.writestr(zipfile.ZipInfo(name, _EPOCH), members[name])
    return target.getvalue()


def _renumbered(node: object, numbers: dict[int, int]) -> object:
    if isinstance(node, list):
        return [_renumbered(part, numbers) for part in node]
    if not isinstance(node, dict):
        return node
    changed = {key: _renumbered(part, numbers) for key, part in node.items()}
    if "__id__" in node:
        changed["__id__"] = numbers.setdefault(node["__id__"], len(numbers) + 1)
    if "__loader__" in node and isinstance(node.get("file"), str):
        changed["file"] = _renamed(node["file"], numbers)
    return changed


def _renamed(name: str, numbers: dict[int, int]) -> str:
    match = _NUMBERED_FILE.match(name)
    if match is None:
        return name
    return f"{numbers.setdefault(int(match[1]), len(numbers) + 1)}{match[2]}"
