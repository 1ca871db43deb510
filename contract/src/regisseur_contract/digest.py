"""The canonical digest of a model folder: one value for all its files and their names.

A version is served only with the files that were checked. MLflow keeps no digest, so training tags
the version with this one, the rehearsal computes it, and every later pod compares it.

The digest is the SHA-256 of one line a file, `<sha256 of the content>  <path>` as `sha256sum`
writes it, sorted by path (as UTF-8 bytes, `/` between folders): anybody can compute it by hand.
"""

import hashlib
from collections.abc import Mapping
from typing import Final

ALGORITHM: Final = "sha256"

EXCLUDED: Final = frozenset({"registered_model_meta"})
"""Files at the top of the folder that MLflow's client writes while it downloads. They are no part
of a model: they are neither fetched nor read."""


def digest_files(sha256_by_path: Mapping[str, str]) -> str:
    """Return the digest of a folder, such as `sha256:9f86…`.

    Args:
        sha256_by_path: Content digest of every file (hexadecimal) by its path below the folder.
    """
    lines = sorted(
        (path.encode("utf-8", "surrogateescape"), content)
        for path, content in sha256_by_path.items()
        if path not in EXCLUDED
    )
    whole = hashlib.sha256()
    for path, content in lines:
        whole.update(content.encode("ascii") + b"  " + path + b"\n")
    return f"{ALGORITHM}:{whole.hexdigest()}"
