"""The bearer tokens that clients may use, from a file that is mounted from a Secret.

Each line is a token, so that an old and a new one can be valid together while clients change over.
"""

import hmac
import logging
import time
from hashlib import sha256
from pathlib import Path
from typing import Final

from regisseur_serving.errors import SettingsError

LOOK_SECONDS: Final = 1.0
"""How often the file is looked at, at most. The kubelet takes a minute to change it."""

_LOGGER = logging.getLogger("regisseur_serving.tokens")

_Stamp = tuple[int, int, int]


class TokenFile:
    """The tokens of a file, read again when it has changed.

    Args:
        path: Of the file.

    Raises:
        SettingsError: It cannot be read, or holds no token.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._stamp = self._look()
            self._digests = self._read()
        except (OSError, ValueError) as error:
            raise SettingsError(
                f"the token file {path} cannot be used: {_describe(error)}"
            ) from None
        self._next_look = time.monotonic() + LOOK_SECONDS

    def allows(self, token: bytes) -> bool:
        """Tell whether a token is one of the file; that takes equally long for all that are not."""
        if time.monotonic() >= self._next_look:
            self._refresh()
        digest = sha256(token).digest()
        # Compared as digests, all of one length, and with every one of them.
        return sum([hmac.compare_digest(digest, known) for known in self._digests]) > 0

    def _refresh(self) -> None:
        self._next_look = time.monotonic() + LOOK_SECONDS
        try:
            stamp = self._look()
            if stamp != self._stamp:
                self._digests = self._read()
                self._stamp = stamp
                _LOGGER.info("read the token file again: tokens %d", len(self._digests))
        except (OSError, ValueError) as error:
            _LOGGER.warning(
                "the token file cannot be read, what it held counts: %s", _describe(error)
            )

    def _look(self) -> _Stamp:
        found = self._path.stat()
        return found.st_mtime_ns, found.st_ino, found.st_size

    def _read(self) -> list[bytes]:
        tokens = self._path.read_bytes().split()
        if not tokens:
            raise ValueError("it holds no token")
        return [sha256(token).digest() for token in tokens]


def _describe(error: OSError | ValueError) -> str:
    return (error.strerror or type(error).__name__) if isinstance(error, OSError) else str(error)
