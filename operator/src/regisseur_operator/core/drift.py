"""Whether a live object still says what we said.

The API server adds defaults and other managers add fields, so the live object has to contain the
desired one, not to equal it. Lists of objects are compared by the key that the API merges them by.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from regisseur_contract.names import API_GROUP
from regisseur_operator.core.fingerprint import digest
from regisseur_operator.core.identity import Manifest
from regisseur_operator.core.roll import is_same_amount

ANNOTATION_DESIRED: Final = f"{API_GROUP}/desired-hash"
"""Digest of what was applied last: the only way to see that something is no longer desired."""

MERGE_KEYS: Final = (
    ("uid",),
    ("mountPath",),
    ("topologyKey", "whenUnsatisfiable"),
    ("name",),
    ("port",),
)
WHOLE: Final = frozenset({"spec.selector"})
"""A selector means something else with one label more: it has to equal the desired one."""

AMOUNTS: Final = frozenset({"requests", "limits", "sizeLimit"})
"""Fields with quantities, which the API server writes in its own notation."""

OMITTED_IF_FALSE: Final = frozenset({"spec.paused"})
"""Where absent is false. Elsewhere it may be true, as for automountServiceAccountToken."""


def seal_desired(manifest: Manifest) -> Manifest:
    """Return the manifest with the digest of itself as annotation."""
    metadata = manifest["metadata"]
    annotations = {**metadata.get("annotations", {}), ANNOTATION_DESIRED: digest(manifest)}
    return {**manifest, "metadata": {**metadata, "annotations": annotations}}


def read_seal(manifest: Manifest) -> str:
    """Return the digest that the object carries."""
    return str((manifest["metadata"].get("annotations") or {}).get(ANNOTATION_DESIRED, ""))


def find_drift(live: Manifest, desired: Manifest) -> list[str]:
    """Return the paths at which the live object does not contain the desired one."""
    return list(_differences(live, desired, ""))


def _differences(live: object, desired: object, path: str) -> Iterator[str]:
    if isinstance(desired, Mapping):
        yield from _mapping_differences(live, desired, path)
    elif isinstance(desired, Sequence) and not isinstance(desired, str):
        yield from _sequence_differences(live, desired, path)
    elif not _is_same(live, desired, path):
        yield path


def _mapping_differences(live: object, desired: Mapping[str, object], path: str) -> Iterator[str]:
    if not desired and live is None:
        return
    if not isinstance(live, Mapping) or (path in WHOLE and live != desired):
        yield path
        return
    for key, value in desired.items():
        yield from _differences(live.get(key), value, f"{path}.{key}" if path else key)


def _sequence_differences(live: object, desired: Sequence[object], path: str) -> Iterator[str]:
    if not desired and live is None:
        return
    if not isinstance(live, Sequence) or isinstance(live, str):
        yield path
        return
    names = _merge_key(desired)
    if names is None:
        yield from _positional_differences(live, desired, path)
        return
    found = {_name_item(item, names): item for item in live if isinstance(item, Mapping)}
    for item in desired:
        if isinstance(item, Mapping):
            name = _name_item(item, names)
            yield from _differences(found.get(name), item, f"{path}[{name}]")


def _positional_differences(
    live: Sequence[object], desired: Sequence[object], path: str
) -> Iterator[str]:
    """Compare items that have no name: such lists are replaced as a whole, in their order."""
    if not any(isinstance(item, Mapping) for item in desired):
        if list(live) != list(desired):
            yield path
        return
    if len(live) != len(desired):
        yield path
        return
    for number, (found, wanted) in enumerate(zip(live, desired, strict=True)):
        yield from _differences(found, wanted, f"{path}[{number}]")


def _merge_key(items: Sequence[object]) -> tuple[str, ...] | None:
    """Return the fields that tell the items apart, None where there are none."""
    entries = [item for item in items if isinstance(item, Mapping)]
    if len(entries) < len(items):
        return None
    for names in MERGE_KEYS:
        if all(name in entry for entry in entries for name in names):
            is_unique = len({_name_item(entry, names) for entry in entries}) == len(entries)
            return names if is_unique else None
    return None


def _name_item(item: Mapping[str, object], names: Sequence[str]) -> str:
    return ", ".join(str(item.get(name)) for name in names)


def _is_same(live: object, desired: object, path: str) -> bool:
    if isinstance(live, bool) or isinstance(desired, bool):
        return bool(live) is desired if path in OMITTED_IF_FALSE else live is desired
    if live is None:
        # The API server leaves out a number that is 0, such as minReadySeconds.
        return desired == 0
    if str(live) == str(desired):
        return True
    is_amount = not AMOUNTS.isdisjoint(path.split("."))
    return is_amount and is_same_amount(str(live), str(desired))
