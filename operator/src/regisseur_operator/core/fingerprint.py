"""Short stable digests of plain JSON values."""

import hashlib
import json
from typing import Final

DIGEST_LENGTH: Final = 16


def to_canonical_json(value: object) -> str:
    """Write a value so that equal values have equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(value: object) -> str:
    """Return a digest that fits into a label."""
    text = to_canonical_json(value)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:DIGEST_LENGTH]
