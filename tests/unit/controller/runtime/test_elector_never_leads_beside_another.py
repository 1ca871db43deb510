"""The elector against a Lease in memory, in virtual time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from regisseur_operator.errors import ConflictError, UnreachableError
from regisseur_operator.ports import Manifest
from regisseur_operator.runtime.elector import Elector, LeadershipLostError
from regisseur_operator.settings import LeaseSettings
from support.virtual_time import now, run_in_virtual_time

SETTINGS = LeaseSettings(
    namespace="system",
    name="operator",
    duration_seconds=15.0,
    renew_deadline_seconds=10.0,
    retry_seconds=2.0,
)


class LeaseInMemory:
    """The port `LeaseStore` with resourceVersions; can be made to refuse or to hang."""

    def __init__(self) -> None:
        self.lease: Manifest | None = None
        self.fault: Callable[[], Awaitable[None]] | None = None
        self.writes = 0

    async def read(self) -> Manifest | None:
        """Return it."""
        await self._pass()
        return self.lease

    async def create(self, lease: Manifest) -> Manifest:
        """Store the first one."""
        await self._pass()
        if self.lease is not None:
            raise ConflictError("exists")
        return self._store(lease)

    async def replace(self, lease: Manifest) -> Manifest:
        """Store the next one, if it was made from the last one."""
        await self._pass()
        if self.lease is None or _version(lease) != _version(self.lease):
            raise ConflictError("changed")
        return self._store(lease)

    @property
    def holder(self) -> str:
        """Who holds it."""
        return "" if self.lease is None else str(self.lease["spec"]["holderIdentity"])

    async def _pass(self) -> None:
        await asyncio.sleep(0.01)
        if self.fault is not None:
            await self.fault()

    def _store(self, lease: Manifest) -> Manifest:
        self.writes += 1
        metadata = {**lease["metadata"], "resourceVersion": str(self.writes)}
        self.lease = {**lease, "metadata": metadata}
        return self.lease


def _version(lease: Manifest) -> str:
    return str(lease["metadata"].get("resourceVersion"))


async def refuse() -> None:
    raise UnreachableError("connection refused")


async def hang() -> None:
    await asyncio.Event().wait()


Candidate = tuple[Elector, asyncio.Task[None]]


@asynccontextmanager
async def candidate(store: LeaseInMemory, identity: str) -> AsyncIterator[Candidate]:
    """Run an elector; it ends without a word at the end of the block, as in a crash."""
    elector = Elector(store, SETTINGS, identity, monotonic=now)
    task = asyncio.create_task(elector.run())
    try:
        yield elector, task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test_the_first_one_leads_and_the_second_one_waits() -> None:
    async def story() -> None:
        store = LeaseInMemory()
        async with candidate(store, "a") as (first, _):
            await first.is_acquired.wait()
            async with candidate(store, "b") as (second, _):
                await asyncio.sleep(3600)
                assert store.holder == "a"
                assert not second.is_acquired.is_set()

    run_in_virtual_time(story())


def test_a_leader_that_dies_is_followed_when_its_lease_is_over() -> None:
    async def story() -> None:
        store = LeaseInMemory()
        async with candidate(store, "a") as (first, _):
            await first.is_acquired.wait()
        died_at = now()
        async with candidate(store, "b") as (second, _):
            await second.is_acquired.wait()
        assert store.lease is not None
        assert store.lease["spec"]["leaseTransitions"] == 1
        took = now() - died_at
        assert SETTINGS.duration_seconds <= took
        assert took <= SETTINGS.duration_seconds + SETTINGS.retry_seconds + 0.1

    run_in_virtual_time(story())


def test_a_leader_that_gives_up_is_followed_at_once() -> None:
    async def story() -> None:
        store = LeaseInMemory()
        async with candidate(store, "a") as (first, _):
            await first.is_acquired.wait()
        gave_up_at = now()
        await first.release()
        async with candidate(store, "b") as (second, _):
            await second.is_acquired.wait()
            assert now() - gave_up_at <= SETTINGS.retry_seconds

    run_in_virtual_time(story())


@pytest.mark.parametrize("fault", [refuse, hang], ids=["is refused", "hangs"])
def test_a_leader_that_cannot_renew_stops_before_its_lease_is_over(
    fault: Callable[[], Awaitable[None]],
) -> None:
    async def story() -> None:
        store = LeaseInMemory()
        async with candidate(store, "a") as (first, task):
            await first.is_acquired.wait()
            store.fault, cut_at = fault, now()
            with pytest.raises(LeadershipLostError, match="could not be renewed"):
                await task
            assert now() - cut_at <= SETTINGS.renew_deadline_seconds + 0.1

    run_in_virtual_time(story())


def test_a_short_outage_ends_no_leader() -> None:
    async def story() -> None:
        store = LeaseInMemory()
        async with candidate(store, "a") as (first, task):
            await first.is_acquired.wait()
            store.fault = hang
            await asyncio.sleep(SETTINGS.renew_deadline_seconds - 3)
            store.fault = None
            await asyncio.sleep(3600)
            assert not task.done()

    run_in_virtual_time(story())


def test_a_leader_whose_lease_was_taken_stops_at_its_next_renewal() -> None:
    async def story() -> None:
        store = LeaseInMemory()
        async with candidate(store, "a") as (first, task):
            await first.is_acquired.wait()
            assert store.lease is not None
            spec = {**store.lease["spec"], "holderIdentity": "b"}
            await store.replace({**store.lease, "spec": spec})
            with pytest.raises(LeadershipLostError, match="b holds the Lease"):
                await task

    run_in_virtual_time(story())


def test_a_lost_answer_does_not_end_a_leader() -> None:
    async def story() -> None:
        store = LeaseInMemory()
        async with candidate(store, "a") as (first, task):
            await first.is_acquired.wait()
            assert store.lease is not None
            await store.replace(store.lease)  # its own write, of which it never heard
            await asyncio.sleep(60)
            assert not task.done()

    run_in_virtual_time(story())


def test_a_candidate_waits_through_an_outage() -> None:
    async def story() -> None:
        store = LeaseInMemory()
        store.fault = refuse
        async with candidate(store, "a") as (elector, task):
            await asyncio.sleep(3600)
            assert not task.done()
            assert not elector.has_answer
            store.fault = None
            await elector.is_acquired.wait()
            await asyncio.sleep(0)
            assert elector.has_answer

    run_in_virtual_time(story())


def test_the_same_pod_leads_again_at_once_after_a_crash() -> None:
    async def story() -> None:
        store = LeaseInMemory()
        async with candidate(store, "a") as (first, _):
            await first.is_acquired.wait()
        crashed_at = now()
        async with candidate(store, "a") as (again, _):
            await again.is_acquired.wait()
            assert now() - crashed_at <= 0.1

    run_in_virtual_time(story())
