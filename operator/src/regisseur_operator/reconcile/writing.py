"""Carries a plan out, and touches nothing that belongs to somebody else.

Before something is created, the live ModelDeployment and the name are looked at: the caches may be
old, and the garbage collector must not find new children of an owner that is gone. What is deleted
is looked at as well. Deletes come last: what replaces an object is there before it goes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from regisseur_contract.names import KIND
from regisseur_operator.api.reasons import Reason
from regisseur_operator.core.drift import find_drift, read_seal
from regisseur_operator.core.fingerprint import digest
from regisseur_operator.core.identity import Key, Kind, Manifest
from regisseur_operator.core.notes import Note
from regisseur_operator.core.observed import Observed, find_controller
from regisseur_operator.core.planner import Delete, Plan, Write, claim
from regisseur_operator.core.verdict import Refusal
from regisseur_operator.errors import ConflictError, TerminalError, TransientError
from regisseur_operator.ports import Cluster, ClusterView
from regisseur_operator.resources import CONTROLLER_REVISION, DEPLOYMENT, MODELDEPLOYMENT, POD

RESTS_ON: Final[Mapping[Kind, Kind]] = {DEPLOYMENT: CONTROLLER_REVISION}
"""No pods of a template that could not be kept: nothing could bring it back later."""


RIGHTS: Final = 'forbidden: User "'
"""What the API server says when it is the operator's own rights that are missing."""


class OwnerGoneError(Exception):
    """The ModelDeployment was deleted, or another one has its name now."""


class Written(NamedTuple):
    """One write that succeeded, and why it was made as far as people are told."""

    verb: str
    kind: str
    name: str = ""
    reason: str = ""

    @property
    def title(self) -> str:
        """Name it in log lines."""
        return " ".join(filter(None, (self.verb, self.kind, self.name)))


@dataclass
class Applied:
    """What came of a plan.

    Attributes:
        writes: Those that succeeded.
        refusal: What only a person can put right.
        refused: The same by the kind of what was refused.
        fault: What goes away by itself.
    """

    writes: list[Written] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    refusal: Refusal | None = None
    refused: dict[Kind, Refusal] = field(default_factory=dict)
    fault: TransientError | None = None

    def refuse(self, kind: Kind, error: TerminalError, text: str = "") -> None:
        """Take in that an object was refused."""
        reason = Reason(error.reason)
        if kind == POD and reason == Reason.FORBIDDEN and RIGHTS not in str(error):
            # A quota or a Pod Security level: the namespace's rules, not the operator's rights.
            reason = Reason.REPLICA_FAILURE
        refusal = Refusal(reason, text or str(error), is_of_rehearsal=kind == POD)
        self.refusal = self.refused[kind] = refusal


