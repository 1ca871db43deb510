"""Write the custom resource definition into the checkout, or say whether it is stale.

Run as `python -m regisseur_operator.api.generate --write` or `--check`. This is the one module of
the API that touches files; the operator itself never imports it.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from regisseur_operator.api.crd import CRD_NAME, render_crd

_CHECKOUT: Final = Path(__file__).parents[4]

TARGETS: Final = (
    Path("crds") / f"{CRD_NAME}.yaml",
    Path("charts") / "regisseur" / "files" / "crds" / f"{CRD_NAME}.yaml",
)
"""The definition for kubectl, and the chart's copy of the same bytes."""


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
            _write(options.root / target)
            sys.stdout.write(f"wrote {target}\n")
        return 0
    for target in stale:
        sys.stderr.write(f"{target} is stale: run `make generate` and commit it\n")
    return 1 if stale else 0


def find_stale(root: Path) -> list[Path]:
    """Return the generated files that are missing or differ from the models."""
    text = render_crd()
    return [target for target in TARGETS if _read(root / target) != text]


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _write(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render_crd(), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
