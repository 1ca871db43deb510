"""Write what is made from the models into the checkout, or say what is stale.

Run as `python -m regisseur_operator.api.generate --write` or `--check`. This is the one module of
the API that touches files; the operator itself never imports it.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from regisseur_operator.api.crd import CRD_NAME, render_crd
from regisseur_operator.api.manual import render_manual

_CHECKOUT: Final = Path(__file__).parents[4]

TARGETS: Final[Mapping[Path, Callable[[], str]]] = {
    Path("crds") / f"{CRD_NAME}.yaml": render_crd,
    Path("charts") / "regisseur" / "files" / "crds" / f"{CRD_NAME}.yaml": render_crd,
    Path("docs") / "conditions.md": render_manual,
}
"""The definition for kubectl, the chart's copy of the same bytes, and the page of the reasons."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m regisseur_operator.api.generate", description=__doc__.splitlines()[0]
    )
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--write", action="store_true", help="write the files that changed")
    mode.add_argument("--check", action="store_true", help="fail when a file is stale")
    parser.add_argument("--root", type=Path, default=_CHECKOUT, help="the checkout")
    options = parser.parse_args(arguments)
    stale = find_stale(options.root)
    if options.write:
        for target in stale:
            _write(options.root / target, TARGETS[target]())
            sys.stdout.write(f"wrote {target}\n")
        return 0
    for target in stale:
        sys.stderr.write(f"{target} is stale: run `make generate` and commit it\n")
    return 1 if stale else 0


def find_stale(root: Path) -> list[Path]:
    """Return the generated files that are missing or differ from the models."""
    return [target for target, render in TARGETS.items() if _read(root / target) != render()]


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
