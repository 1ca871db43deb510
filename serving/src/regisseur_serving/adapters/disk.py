"""Tell trouble with our own disk from trouble with the store; both are OSErrors."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from regisseur_serving.errors import DiskError


@contextmanager
def on_disk(place: Path) -> Iterator[None]:
    """Run a block that does nothing but write below the parent of a place.

    Raises:
        DiskError: It cannot be written there.
    """
    try:
        yield
    except OSError as error:
        raise DiskError(
            f"cannot write below {place.parent}: {error.strerror or error}; "
            "the volume must be writable and large enough"
        ) from None
