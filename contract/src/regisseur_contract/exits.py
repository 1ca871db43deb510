"""Exit codes of the serving image's commands: whose fault an end was.

The numbers of sysexits.h where it has one. The operator rejects a version for what is its own
fault and waits out what is its surroundings'; every other code, a signal included, is unknown.
"""

from typing import Final

USAGE: Final = 64
"""The command line is wrong."""

ARTIFACT_INVALID: Final = 65
"""The files are there, and are no model that can be served."""

ARTIFACT_MISSING: Final = 66
"""The store answers, and there are no files at this place."""

STORE_UNAVAILABLE: Final = 69
"""The store does not answer, or answers nonsense."""

DISK_REFUSED: Final = 73
"""The pod's own volume cannot be written, or is full."""

STORE_DENIED: Final = 77
"""The store refuses these credentials (401 or 403)."""

CONFIGURATION: Final = 78
"""An environment variable is missing or senseless."""

DIGEST_MISMATCH: Final = 79
"""The files are not those that were expected."""

FAULTS_OF_THE_VERSION: Final = frozenset({ARTIFACT_INVALID, ARTIFACT_MISSING, DIGEST_MISMATCH})
FAULTS_OF_THE_SURROUNDINGS: Final = frozenset(
    {STORE_UNAVAILABLE, DISK_REFUSED, STORE_DENIED, CONFIGURATION}
)
