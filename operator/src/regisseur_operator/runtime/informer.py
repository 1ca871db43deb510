"""Keeps one kind of children in its cache, by list and watch with the label that names their owner.

A broken stream goes on from the last resourceVersion; one that cannot (410) lists again and takes
the difference, so that what was deleted meanwhile is seen. No fault of the API server ends it.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Iterable
from typing import Final

from regisseur_operator.adapters.kubernetes_errors import GoneError
from regisseur_operator.adapters.kubernetes_watching import Change, KubernetesWatching
from regisseur_operator.errors import OperatorError
from regisseur_operator.ports import Key, Manifest
from regisseur_operator.runtime.caches import ObjectCache, key_of, version_of
from regisseur_operator.telemetry import Repeated

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS: Final = 0.2
LONGEST_PAUSE_SECONDS: Final = 5.0


class Informer:
    """Fills a cache and wakes the owners of what changes.

    Args:
        watching: Lists and watches of the kind.
        cache: What to fill.
        wake: Called with the key of the owner of each child that changed.
    """

    def __init__(
        self, watching: KubernetesWatching, cache: ObjectCache, wake: Callable[[Key], None]
    ) -> None:
        self._watching = watching
        self._cache = cache
        self._wake = wake
        self._version = 0
        self._pause = FIRST_PAUSE_SECONDS
        self._trouble = Repeated(log)

    async def prime(self) -> None:
        """Fill the cache for the first time.

        Raises:
            OperatorError: The API server did not list.
        """
        await self._list(is_exact=False)

    async def run(self) -> None:
        """Follow what happens until cancelled."""
        while True:
            try:
                if not self._version:
                    await self._list(is_exact=True)
                await self._follow()
            except GoneError:
                self._version = 0
            except OperatorError as error:
                self._trouble.warn(f"watch of {self._watching.title}", str(error))
                await self._rest()

    async def _list(self, *, is_exact: bool) -> None:
        listing = await self._watching.list(is_exact=is_exact)
        left = self._find_left(listing.items)
        for manifest in self._cache.replace(
            listing.items, listing.version, self._watching.namespace
        ):
            self._wake_owner(manifest)
        for owner in left:
            self._wake(owner)
        self._version = listing.version

    async def _follow(self) -> None:
        async for change in self._watching.watch(self._version):
            self._take(change)
            self._pause = FIRST_PAUSE_SECONDS
        self._trouble.clear(f"watch of {self._watching.title}", "goes on")

    def _take(self, change: Change) -> None:
        # Own versions only: one of our writes is no position in this stream.
        self._version = max(self._version, version_of(change.manifest))
        if change.type == "BOOKMARK":
            return
        left = self._find_left([change.manifest])
        if change.type == "DELETED":
            is_news = self._cache.remove(change.manifest)
        else:
            is_news = self._cache.upsert(change.manifest)
        if is_news:
            self._wake_owner(change.manifest)
        for owner in left:
            self._wake(owner)

    def _find_left(self, manifests: Iterable[Manifest]) -> set[Key]:
        """Return the owners whose children were given the label of another owner."""
        pairs = ((self._cache.get(key_of(manifest)), manifest) for manifest in manifests)
        return {
            owner
            for known, manifest in pairs
            if known
            and (owner := self._cache.owner_of(known))
            and owner != self._cache.owner_of(manifest)
        }

    def _wake_owner(self, manifest: Manifest) -> None:
        if owner := self._cache.owner_of(manifest):
            self._wake(owner)

    async def _rest(self) -> None:
        await asyncio.sleep(self._pause * random.uniform(0.5, 1.0))  # noqa: S311
        self._pause = min(LONGEST_PAUSE_SECONDS, self._pause * 2)
