"""What kopf calls: functions that hand on what they are told and decide nothing.

Only handlers that keep no state are attached, so that kopf writes nothing to any object: no
annotation, no finalizer, no Event.
"""

import logging
from typing import Any, Final, Protocol

import kopf

from regisseur_contract.names import API_GROUP, API_VERSION, PLURAL
from regisseur_operator.adapters.kubernetes_session import Connection
from regisseur_operator.handlers.requests import WATCH_SECONDS, WatchRequests

CONNECTIONS: Final = 8
LIST_PAGE: Final = 250
SILENCE_SECONDS: Final = 75.0
BACKOFFS_SECONDS: Final = (1, 2, 3, 5, 8)


class Sink(Protocol):
    """Where events go; called in kopf's own thread."""

    def take(self, kind: str | None, manifest: dict[str, Any]) -> None:
        """Take in an event; those of a listing have no kind."""
        ...


def register_handlers(
    registry: kopf.OperatorRegistry,
    connection: Connection,
    sink: Sink,
    requests: WatchRequests,
) -> None:
    """Attach all handlers to a registry of kopf's."""

    @kopf.on.startup(registry=registry)
    def configure(settings: kopf.OperatorSettings, **_: Any) -> None:
        configure_kopf(settings)

    @kopf.on.login(registry=registry)
    async def log_in(**_: Any) -> kopf.AiohttpSession:
        session = connection.open_session(limit=CONNECTIONS, trace=requests.build_trace())
        return kopf.AiohttpSession(server=connection.server, aiohttp_session=session)

    @kopf.on.event(API_GROUP, API_VERSION, PLURAL, registry=registry)
    async def hand_on(event: kopf.RawEvent, **_: Any) -> None:
        sink.take(event["type"], dict(event["object"]))

    @kopf.on.probe(registry=registry)
    def answer(**_: Any) -> str:
        return "watching"

    @kopf.on.cleanup(registry=registry)
    def say_goodbye(**_: Any) -> None:
        logging.getLogger(__name__).debug("kopf has stopped")


def configure_kopf(settings: kopf.OperatorSettings) -> None:
    """Have kopf write nothing, look for nothing, and notice when its watch is dead."""
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.watching.server_timeout = WATCH_SECONDS
    settings.watching.client_timeout = WATCH_SECONDS + 10
    settings.watching.inactivity_timeout = SILENCE_SECONDS
    settings.watching.chunk_size = LIST_PAGE
    settings.queueing.exit_timeout = 0.5
    settings.networking.request_timeout = 30.0
    settings.networking.error_backoffs = BACKOFFS_SECONDS
    # It would kill the whole process, long after this thread has ended in peace.
    settings.process.ultimate_exiting_timeout = None
