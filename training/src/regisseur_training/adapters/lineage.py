"""Where a model comes from: the commit of the code and the version of the data."""

import hashlib
import os
import subprocess
from pathlib import Path
from typing import Final

UNKNOWN_COMMIT: Final = "unknown"


def read_git_sha() -> str:
    """Return GIT_COMMIT as Jenkins sets it, else the commit of the checkout, else `unknown`."""
    if commit := os.environ.get("GIT_COMMIT"):
        return commit
    try:
        answer = subprocess.run(
            ["git", "rev-parse", "HEAD"], check=True, capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.SubprocessError):
        return UNKNOWN_COMMIT
    return answer.stdout.strip()


def read_data_version(path: Path) -> str:
    """Return the MD5 of a data file, which is what DVC records for it."""
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
