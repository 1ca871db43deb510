"""The stages of dvc.yaml, one module each: read, decide in core, write.

Each runs as `python -m regisseur_training.stages.<stage>` in the folder that holds dvc.yaml. A
stage is a function that returns the line that tells what it did; `run_stage` adds the time it took,
counted from the import of this package: most of it is imports.
"""

import time
from collections.abc import Callable
from typing import NoReturn

from regisseur_training.errors import run_to_exit

_STARTED = time.monotonic()


def run_stage(stage: Callable[[], str]) -> NoReturn:
    """Run a stage to the end of the process."""

    def program() -> int:
        line = stage()
        print(f"{line} ({time.monotonic() - _STARTED:.1f} s)")
        return 0

    run_to_exit(program)
