"""Where the server is between its start and its end."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from urllib.parse import quote
from uuid import uuid4

from regisseur_contract.http import HEADER_MODEL_NAME, HEADER_MODEL_RUN_ID, HEADER_MODEL_VERSION
from regisseur_serving.adapters.loading import LoadedModel

_FAREWELL: Final = (b"connection", b"close")
"""A keep-alive connection is pinned to its pod for as long as it lives, whatever the Service says.
When the server ends, it closes idle connections, and a client that is just sending its next
request on one loses it. No waiting avoids that; telling clients with their last answer does: they
open a new connection, which leads to another pod."""


class Phase(StrEnum):
    """What the readiness route tells."""

    LOADING = "loading"
    READY = "ready"
    DRAINING = "draining"


@dataclass(frozen=True)
class Served:
    """The model and the names under which it is served."""

    name: str
    version: str
    run_id: str
    loaded: LoadedModel
    loaded_at: datetime

    @property
    def identity(self) -> dict[str, str]:
        """The part of every prediction that says who made it."""
        return {"name": self.name, "version": self.version, "run_id": self.run_id}

    @property
    def headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """The same as headers; percent-encoded, as names are any Unicode and headers are not."""
        pairs = (
            (HEADER_MODEL_NAME, self.name),
            (HEADER_MODEL_VERSION, self.version),
            (HEADER_MODEL_RUN_ID, self.run_id),
        )
        return tuple(
            (key.lower().encode(), quote(value, safe="").encode()) for key, value in pairs if value
        )


class Lifecycle:
    """The phase, and the model once there is one.

    Changed by the thread that loads and by the signal handler, read by every request: each
    change is a single assignment.

    Attributes:
        boot_id: Tells this run of the server from all others.
        headers: Of every answer, also to probes and of errors.
    """

    def __init__(self) -> None:
        self.boot_id = uuid4().hex
        self.served: Served | None = None
        self.headers: tuple[tuple[bytes, bytes], ...] = ()
        self.is_draining = False

    @property
    def phase(self) -> Phase:
        """Where the server is now."""
        if self.is_draining:
            return Phase.DRAINING
        return Phase.READY if self.served is not None else Phase.LOADING

    def become_ready(self, served: Served) -> None:
        """Take requests from now on."""
        self.headers = served.headers
        self.served = served

    def begin_draining(self) -> None:
        """Go on answering, but ask clients to leave."""
        self.headers = (*self.headers, _FAREWELL)
        self.is_draining = True
