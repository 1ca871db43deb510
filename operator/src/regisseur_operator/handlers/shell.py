"""Runs kopf in a thread of its own and brings it back when it or its watch ends.

kopf ends for good on some answers of the API server, on others only its watch does, and whoever
shares its event loop has all tasks cancelled with it. In a thread it has a
loop to itself, its signals and ours do not meet, and its end is a reason to wait a little and
start it again.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final, cast

import kopf

from regisseur_contract.names import FIELD_MANAGER
from regisseur_operator.adapters.kubernetes_api import TLS_GOODBYE_SECONDS
from regisseur_operator.adapters.kubernetes_session import Connection
from regisseur_operator.handlers.registration import register_handlers
from regisseur_operator.handlers.requests import WatchRequests

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 30.0
JOIN_SECONDS: Final = 5.0
LOOK_SECONDS: Final = 2.0

Take = Callable[[str | None, dict[str, Any]], None]


class KopfShell:
    """The source of ModelDeployment events.

    Args:
        connection: The way to the API server.
        take: Called in the caller's event loop with each event.
        listed: Called in the caller's event loop after each list of kopf's: it does not tell what
            vanished before.
        namespaces: Those that are watched; none: all.
    """

    def __init__(
        self,
        connection: Connection,
        take: Take,
        listed: Callable[[], None],
        *,
        namespaces: Sequence[str] = (),
    ) -> None:
        self._connection = connection
        self._take = take
        self._listed = listed
        self._namespaces = namespaces

    async def run(self) -> None:
        """Keep kopf running until cancelled."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            run = _Run(self._connection, self._take, self._listed, self._namespaces)
            try:
                ran_for = await run.wait()
            finally:
                await run.stop()
            if ran_for > LONGEST_PAUSE_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            log.warning("the watch of modeldeployments ended and starts again in %g s", pause)
            await asyncio.sleep(pause)
            pause = min(LONGEST_PAUSE_SECONDS, pause * 2)


class _Run:
    """One life of kopf; `take` and what the requests tell are called in its thread."""

    def __init__(
        self,
        connection: Connection,
        take: Take,
        listed: Callable[[], None],
        namespaces: Sequence[str],
    ) -> None:
        self._connection = connection
        self._namespaces = namespaces
        self._hand_on = take
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        self._started_at = self._loop.time()
        self._requests = WatchRequests(lambda: self._call(listed), namespaces=namespaces)
        self._stop_flag = threading.Event()
        self._thread = threading.Thread(target=self._live, name="kopf", daemon=True)
        self._thread.start()

    async def wait(self) -> float:
        """Wait until it or its watch ends and return how many seconds it lived."""
        while not self._requests.are_over:
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._ended.wait()
                break
            except TimeoutError:
                continue
        return self._loop.time() - self._started_at

    async def stop(self) -> None:
        """Have it end, and wait a little for it."""
        self._stop_flag.set()
        await asyncio.to_thread(self._thread.join, JOIN_SECONDS)

    def take(self, kind: str | None, manifest: dict[str, Any]) -> None:
        """Hand an event over to the operator's own event loop."""
        self._call(self._hand_on, kind, manifest)

    def _call(self, function: Callable[..., None], *arguments: object) -> None:
        if self._stop_flag.is_set():
            return
        try:
            self._loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:  # the operator's loop is closed: nobody is left to be told
            self._stop_flag.set()

    def _live(self) -> None:
        registry = kopf.OperatorRegistry()
        register_handlers(registry, self._connection, self, self._requests)
        try:
            asyncio.run(self._run_kopf(registry))
        except Exception as error:  # noqa: BLE001  # whatever ended it, it is started again
            log.warning("kopf ended: %s", error)
        finally:
            self._call(self._ended.set)

    async def _run_kopf(self, registry: kopf.OperatorRegistry) -> None:
        # Without an identity kopf looks up the user's name, and the user of a pod has none.
        identity = cast("Any", FIELD_MANAGER)
        await kopf.operator(
            registry=registry,
            clusterwide=not self._namespaces,
            namespaces=self._namespaces,
            standalone=True,
            identity=identity,
            stop_flag=self._stop_flag,
        )
        await asyncio.sleep(TLS_GOODBYE_SECONDS)
