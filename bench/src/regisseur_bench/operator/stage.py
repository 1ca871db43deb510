"""What the scenarios share: the API server, the registry, the pods that are played."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from regisseur_bench.operator.audit import LEASES, AuditLog, Request, list_writes
from regisseur_bench.operator.errors import BenchError
from regisseur_bench.operator.ground import NAMESPACE, Ground
from regisseur_bench.operator.player import Player
from regisseur_bench.operator.process import OperatorProcess, wait_until
from regisseur_bench.operator.rawclient import Json, RawClient
from regisseur_bench.operator.registry import StubRegistry

QUIET_SECONDS = 3.0
LONGEST_SECONDS = 600.0
STARTING_SECONDS = 60.0
COLLECTION = f"/apis/regisseur.dev/v1alpha1/namespaces/{NAMESPACE}/modeldeployments"


@dataclass(frozen=True)
class Stage:
    """Where the scenarios play.

    Attributes:
        floor: The raw client.
        say: Told what was done.
    """

    ground: Ground
    floor: RawClient
    registry: StubRegistry
    player: Player
    audit: AuditLog
    say: Callable[[str], None]

    def read_requests(self) -> list[Request]:
        """Return all requests so far."""
        return self.audit.read()

    def list_writes(self, user: str, since: float) -> list[Request]:
        """Return the writes of a user from a moment on, the Lease aside."""
        return list_writes(self.read_requests(), user, since)

    async def create(self, names: Sequence[str]) -> None:
        """Create ModelDeployments."""
        jobs = (self.floor.request("POST", COLLECTION, build_resource(name)) for name in names)
        await asyncio.gather(*jobs)

    async def wait_until_served(self, names: Sequence[str]) -> None:
        """Wait until each model is served in the version that holds Production."""

        def list_missing() -> list[str]:
            self.player.check()
            held = ((name, self.registry.holder(name)) for name in names)
            return [name for name, version in held if not self.player.is_served(name, version)]

        await wait_until(
            lambda: not list_missing(),
            LONGEST_SECONDS,
            lambda: f"{len(missing := list_missing())} are not served, such as {missing[0]}",
        )

    async def wait_until_quiet(self, operator: OperatorProcess) -> None:
        """Wait until an operator has written nothing for a while."""
        await asyncio.sleep(QUIET_SECONDS)
        deadline = time.monotonic() + LONGEST_SECONDS
        while self.list_writes(operator.user, time.time() - QUIET_SECONDS):
            if time.monotonic() > deadline:
                raise BenchError(f"{operator.user} does not come to rest")
            await asyncio.sleep(1.0)

    async def wait_until_leading(self, operator: OperatorProcess) -> float:
        """Wait until an operator has the Lease, and return when it got it."""
        await wait_until(
            lambda: bool(self._list_leases(operator)),
            STARTING_SECONDS,
            lambda: f"{operator.user} has no Lease",
        )
        return self._list_leases(operator)[0].answered

    async def wait_until_ready(self, operator: OperatorProcess) -> None:
        """Wait until an operator that does not lead is ready to."""
        deadline = time.monotonic() + STARTING_SECONDS
        while not await operator.read_metrics():
            if time.monotonic() > deadline:
                raise BenchError(f"{operator.user} does not answer")
            await asyncio.sleep(0.1)

    async def wait_until_writing(self, operator: OperatorProcess) -> None:
        """Wait for the next write of an operator."""
        since = time.time()
        await wait_until(
            lambda: bool(self.list_writes(operator.user, since)),
            STARTING_SECONDS,
            lambda: f"{operator.user} writes nothing",
        )

    def _list_leases(self, operator: OperatorProcess) -> list[Request]:
        """Return an operator's writes to the Lease."""
        return [
            request
            for request in self.read_requests()
            if request.user == operator.user
            and request.received >= operator.started
            and request.resource == LEASES
            and request.verb in {"create", "update"}
            and not request.has_failed
        ]


def name_models(count: int) -> list[str]:
    """Return names of models, which are those of their ModelDeployments as well."""
    return [f"model-{number:04d}" for number in range(count)]


def build_resource(name: str) -> Json:
    """Return a ModelDeployment that follows Production, without a rehearsal."""
    return {
        "apiVersion": "regisseur.dev/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": {"name": name},
        "spec": {
            "model": {"name": name, "stage": "Production"},
            "minReadySeconds": 0,
            "rehearsal": {"enabled": False},
        },
    }
