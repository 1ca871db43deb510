"""Carries a plan out, and touches nothing that belongs to somebody else.

Before something is created, the live ModelDeployment and the name are looked at: the caches may be
old, and the garbage collector must not find new children of an owner that is gone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from regisseur_contract.names import KIND
from regisseur_operator.api.reasons import Reason
from regisseur_operator.core.conditions import Refusal
from regisseur_operator.core.drift import find_drift, read_seal
from regisseur_operator.core.fingerprint import digest
from regisseur_operator.core.identity import Key, Manifest
from regisseur_operator.core.notes import Note
from regisseur_operator.core.observed import Observed, find_controller
from regisseur_operator.core.planner import Plan, Write, claim
from regisseur_operator.errors import ConflictError, TerminalError, TransientError
from regisseur_operator.ports import Cluster, ClusterView
from regisseur_operator.resources import MODELDEPLOYMENT


class OwnerGoneError(Exception):
    """The ModelDeployment was deleted, or another one has its name now."""


@dataclass
class Applied:
    """What came of a plan.

    Attributes:
        writes: Titles of the writes that succeeded.
        refusal: What only a person can put right.
        fault: What goes away by itself; it ended the plan.
    """

    writes: list[str] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    refusal: Refusal | None = None
    fault: TransientError | None = None


class Writer:
    """Applies plans."""

    def __init__(self, cluster: Cluster, view: ClusterView) -> None:
        self._cluster = cluster
        self._view = view
        self._contested: dict[Key, dict[str, str]] = {}

    def forget(self, key: Key) -> None:
        """Drop what is remembered of a ModelDeployment."""
        self._contested.pop(key, None)

    async def apply(self, observed: Observed, plan: Plan) -> Applied:
        """Carry a plan out as far as it goes.

        Raises:
            OwnerGoneError: There is nothing to be done for this ModelDeployment any more.
        """
        applied = Applied()
        try:
            for write in await self._admit(observed, plan.writes, applied):
                await self._try(observed, write, applied)
        except TransientError as fault:
            applied.fault = fault
        except TerminalError as error:
            applied.refusal = Refusal(Reason(error.reason), str(error))
        return applied

    async def _try(self, observed: Observed, write: Write, applied: Applied) -> None:
        """Carry one write out; a refusal of one object does not hold up the others."""
        try:
            await self._write(observed, write, applied)
        except TerminalError as error:
            what = f"{write.kind.kind} {write.manifest['metadata']['name']}"
            applied.refusal = Refusal(Reason(error.reason), f"{what} was refused: {error}")

    # ---- what may be written -----------------------------------------------------------------

    async def _admit(
        self, observed: Observed, writes: Sequence[Write], applied: Applied
    ) -> list[Write]:
        """Return the writes that touch nothing foreign; creates go together or not at all."""
        if not any(write.action == "create" for write in writes):
            return list(writes)
        await self._check_owner(observed)
        admitted: list[Write] = []
        for write in writes:
            try:
                admitted.append(await self._check_name(observed, write))
            except TerminalError as error:
                applied.refusal = Refusal(Reason(error.reason), str(error))
        if applied.refusal is not None:
            return [write for write in admitted if write.action == "apply"]
        return admitted

    async def _check_owner(self, observed: Observed) -> None:
        live = await self._cluster.read(MODELDEPLOYMENT, *observed.key)
        if live is None or live["metadata"]["uid"] != observed.uid:
            raise OwnerGoneError
        if live["metadata"].get("deletionTimestamp"):
            raise OwnerGoneError
        if live["metadata"].get("generation", 0) != observed.generation:
            self._view.record(MODELDEPLOYMENT, live)
            raise ConflictError("the ModelDeployment was changed meanwhile")

    async def _check_name(self, observed: Observed, write: Write) -> Write:
        if write.action != "create":
            return write
        live = await self._cluster.read(write.kind, *observed.key)
        if live is None:
            return write
        what, owner = f"{write.kind.kind} {observed.key.name}", find_controller(live)
        if live["metadata"].get("deletionTimestamp"):
            raise TransientError(f"{what} is still being deleted", retry_after_seconds=1.0)
        if owner.get("uid") == observed.uid:
            # The cache has not seen it, or its label was taken away.
            return Write("apply", write.kind, claim(write.manifest, live), ())
        if (owner.get("kind"), owner.get("name")) == (KIND, observed.key.name):
            text = f"{what} of an earlier ModelDeployment is about to be deleted"
            raise TransientError(text, retry_after_seconds=1.0)
        raise TerminalError(Reason.NAME_CONFLICT, _tell_conflict(what, owner.get("kind")))

    # ---- writes ------------------------------------------------------------------------------

    async def _write(self, observed: Observed, write: Write, applied: Applied) -> None:
        if self._is_contested(observed, write):
            return
        if write.action == "create":
            answer = await self._cluster.create(write.kind, write.manifest)
        else:
            answer = await self._cluster.apply(write.kind, write.manifest)
        self._view.record(write.kind, answer)
        applied.writes.append(write.title)
        applied.notes += write.notes
        drift = find_drift(answer, write.manifest)
        if drift:
            seen = self._contested.setdefault(observed.key, {})
            seen[write.kind.kind] = _fingerprint(write, answer)
            applied.notes.append(_tell_contest(write, drift))

    def _is_contested(self, observed: Observed, write: Write) -> bool:
        """Whether this very write was tried on this very object, and something undid it."""
        known = self._contested.get(observed.key, {}).get(write.kind.kind)
        live = next((c.manifest for c in observed.children if c.kind == write.kind), None)
        return live is not None and known == _fingerprint(write, live)


def _fingerprint(write: Write, live: Manifest) -> str:
    """Equal as long as neither side changed its mind; another edit is another matter."""
    metadata = live["metadata"]
    said = [read_seal(write.manifest), read_seal(live), find_drift(live, write.manifest)]
    return digest([*said, live.get("spec"), metadata.get("labels"), metadata["ownerReferences"]])


def _tell_conflict(what: str, owner_kind: str | None) -> str:
    whose = f"belongs to a {owner_kind}" if owner_kind else "was made by somebody else"
    return (
        f"{what} exists and {whose}. It is left alone and nothing is created:"
        " rename the ModelDeployment, or delete it"
    )


def _tell_contest(write: Write, drift: Sequence[str]) -> Note:
    what = f"{write.kind.kind} {write.manifest['metadata']['name']}"
    message = f"Something changes {what} each time it is written: {', '.join(drift[:3])}"
    return Note("Warning", Reason.CHILD_CONTESTED, message)
