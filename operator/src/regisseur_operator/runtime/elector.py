"""Decides by a Lease which of several operator pods acts.

The stock electors of the Python clients go on acting when the network hangs. Here every attempt
has a hard time limit, time is measured by a clock that cannot jump, and a leader that could not
renew stops to be one before anybody else may take over. Who does not lead waits, whatever happens
to the API server.
"""

import asyncio
import logging
import math
import random
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Protocol

from regisseur_operator.adapters.kubernetes_errors import NotFoundError
from regisseur_operator.errors import ConflictError, OperatorError
from regisseur_operator.ports import Manifest
from regisseur_operator.settings import LeaseSettings
from regisseur_operator.telemetry import Repeated

log = logging.getLogger(__name__)

RELEASE_SECONDS = 2.0


class LeadershipLostError(Exception):
    """This process led and must not act any more."""


class LeaseStore(Protocol):
    """The one Lease; each call asks the API server once and raises an `OperatorError`."""

    async def read(self) -> Manifest | None:
        """Return the Lease, or None where there is none."""
        ...

    async def create(self, lease: Manifest) -> Manifest:
        """Create it; `ConflictError` where somebody else did."""
        ...

    async def replace(self, lease: Manifest) -> Manifest:
        """Replace it; `ConflictError` where somebody else did since it was read."""
        ...


class Elector:
    """One candidate.

    Args:
        store: Where the Lease is.
        settings: Its name and times.
        identity: Who this candidate is; nobody else alive may have the same.
        monotonic: Seconds on a clock that cannot jump.
    """

    def __init__(
        self,
        store: LeaseStore,
        settings: LeaseSettings,
        identity: str,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._settings = settings
        self._identity = identity
        self._monotonic = monotonic
        self._held: Manifest | None = None
        self._renewed_at = 0.0
        self._seen: tuple[object, ...] = ()
        self._seen_at = 0.0
        self._waits_for = ""
        self._trouble = Repeated(log)
        self.has_answer = False
        self.is_acquired = asyncio.Event()

    async def run(self) -> None:
        """Become the leader and stay it.

        Raises:
            LeadershipLostError: Somebody else leads, or the Lease could not be renewed in time.
        """
        while not self.is_acquired.is_set():
            await self._step(self._acquire)
        while True:
            await self._step(self._renew)
            if self._time_left() <= 0:
                raise LeadershipLostError(
                    "the Lease could not be renewed for"
                    f" {self._settings.renew_deadline_seconds:g} s"
                )

    async def release(self) -> None:
        """Give the Lease back, so that the next leader need not wait for its end."""
        if self._held is None:
            return
        self.is_acquired.clear()
        released = self._build(self._held, holder="")
        self._held = None
        try:
            async with asyncio.timeout(RELEASE_SECONDS):
                await self._store.replace(released)
            log.info("released the Lease")
        except (OperatorError, TimeoutError) as error:
            log.warning("the Lease is not released and runs out by itself: %s", error)

    async def _step(self, attempt: Callable[[], Awaitable[None]]) -> None:
        """Make one attempt that ends in time, then rest until the next one is due."""
        try:
            async with asyncio.timeout(self._limit()):
                await attempt()
        except TimeoutError:
            self._trouble.warn("Lease", "the API server does not answer in time")
        except OperatorError as error:
            self._trouble.warn("Lease", str(error))
        else:
            self._trouble.clear("Lease", "the API server answers again")
            self.has_answer = True
        await asyncio.sleep(max(0.0, self._limit() * random.uniform(0.8, 1.0)))  # noqa: S311

    async def _acquire(self) -> None:
        asked_at = self._monotonic()
        lease = await self._store.read()
        if lease is None:
            self._hold(await self._store.create(self._build(None)), asked_at)
        elif self._is_free(lease, asked_at):
            self._hold(await self._store.replace(self._build(lease)), asked_at)
        if self._held is not None:
            log.info("leads as %s", self._identity)
            self.is_acquired.set()

    async def _renew(self) -> None:
        asked_at = self._monotonic()
        try:
            if self._held is None:
                self._hold(await self._store.create(self._build(None)), asked_at)
            else:
                self._hold(await self._store.replace(self._build(self._held)), asked_at)
        except (ConflictError, NotFoundError):
            self._held = await self._store.read()
            holder = _holder(self._held) if self._held else self._identity
            if holder != self._identity:
                raise LeadershipLostError(f"{holder or 'nobody'} holds the Lease") from None

    def _is_free(self, lease: Manifest, now: float) -> bool:
        """Tell whether nobody else has renewed it for as long as it lasts, by our own clock."""
        record = (lease["metadata"]["resourceVersion"], _holder(lease))
        if record != self._seen:
            self._seen, self._seen_at = record, now
        holder = _holder(lease)
        if holder in {"", self._identity}:
            return True
        lasts = lease["spec"].get("leaseDurationSeconds") or self._settings.duration_seconds
        is_free = now >= self._seen_at + float(lasts)
        if not is_free and holder != self._waits_for:
            self._waits_for = holder
            log.info("stands by; %s leads", holder)
        return is_free

    def _hold(self, lease: Manifest, asked_at: float) -> None:
        self._held, self._renewed_at = lease, asked_at

    def _time_left(self) -> float:
        return self._renewed_at + self._settings.renew_deadline_seconds - self._monotonic()

    def _limit(self) -> float:
        retry = self._settings.retry_seconds
        return min(retry, self._time_left()) if self.is_acquired.is_set() else retry

    def _build(self, lease: Manifest | None, *, holder: str | None = None) -> Manifest:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        spec = dict(lease["spec"]) if lease else {}
        holder = self._identity if holder is None else holder
        if holder and spec.get("holderIdentity") != holder:
            spec["acquireTime"] = now
            spec["leaseTransitions"] = int(spec.get("leaseTransitions") or 0) + bool(lease)
        spec |= {
            "holderIdentity": holder,
            "leaseDurationSeconds": math.ceil(self._settings.duration_seconds) if holder else 1,
            "renewTime": now,
        }
        metadata = {"name": self._settings.name, "namespace": self._settings.namespace}
        return {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": lease["metadata"] if lease else metadata,
            "spec": spec,
        }


def _holder(lease: Manifest) -> str:
    return str(lease["spec"].get("holderIdentity") or "")