class Writer:
    """Applies plans."""

    def __init__(self, cluster: Cluster, view: ClusterView) -> None:
        self._cluster = cluster
        self._view = view
        self._contested: dict[Key, dict[tuple[Kind, str], str]] = {}

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
            for delete in plan.deletes:
                await self._try_delete(observed, delete, applied)
        except TransientError as fault:
            applied.fault = fault
        except TerminalError as error:
            applied.refusal = Refusal(Reason(error.reason), str(error))
        return applied

    async def _try(self, observed: Observed, write: Write, applied: Applied) -> None:
        """Carry one write out; a refusal of one object holds up only what rests on it."""
        if RESTS_ON.get(write.kind) in applied.refused:
            return
        try:
            await self._write(observed, write, applied)
        except TerminalError as error:
            text = f"{write.kind.kind} {write.name} was refused: {error}"
            applied.refuse(write.kind, error, text)

    # ---- what may be written -----------------------------------------------------------------

    async def _admit(
        self, observed: Observed, writes: Sequence[Write], applied: Applied
    ) -> list[Write]:
        """Return the writes that touch nothing foreign.

        Where there is no Deployment yet, all children are created or none is. A rehearsal's pod
        stands alone: neither do the others wait for it, nor it for them.
        """
        if not any(write.action == "create" for write in writes):
            return list(writes)
        await self._check_owner(observed)
        admitted: list[Write] = []
        for write in writes:
            try:
                admitted.append(await self._check_name(observed, write))
            except TerminalError as error:
                applied.refuse(write.kind, error)
            except TransientError as fault:
                if write.kind != POD:
                    raise
                applied.fault = fault
        is_first = any((write.action, write.kind) == ("create", DEPLOYMENT) for write in writes)
        if not is_first or applied.refused.keys() <= {POD}:
            return admitted
        return [write for write in admitted if write.action == "apply" or write.kind == POD]

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
        live = await self._cluster.read(write.kind, observed.key.namespace, write.name)
        if live is None:
            return write
        what, owner = f"{write.kind.kind} {write.name}", find_controller(live)
        if owner.get("uid") == observed.uid:
            return await self._take_up(write, live)
        if (owner.get("kind"), owner.get("name")) == (KIND, observed.key.name):
            text = f"{what} of an earlier ModelDeployment is about to be deleted"
            raise TransientError(text, retry_after_seconds=1.0)
        if live["metadata"].get("deletionTimestamp"):
            raise TransientError(f"{what} is still being deleted", retry_after_seconds=1.0)
        raise TerminalError(Reason.NAME_CONFLICT, _tell_conflict(what, owner.get("kind")))

    async def _take_up(self, write: Write, live: Manifest) -> Write:
        """Go on with a child that the cache has not seen, or whose label was taken away."""
        what = f"{write.kind.kind} {write.name}"
        metadata = live["metadata"]
        if metadata.get("deletionTimestamp"):
            raise TransientError(f"{what} is still being deleted", retry_after_seconds=1.0)
        if not write.is_fixed:
            return Write("apply", write.kind, claim(write.manifest, live), ())
        if not _is_labelled(live, write.manifest):
            # It cannot be changed, and without its label nobody would ever see it.
            await self._cluster.delete(
                write.kind, metadata["namespace"], write.name, metadata["uid"]
            )
        self._view.record(write.kind, live)
        raise ConflictError(f"{what} was there already")

    # ---- writes ------------------------------------------------------------------------------

    async def _write(self, observed: Observed, write: Write, applied: Applied) -> None:
        if self._is_contested(observed, write):
            return
        if write.action == "create":
            answer = await self._cluster.create(write.kind, write.manifest)
        else:
            answer = await self._cluster.apply(write.kind, write.manifest)
        self._view.record(write.kind, answer)
        applied.writes.append(Written(write.action, write.kind.kind, write.name, _tell_why(write)))
        applied.notes += write.notes
        drift = find_drift(answer, write.manifest)
        if drift and not write.is_fixed:
            seen = self._contested.setdefault(observed.key, {})
            seen[write.kind, write.name] = _fingerprint(write, answer)
            applied.notes.append(_tell_contest(write, drift))

    def _is_contested(self, observed: Observed, write: Write) -> bool:
        """Whether this very write was tried on this very object, and something undid it."""
        named = (write.kind, write.name)
        known = self._contested.get(observed.key, {}).get(named)
        live = next((c.manifest for c in observed.children if (c.kind, c.name) == named), None)
        return live is not None and known == _fingerprint(write, live)

    # ---- deletes -----------------------------------------------------------------------------

    async def _try_delete(self, observed: Observed, delete: Delete, applied: Applied) -> None:
        try:
            is_gone = await self._delete(observed, delete)
        except TerminalError as error:
            text = f"{delete.kind.kind} {delete.name} cannot be deleted: {error}"
            applied.refuse(delete.kind, error, text)
            return
        if is_gone:
            applied.writes.append(
                Written("delete", delete.kind.kind, delete.name, _tell_why(delete))
            )
            applied.notes += delete.notes

    async def _delete(self, observed: Observed, delete: Delete) -> bool:
        """Delete what is still there and still ours; tell whether there was anything to do."""
        live = await self._cluster.read(delete.kind, observed.key.namespace, delete.name)
        if live is None or live["metadata"]["uid"] != delete.uid:
            return False
        if live["metadata"].get("deletionTimestamp"):
            self._view.record(delete.kind, live)
            return False
        if find_controller(live).get("uid") != observed.uid:
            self._view.record(delete.kind, live)
            return False
        await self._cluster.delete(delete.kind, observed.key.namespace, delete.name, delete.uid)
        return True


def _tell_why(change: Write | Delete) -> str:
    return str(change.notes[0].reason) if change.notes else ""


def _is_labelled(live: Manifest, desired: Manifest) -> bool:
    labels = live["metadata"].get("labels") or {}
    return bool(labels.items() >= desired["metadata"].get("labels", {}).items())


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
    what = f"{write.kind.kind} {write.name}"
    message = f"Something changes {what} each time it is written: {', '.join(drift[:3])}"
    return Note("Warning", Reason.CHILD_CONTESTED, message)
