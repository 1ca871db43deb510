"""Tags in the MLflow registry and on its runs that one program writes and another reads.

Version tags come back with every registry search, so they stay short.
"""

from typing import Final

TAG_GIT_SHA: Final = "regisseur.git_sha"
"""Commit of the training code; on the run and on the version."""

TAG_DATA_VERSION: Final = "regisseur.data_version"
"""MD5 of the training data as DVC records it; on the run and on the version."""

TAG_DIGEST: Final = "regisseur.digest"
"""Canonical digest of the version's files (see `digest`), set by training; on the version."""

TAG_IMAGE: Final = "regisseur.image"
"""Image of the model server that was built for the version; on the version."""

STAGE_NONE: Final = "None"
STAGE_STAGING: Final = "Staging"
STAGE_PRODUCTION: Final = "Production"
STAGE_ARCHIVED: Final = "Archived"
