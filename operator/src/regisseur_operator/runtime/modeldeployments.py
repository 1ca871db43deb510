"""Keeps the ModelDeployments in their cache.

Events come from kopf. It does not notice what was deleted while its watch was cut off, so a list
of our own is compared with the cache after each cut and every few minutes.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from typing import Final

from regisseur_operator.adapters.kubernetes_watching import KubernetesWatching
from regisseur_operator.errors import OperatorError
from regisseur_operator.ports import Key, Manifest
from regisseur_operator.runtime.caches import ObjectCache, key_of
from regisseur_operator.telemetry import Metrics, Repeated

log = logging.getLogger(__name__)

SWEEP_SECONDS: Final = 300.0
SETTLE_SECONDS: Final = 0.2
"""kopf hands its own list on piece by piece: ours is asked for once, after the first piece."""

RETRY_SECONDS: Final = 5.0


class ModelDeployments:
    """Fills the cache of ModelDeployments and wakes those that changed.

    Args:
        watchings: Lists of them: one for all namespaces, or one for each.
        cache: What to fill.
        wake: Called with the key of each that changed.
        metrics: Told how many there are.
    """

    def __init__(
        self,
        watchings: Sequence[KubernetesWatching],
        cache: ObjectCache,
        wake: Callable[[Key], None],
        metrics: Metrics,
    ) -> None:
        self._watchings = watchings
        self._cache = cache
        self._wake = wake
        self._metrics = metrics
        self._is_due = asyncio.Event()
        self._trouble = Repeated(log)

    async def prime(self) -> None:
        """Fill the cache for the first time.

        Raises:
            OperatorError: The API server did not list; `NotFoundError` without the definition.
        """
        await self._list(is_exact=False)

    def take(self, kind: str | None, manifest: Manifest) -> None:
        """Take in an event of kopf's; those of its own listing have no kind."""
        is_news = (
            self._cache.remove(manifest) if kind == "DELETED" else self._cache.upsert(manifest)
        )
        if is_news:
            self._wake(key_of(manifest))
            self._metrics.resources.set(len(self._cache))

    def sweep_soon(self) -> None:
        """Compare with a list: the watch was cut off."""
        self._is_due.set()

    async def run(self) -> None:
        """Sweep when asked to and every few minutes, until cancelled."""
        while True:
            await self._wait_until_due()
            try:
                await self._list(is_exact=True)
                self._trouble.clear("list of modeldeployments", "goes on")
            except OperatorError as error:
                self._trouble.warn("list of modeldeployments", str(error))
                await asyncio.sleep(RETRY_SECONDS)
                self._is_due.set()

    async def _wait_until_due(self) -> None:
        period = SWEEP_SECONDS * random.uniform(0.8, 1.0)  # noqa: S311
        try:
            async with asyncio.timeout(period):
                await self._is_due.wait()
        except TimeoutError:
            return
        await asyncio.sleep(SETTLE_SECONDS)
        self._is_due.clear()

    async def _list(self, *, is_exact: bool) -> None:
        for watching in self._watchings:
            listing = await watching.list(is_exact=is_exact)
            changed = self._cache.replace(listing.items, listing.version, watching.namespace)
            for manifest in changed:
                self._wake(key_of(manifest))
        self._metrics.resources.set(len(self._cache))
