"""Where model files come from."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or a folder in a listing; the name is a single, harmless path segment."""

    name: str
    is_folder: bool
    size_bytes: int


class ArtifactStore(Protocol):
    """A store of files below slash-separated paths."""

    def list_folder(self, path: str) -> list[Entry]:
        """Return what lies directly in a folder.

        Raises:
            FetchError: The store refused or did not answer.
        """

    def read_file(self, path: str, size_bytes: int, write: Callable[[bytes], object]) -> None:
        """Hand the bytes of a file to `write`; exactly `size_bytes` of them or an error.

        Raises:
            FetchError: The store refused, did not answer, or sent another number of bytes.
        """
