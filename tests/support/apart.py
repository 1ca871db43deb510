"""Programs that cannot live with our versions, in environments of their own."""

import hashlib
from pathlib import Path

from regisseur_devcluster.settings import REPOSITORY, cache_folder


def python_of(name: str) -> Path:
    """Return the interpreter of the environment that `tools/make-apart` made of a lock.

    Raises:
        AssertionError: It was not made; names the command that makes it.
    """
    lock = REPOSITORY / "locks" / "apart" / f"{name}.txt"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
    folder = cache_folder() / "apart" / f"{name}-{digest}"
    assert (folder / ".made").exists(), f"the client {name} is missing; run `make clients`"
    return folder / "bin" / "python"
