"""What the operator needs from outside, as protocols that adapters fulfil.

Manifests are plain JSON objects as the API server speaks them; what decides on them is typed in
`core`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple, Protocol

Manifest = dict[str, Any]


class Key(NamedTuple):
    """Namespace and name of a ModelDeployment."""

    namespace: str
    name: str


class Kind(NamedTuple):
    """A kind of object as its URL names it; `api` is `api/v1` or `apis/<group>/<version>`."""

    api: str
    plural: str
    kind: str


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
        """Create by POST; `ConflictError` where the name is taken."""
        ...

    async def apply(self, kind: Kind, manifest: Manifest) -> Manifest:
        """Apply by server-side apply as our field manager, taking over fields by force."""
        ...

    async def delete(self, kind: Kind, namespace: str, name: str, uid: str) -> None:
        """Delete the object if it still has this uid; one that is gone is fine."""
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


class Clock(Protocol):
    """Wall time; decisions never read it by themselves."""

    def now(self) -> datetime:
        """The time in UTC."""
        ...


# ---- the model registry ----------------------------------------------------------------------


@dataclass(frozen=True)
class Reference:
    """What a ModelDeployment follows: exactly one of stage, alias and version is set."""

    registry: str
    model: str
    stage: str | None = None
    alias: str | None = None
    version: int | None = None


@dataclass(frozen=True)
class ModelVersion:
    """A version of a registered model as the registry tells it.

    Attributes:
        source: What the registry calls the source, e.g. `models:/m-…`.
        model_id: MLflow's id of the logged model, or empty where there is none.
        created_ms: Creation time in milliseconds; tells a re-created version 1 from the old one.
    """

    model: str
    version: int
    stage: str
    status: str
    run_id: str
    source: str
    model_id: str = ""
    created_ms: int = 0
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RegisteredModel:
    """A registered model with its aliases; `updated_ms` moves with stages, not with aliases."""

    name: str
    updated_ms: int
    aliases: Mapping[str, int]


class Registry(Protocol):
    """One MLflow server, spoken to by REST with a hard deadline a call.

    Raises of every method: `UnreachableError` (no answer, nonsense, 5xx), `TerminalError` (401,
    403).
    """

    async def search_models(self, names: Sequence[str]) -> Mapping[str, RegisteredModel]:
        """Look up many models at once; those that do not exist are missing in the answer."""
        ...

    async def versions(self, model: str) -> Sequence[ModelVersion]:
        """All versions of a model; empty where the model does not exist."""
        ...

    async def artifact_uri(self, model: str, version: int) -> str:
        """Storage URI of a version's folder, as `model-versions/get-download-uri` gives it."""
        ...


@dataclass(frozen=True)
class RegistryHealth:
    """Whether a registry answers.

    Attributes:
        failing_since: Start of the present series of failures, None while it answers.
        ever_answered: False until the first good answer.
        message: The last failure, for people.
    """

    failing_since: datetime | None = None
    ever_answered: bool = False
    message: str = ""


@dataclass(frozen=True)
class RegistryAnswer:
    """What the registry last said about one reference.

    Attributes:
        known: False until the model was looked at once since start.
        model_exists: Whether a registered model of that name was in the last good answer.
        holders: The versions that the reference names now, ascending; several in a stage is
            MLflow's usual state, an alias or a version has at most one.
        artifact_uris: Storage URI by version number, for those among the holders that were asked.
    """

    known: bool
    model_exists: bool
    holders: tuple[ModelVersion, ...]
    health: RegistryHealth
    artifact_uris: Mapping[int, str] = field(default_factory=dict)


class RegistryView(Protocol):
    """What the registry watchers have seen last, for all registries."""

    def follow(self, key: Key, reference: Reference) -> None:
        """Look at this reference from now on, and wake `key` when its answer changes."""
        ...

    def forget(self, key: Key) -> None:
        """Stop following for this ModelDeployment."""
        ...

    def answer(self, reference: Reference) -> RegistryAnswer | None:
        """The last answer; None where no registry of that name is configured."""
        ...
