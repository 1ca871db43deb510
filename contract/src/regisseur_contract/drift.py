"""The bins on which a server counts what it is sent and what it answers.

Counts of several pods add up only if all have the same bins. So the bins come with the model, in
the file `drift_reference.json` of its folder, and have a hash: counts of one hash may be added.

    {
      "version": 1,
      "edge_hash": "sha256:…",
      "features": {"alcohol": {"edges": [11.5, 13.0]}, "color": {"categories": ["red", "white"]}},
      "predictions": [{"categories": [0, 1, 2]}]
    }

Numbers have ascending edges: n of them make n + 1 bins, the first below them all, the last from the
greatest on; a value on an edge belongs above it. Everything else has categories. Features may be
left out. `predictions` has an entry for each value that the model answers a row with. Further keys
are for others, and no part of the hash. That is the SHA-256 of the three keys beside it, written as
JSON with sorted keys, without blanks, in ASCII.
"""

import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

FILE_NAME: Final = "drift_reference.json"
FORMAT_VERSION: Final = 1
MOST_BINS: Final = 1000
"""Of one feature: all of them are sent with every answer."""

Category = str | int | float | bool


@dataclass(frozen=True)
class Edges:
    """Where bins of numbers meet."""

    values: tuple[float, ...]


@dataclass(frozen=True)
class Categories:
    """Values that are counted one by one."""

    values: tuple[Category, ...]


Bins = Edges | Categories


@dataclass(frozen=True)
class DriftReference:
    """The bins of one model: by feature, and one for each value that it answers a row with."""

    features: Mapping[str, Bins]
    predictions: tuple[Bins, ...]

    @property
    def edge_hash(self) -> str:
        """The hash of all bins, such as `sha256:9f86…`."""
        text = json.dumps(_describe(self), sort_keys=True, separators=(",", ":"))
        return f"sha256:{hashlib.sha256(text.encode('ascii')).hexdigest()}"


NO_REFERENCE: Final = DriftReference({}, ())
"""Of a model that came without any bins."""


def describe_drift_reference(reference: DriftReference) -> dict[str, Any]:
    """Return the contents of the file, to be written as JSON."""
    return {**_describe(reference), "edge_hash": reference.edge_hash}


def parse_drift_reference(document: object) -> DriftReference:
    """Read the contents of the file, parsed from JSON.

    Raises:
        ValueError: They are no bins, or not those of the hash; says what is wrong.
    """
    if not isinstance(document, Mapping) or document.get("version") != FORMAT_VERSION:
        raise ValueError(f"it is not of version {FORMAT_VERSION}")
    features, predictions = document.get("features", {}), document.get("predictions", [])
    if not isinstance(features, Mapping) or not isinstance(predictions, list):
        raise ValueError("features must be an object, predictions a list")  # noqa: TRY004 - of the file
    reference = DriftReference(
        {str(name): _parse_bins(bins, str(name)) for name, bins in features.items()},
        tuple(_parse_bins(bins, "the prediction") for bins in predictions),
    )
    if not _can_be_sent(reference):
        raise ValueError("it holds half a character, which is no Unicode")
    if document.get("edge_hash") != reference.edge_hash:
        raise ValueError("edge_hash is not the hash of its bins")
    return reference


def describe_bins(bins: Bins) -> dict[str, Any]:
    """Return bins as the file and the profile tell them."""
    name = "edges" if isinstance(bins, Edges) else "categories"
    return {name: list(bins.values)}


def _describe(reference: DriftReference) -> dict[str, Any]:
    return {
        "version": FORMAT_VERSION,
        "features": {name: describe_bins(bins) for name, bins in reference.features.items()},
        "predictions": [describe_bins(bins) for bins in reference.predictions],
    }


def _can_be_sent(reference: DriftReference) -> bool:
    try:
        json.dumps(_describe(reference), ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:  # JSON can spell what UTF-8 cannot
        return False
    return True


def _parse_bins(document: object, name: str) -> Bins:
    edges = document.get("edges") if isinstance(document, Mapping) else None
    categories = document.get("categories") if isinstance(document, Mapping) else None
    found = edges if categories is None else categories
    if not isinstance(found, list) or not (edges is None or categories is None):
        raise ValueError(f"{name[:80]!r} must have a list of edges or one of categories")
    if len(found) > MOST_BINS:
        raise ValueError(f"{name[:80]!r} has more than {MOST_BINS} bins")
    return _parse_edges(found, name) if categories is None else _parse_categories(found, name)


def _parse_edges(found: list[Any], name: str) -> Edges:
    if not found or not all(_is_number(value) for value in found):
        raise ValueError(f"the edges of {name[:80]!r} must be finite numbers")
    values = tuple(float(value) for value in found)
    if not all(low < high for low, high in pairwise(values)):
        raise ValueError(f"the edges of {name[:80]!r} must be ascending")
    return Edges(values)


def _parse_categories(found: list[Any], name: str) -> Categories:
    if not all(isinstance(value, str | bool) or _is_number(value) for value in found):
        raise ValueError(f"the categories of {name[:80]!r} must be texts, numbers or booleans")
    if len(set(found)) < len(found):
        raise ValueError(f"the categories of {name[:80]!r} must be different")
    return Categories(tuple(found))


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= sys.float_info.max
