"""Folder listings of the artifact store, read with distrust.

Whoever can write to the artifact store chooses these names, and they become paths on our disk.
"""

from collections.abc import Mapping
from typing import Any

from regisseur_serving.errors import FetchError, UnservableError
from regisseur_serving.ports.artifacts import Entry

_MAX_SEGMENT_BYTES = 255
_SHOWN_CHARACTERS = 80


def check_segment(name: str) -> str:
    """Return the name when it is a single, plain path segment.

    Raises:
        UnservableError: It could lead out of its folder or cannot be a file name.
    """
    is_plain = (
        name not in {"", ".", ".."}
        and "/" not in name
        and "\\" not in name
        and name.isprintable()
        and len(name.encode("utf-8", "replace")) <= _MAX_SEGMENT_BYTES
    )
    if not is_plain:
        raise UnservableError(
            f"the artifact store lists {name[:_SHOWN_CHARACTERS]!r}, which is no plain file name; "
            "log the model again"
        )
    return name


def parse_listing(document: object) -> list[Entry]:
    """Read the answer of MLflow's artifact listing.

    Raises:
        FetchError: It is not such an answer, or holds a name that is not plain.
    """
    files = document.get("files", []) if isinstance(document, Mapping) else None
    if not isinstance(files, list):
        raise FetchError("the artifact store answered something that is no listing of files")
    return check_names([_parse_entry(item) for item in files])


def parse_keys(page: Mapping[str, Any], prefix: str) -> list[Entry]:
    """Read a page of S3's listing of the keys below a prefix, by the delimiter `/`.

    Args:
        page: The answer to ListObjectsV2.
        prefix: What was asked for; ends with `/`.

    Raises:
        FetchError: A key is not below the prefix, or its name is not plain.
    """
    folders = [
        Entry(_parse_name(item.get("Prefix"), prefix, "/"), is_folder=True, size_bytes=0)
        for item in page.get("CommonPrefixes", [])
    ]
    files = [
        Entry(
            _parse_name(item.get("Key"), prefix),
            is_folder=False,
            size_bytes=_parse_size(item.get("Size")),
        )
        for item in page.get("Contents", [])
        if item.get("Key") != prefix  # an empty object that consoles make to show a folder
    ]
    return folders + files


def check_names(entries: list[Entry]) -> list[Entry]:
    """Return the entries of a folder when each of them can be a file of its own.

    Raises:
        FetchError: A name is there twice.
    """
    if len({entry.name for entry in entries}) != len(entries):
        raise FetchError("the artifact store lists a name twice")
    return entries


def _parse_name(key: object, prefix: str, end: str = "") -> str:
    if not isinstance(key, str) or not (key.startswith(prefix) and key.endswith(end)):
        raise FetchError("the artifact store lists keys that it was not asked for")
    return check_segment(key.removeprefix(prefix).removesuffix(end))


def _parse_entry(item: object) -> Entry:
    if not isinstance(item, Mapping) or not isinstance(item.get("path"), str):
        raise FetchError("the artifact store lists a file without a path")
    is_folder = item.get("is_dir") is True
    return Entry(
        name=check_segment(item["path"]),
        is_folder=is_folder,
        size_bytes=0 if is_folder else _parse_size(item.get("file_size", 0)),
    )


def _parse_size(value: object) -> int:
    # The JSON form of a 64-bit protobuf number is a string, and of zero often nothing.
    try:
        size = int(value) if isinstance(value, int | str) else -1
    except ValueError:
        size = -1
    if size < 0:
        raise FetchError("the artifact store lists a file without a sensible size")
    return size
