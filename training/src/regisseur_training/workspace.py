"""Copy the pipeline into a folder of its own, with other parameters if wanted.

A second model can then be trained beside the first without touching the checkout, its lock or its
data. The copy needs no git; `dvc repro` runs in it as it does here.
"""

import argparse
import shutil
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

import yaml

from regisseur_training.errors import TrainingError, run_to_exit
from regisseur_training.params import PARAMS_FILE, Params, read_params

_LOCK: Final = Path("dvc.lock")
_FILES: Final = (PARAMS_FILE, _LOCK, *map(Path, ("dvc.yaml", ".dvcignore", ".dvc/config")))
_CODE: Final = Path("training/src")
_LOCAL_CONFIG: Final = Path(".dvc/config.local")


def copy_workspace(source: Path, target: Path, changes: Sequence[str] = ()) -> None:
    """Copy what the pipeline is made of; results that the target has already stay.

    Args:
        source: Folder with dvc.yaml.
        target: Folder of the copy, made when it is missing.
        changes: Parameters of the copy, as `train.algorithm=random_forest`.

    Raises:
        TrainingError: The source is no pipeline, or a change is not possible.
    """
    if not (source / "dvc.yaml").is_file():
        raise TrainingError(f"{source} has no dvc.yaml; run this in the checkout")
    # Read for its errors: a missing or wrong file is told in one line.
    read_params(source / PARAMS_FILE)
    params = change_params((source / PARAMS_FILE).read_text(encoding="utf-8"), changes)
    for file in _FILES:
        # Before the first run there is no lock.
        if file == _LOCK and not (source / file).exists():
            continue
        (target / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / file, target / file)
    shutil.copytree(
        source / _CODE,
        target / _CODE,
        ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"),
        dirs_exist_ok=True,
    )
    if changes:
        (target / PARAMS_FILE).write_text(params, encoding="utf-8")
    own = f"[core]\n    no_scm = true\n    site_cache_dir = {target.resolve() / '.dvc/site'}\n"
    (target / _LOCAL_CONFIG).write_text(own, encoding="utf-8")


def change_params(text: str, changes: Sequence[str]) -> str:
    """Return the text of a parameter file with some values changed.

    Raises:
        TrainingError: A change has no `=`, names no parameter, or has a value out of range.
    """
    content = yaml.safe_load(text)
    for change in changes:
        key, separator, value = change.partition("=")
        *sections, last = key.strip().split(".")
        node = content
        for section in sections:
            node = node.get(section) if isinstance(node, dict) else None
        if not separator or not isinstance(node, dict) or last not in node:
            raise TrainingError(f"'{change}' does not set a parameter; write e.g. seed=7")
        try:
            node[last] = yaml.safe_load(value)
        except yaml.YAMLError:
            raise TrainingError(f"'{change}' has no valid YAML value; write e.g. seed=7") from None
    changed = yaml.safe_dump(content, sort_keys=False)
    Params.parse(changed, source=str(PARAMS_FILE))
    return changed


def main(arguments: Sequence[str]) -> int:
    """Run the program in the checkout."""
    parser = argparse.ArgumentParser(prog="workspace", description=__doc__.partition("\n")[0])
    parser.add_argument("target", type=Path, help="folder of the copy")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="change a parameter"
    )
    given = parser.parse_args(arguments)
    copy_workspace(Path(), given.target, given.set)
    sys.stdout.write(f"pipeline copied to {given.target}; run 'dvc repro' there\n")
    return 0


if __name__ == "__main__":
    run_to_exit(partial(main, sys.argv[1:]))
