"""The program of a serving image that fails as the model's folder tells it to.

It runs in a pod, in the place of the real entry point, and leads to it. A file `fault.json` beside
MLmodel says what `serve` does wrong; `fetch` and `rehearse` are always the real ones, so that such
a version passes its rehearsal.
"""

import json
import os
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from regisseur_contract.http import PORT, ROUTE_READY
from regisseur_contract.runtime import ENV_MODEL_DIR, SUBCOMMAND_SERVE
from regisseur_serving.__main__ import main

FAULT_FILE = "fault.json"
AT_START = "dies_at_start"
AFTER_READY = "dies_after_ready"
NEVER_READY = "is_never_ready"
EXIT_CODE = 70
LAST_WORD = "the model asked this server to die"


def fail_as_told() -> None:
    """Do what the model's folder says."""
    path = Path(os.environ[ENV_MODEL_DIR], FAULT_FILE)
    fault = json.loads(path.read_text()) if path.exists() else {}
    if AT_START in fault:
        die()
    if NEVER_READY in fault:
        time.sleep(fault[NEVER_READY])
    if AFTER_READY in fault:
        threading.Thread(target=die_later, args=[fault[AFTER_READY]], daemon=True).start()


def die_later(seconds: float) -> None:
    """End the server some time after it is ready."""
    while not is_ready():
        time.sleep(0.1)
    time.sleep(seconds)
    die()


def is_ready() -> bool:
    """Ask the server in the same process."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{PORT}{ROUTE_READY}", timeout=1):
            return True
    except (urllib.error.URLError, OSError):
        return False


def die() -> None:
    """End as a crash does: at once, with whatever is in flight."""
    sys.stderr.write(f"error: {LAST_WORD}\n")
    sys.stderr.flush()
    os._exit(EXIT_CODE)


if __name__ == "__main__":
    if sys.argv[1:] == [SUBCOMMAND_SERVE]:
        fail_as_told()
    sys.exit(main())
