"""A model folder that lies in the image itself, as a store of files.

Paths are those of the disk. It is copied like one that is downloaded, and checked on the way: the
volume is what the server reads, wherever the files come from.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from regisseur_serving.adapters.download import MODEL_FILE
from regisseur_serving.core.listing import check_segment
from regisseur_serving.errors import TransientFetchError, UnservableError
from regisseur_serving.ports.artifacts import Entry

_PIECE_BYTES = 1 << 20
_MAX_BYTES = 8 << 20


def read_baked_mlmodel(folder: Path) -> object:
    """Return the MLmodel file of a folder of the image, parsed.

    Raises:
        UnservableError: There is none, or it cannot be read.
    """
    path = folder / MODEL_FILE
    with _reading(folder):
        if not path.is_file():
            raise UnservableError(
                f"the image says that its model is in {folder}, and there is no file {MODEL_FILE}; "
                "COPY the model's folder there"
            )
        if path.stat().st_size > _MAX_BYTES:
            raise UnservableError(f"{path} is larger than {_MAX_BYTES} bytes; log the model again")
        text = path.read_bytes()
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        raise UnservableError(f"{path} is not YAML; log the model again") from None


class BakedModel:
    """Reads the files of the image."""

    def list_folder(self, path: str) -> list[Entry]:
        """Return what lies directly in a folder.

        Raises:
            UnservableError: It cannot be read, or holds what is neither a file nor a folder.
        """
        with _reading(Path(path)):
            return [_describe(child) for child in Path(path).iterdir()]

    def read_file(self, path: str, size_bytes: int, write: Callable[[bytes], object]) -> None:
        """Hand the bytes of a file to `write`.

        Raises:
            FetchError: It cannot be read, or has another size by now.
        """
        received = 0
        with _reading(Path(path)), Path(path).open("rb") as file:
            while piece := file.read(_PIECE_BYTES):
                received += len(piece)
                write(piece)
        if received != size_bytes:
            raise TransientFetchError(f"{path} had {size_bytes} bytes and now has {received}")


def _describe(path: Path) -> Entry:
    if path.is_dir():
        return Entry(check_segment(path.name), is_folder=True, size_bytes=0)
    if not path.is_file():
        raise UnservableError(f"{path} in the image is neither a file nor a folder")
    return Entry(check_segment(path.name), is_folder=False, size_bytes=path.stat().st_size)


@contextmanager
def _reading(place: Path) -> Iterator[None]:
    """Run a block that reads below a place of the image.

    Raises:
        UnservableError: It cannot be read there.
    """
    try:
        yield
    except OSError as error:
        raise UnservableError(
            f"cannot read {place} in the image: {error.strerror or error}; everybody must be "
            "allowed to read it (COPY --chmod=755)"
        ) from None
