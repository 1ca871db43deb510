"""The exit code of an error: it tells the operator whose fault the end was."""

from typing import Final

from regisseur_contract import exits
from regisseur_serving.errors import (
    DeniedError,
    DigestError,
    DiskError,
    FetchError,
    MissingError,
    ModelError,
    ServingError,
    SettingsError,
    UnservableError,
)

UNKNOWN: Final = 1
"""Nobody's known fault."""

_CODES: Final[tuple[tuple[type[ServingError], int], ...]] = (
    (SettingsError, exits.CONFIGURATION),
    (ModelError, exits.ARTIFACT_INVALID),
    (UnservableError, exits.ARTIFACT_INVALID),
    (MissingError, exits.ARTIFACT_MISSING),
    (DigestError, exits.DIGEST_MISMATCH),
    (DeniedError, exits.STORE_DENIED),
    (DiskError, exits.DISK_REFUSED),
    # What is left of them: no answer, no answer in time, or nonsense.
    (FetchError, exits.STORE_UNAVAILABLE),
)


def exit_code(error: ServingError) -> int:
    """Return the exit code of a command that ends with this error."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), UNKNOWN)
