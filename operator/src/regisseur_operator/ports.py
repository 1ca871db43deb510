"""What the operator needs from outside, as protocols that adapters fulfil.

Manifests are plain JSON objects as the API server speaks them; what decides on them is typed in
`core`, where the values that cross these ports are defined as well.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, Protocol

from regisseur_operator.core.identity import Key, Kind, Manifest
from regisseur_operator.core.registry import (
    EMPTY_RUN,
    ModelVersion,
    Reference,
    RegisteredModel,
    RegistryAnswer,
    RegistryHealth,
    Run,
)
from regisseur_operator.core.turns import Turn
from regisseur_operator.errors import OperatorError

__all__ = [
    "EMPTY_RUN",
    "Clock",
    "Cluster",
    "ClusterView",
    "Events",
    "Key",
    "Kind",
    "Manifest",
    "ModelVersion",
    "Reference",
    "RegisteredModel",
    "Registry",
    "RegistryAnswer",
    "RegistryHealth",
    "RegistryView",
    "Run",
    "Turn",
    "Turns",
]

# ---- Kubernetes ------------------------------------------------------------------------------


class Cluster(Protocol):
    """Reads and writes of single objects on the API server.

    Raises of every method: `UnreachableError`, `TransientError` (429, 5xx, time-outs),
    `TerminalError` (403, 422: what the server said is in the message).
    """

    async def read(self, kind: Kind, namespace: str, name: str) -> Manifest | None:
        """Get the live object, or None where there is none."""
        ...

    async def create(self, kind: Kind, manifest: Manifest) -> Manifest:
        """Create without taking anything over; `ConflictError` where the name is taken.

        What may be applied later is created by an apply as well: fields set by a POST belong to
        the operation Update, and an apply that leaves one of them out would not remove it.
        """
        ...

    async def apply(self, kind: Kind, manifest: Manifest) -> Manifest:
        """Apply by server-side apply as our field manager, taking over fields by force."""
        ...

    async def delete(self, kind: Kind, namespace: str, name: str, uid: str) -> None:
        """Delete one very object; one that is gone is fine, another of its name a `ConflictError`.

        What it owns goes with it, in the background; it may itself linger for a while.
        """
        ...

    async def write_status(self, manifest: Manifest) -> Manifest:
        """Replace the status of a ModelDeployment; `ConflictError` on an old resourceVersion."""
        ...


class ClusterView(Protocol):
    """What the informers have seen last; reading it costs nothing and never blocks."""

    def modeldeployment(self, key: Key) -> Manifest | None:
        """The custom resource."""
        ...

    def children(self, key: Key, kind: Kind) -> Sequence[Manifest]:
        """Objects of a kind that carry the ModelDeployment's label, pods included."""
        ...

    def rehearsal_pods(self, key: Key) -> Sequence[Manifest]:
        """Pods that carry the ModelDeployment's rehearsal label: its own, and foreign ones."""
        ...

    def record(self, kind: Kind, manifest: Manifest) -> None:
        """Take in the answer to our own write, unless something newer was seen already."""
        ...


class Events(Protocol):
    """Kubernetes Events about a ModelDeployment, aggregated, never in the way of a reconcile."""

    def publish(
        self, about: Manifest, kind: Literal["Normal", "Warning"], reason: str, message: str
    ) -> None:
        """Queue one Event."""
        ...


class Turns(Protocol):
    """Limits how much is under way at once, over all ModelDeployments together."""

    def offer(self, key: Key) -> frozenset[Turn]:
        """Return what may begin for `key` now, or is under way."""
        ...

    def settle(self, key: Key, under_way: frozenset[Turn], waits_for: Turn | None) -> None:
        """Take in what came of an offer, and wake `key` when what it waits for may begin."""
        ...

    def forget(self, key: Key) -> None:
        """Take in that for `key` nothing is under way, and that it waits for nothing."""
        ...


class Clock(Protocol):
    """Wall time; decisions never read it by themselves."""

    def now(self) -> datetime:
        """The time in UTC."""
        ...


# ---- the model registry ----------------------------------------------------------------------


class Registry(Protocol):
    """One MLflow server, spoken to by REST with a hard deadline a call.

    Raises of every method: `UnreachableError` (no answer, nonsense, 5xx), `TerminalError` (401,
    403).
    """

    async def search_models(
        self, names: Sequence[str]
    ) -> Mapping[str, RegisteredModel | OperatorError]:
        """Look up many models at once; those that do not exist are missing in the answer.

        A model that had to be looked up alone, in vain, comes with its own error.
        """
        ...

    async def versions(self, model: str) -> Sequence[ModelVersion]:
        """All versions of a model; empty where the model does not exist."""
        ...

    async def artifact_uri(self, model: str, version: int) -> str:
        """Storage URI of a version's folder, as `model-versions/get-download-uri` gives it."""
        ...

    async def run(self, run_id: str) -> Run:
        """What training wrote down; `EMPTY_RUN` where the run is gone."""
        ...


class RegistryView(Protocol):
    """What the registry watchers have seen last, for all registries."""

    def follow(self, key: Key, reference: Reference) -> None:
        """Look at this reference from now on, and wake `key` when its answer changes."""
        ...

    def forget(self, key: Key) -> None:
        """Stop following for this ModelDeployment."""
        ...

    def watch_closely(self, key: Key, *, is_close: bool) -> None:
        """Read the tags and runs of what `key` follows again with every tick, or no longer.

        MLflow moves no time stamp when a tag or a metric changes, so that only looking tells.
        """
        ...

    def answer(self, reference: Reference) -> RegistryAnswer | None:
        """The last answer; None where no registry of that name is configured."""
        ...
