"""What to write, and why: desired objects against live ones.

An object is written when the digest of what is desired changed, or when the live object no longer
contains it. So nothing is written at rest, a plan of an applied plan is empty, and an edit is seen.
Fixed objects are created and never changed; what is to go is named by its uid.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from regisseur_operator.api.reasons import Reason
from regisseur_operator.core.drift import find_drift, read_seal, seal_desired
from regisseur_operator.core.identity import Kind, Manifest
from regisseur_operator.core.notes import Note
from regisseur_operator.core.observed import Child, Observed

NAMED_PATHS: Final = 3
"""How many edited fields a note names."""

COMES_AND_GOES: Final = "HorizontalPodAutoscaler"
"""It is there only while the spec asks for it: that it is missing does not say it was deleted."""


@dataclass(frozen=True)
class Desired:
    """An object that is to exist; the notes are about its contents.

    Attributes:
        is_fixed: Whether it is created when it is missing and never changed afterwards. Nothing is
            told of it but its own notes.
    """

    kind: Kind
    manifest: Manifest
    notes: tuple[Note, ...] = ()
    is_fixed: bool = False


@dataclass(frozen=True)
class Write:
    """One write; its notes are told only if it succeeds."""

    action: Literal["create", "apply"]
    kind: Kind
    manifest: Manifest
    notes: tuple[Note, ...] = ()
    is_fixed: bool = False

    @property
    def name(self) -> str:
        """Name of the object."""
        return str(self.manifest["metadata"]["name"])

    @property
    def title(self) -> str:
        """Name it in log lines."""
        return f"{self.action} {self.kind.kind} {self.name}"


@dataclass(frozen=True)
class Delete:
    """One very object that is to go; its notes are told only if it does."""

    kind: Kind
    name: str
    uid: str
    notes: tuple[Note, ...] = ()

    @property
    def title(self) -> str:
        """Name it in log lines."""
        return f"delete {self.kind.kind} {self.name}"


@dataclass(frozen=True)
class Plan:
    """What to write, in order, and what to delete afterwards."""

    writes: tuple[Write, ...] = ()
    deletes: tuple[Delete, ...] = ()


def plan_writes(
    observed: Observed, desired: Sequence[Desired], deletes: Sequence[Delete] = ()
) -> Plan:
    """Compare what is to exist with what does; nothing is done while suspended."""
    if observed.spec.suspend:
        return Plan()
    planned = (_plan_write(observed, wanted) for wanted in desired)
    leaving = _find_leaving(observed)
    return Plan(
        tuple(write for write in planned if write is not None),
        tuple(delete for delete in deletes if delete.uid not in leaving),
    )


def _find_leaving(observed: Observed) -> set[str]:
    """Return the uids of what is being deleted already."""
    leaving = {c.manifest["metadata"]["uid"] for c in observed.children if c.is_terminating}
    pod = observed.rehearsal_pod
    return leaving | ({pod.uid} if pod is not None and pod.is_terminating else set())


def _plan_write(observed: Observed, wanted: Desired) -> Write | None:
    manifest = seal_desired(wanted.manifest)
    live = _find_live(observed, wanted)
    if live is None and _is_rehearsal_pod(observed, wanted):
        return None
    if live is None:
        notes = (*_tell_creation(observed, wanted), *wanted.notes)
        return Write("create", wanted.kind, manifest, notes, wanted.is_fixed)
    if live.is_terminating or wanted.is_fixed:
        return None
    is_changed = read_seal(live.manifest) != read_seal(manifest)
    drift = find_drift(live.manifest, manifest)
    if is_changed:
        return Write("apply", wanted.kind, claim(manifest, live.manifest), wanted.notes)
    if drift:
        notes = (_tell_edit(wanted, drift),)
        return Write("apply", wanted.kind, claim(manifest, live.manifest), notes)
    return None


def claim(manifest: Manifest, live: Manifest) -> Manifest:
    """Bind an apply to the very object that was looked at: without it the apply must fail."""
    metadata = {**manifest["metadata"], "uid": live["metadata"]["uid"]}
    return {**manifest, "metadata": metadata}


def _find_live(observed: Observed, wanted: Desired) -> Child | None:
    name = wanted.manifest["metadata"]["name"]
    candidates = (c for c in observed.children if (c.kind, c.name) == (wanted.kind, name))
    return next(candidates, None)


def _is_rehearsal_pod(observed: Observed, wanted: Desired) -> bool:
    """Whether the object is there: the pod of a rehearsal is not among the children."""
    pod, name = observed.rehearsal_pod, wanted.manifest["metadata"]["name"]
    return pod is not None and (wanted.kind.kind, name) == ("Pod", pod.name)


# ---- why -------------------------------------------------------------------------------------


def _tell_creation(observed: Observed, wanted: Desired) -> tuple[Note, ...]:
    if wanted.is_fixed:
        return ()
    what = f"{wanted.kind.kind} {wanted.manifest['metadata']['name']}"
    existed = observed.status.stable is not None or observed.status.candidate is not None
    if existed and wanted.kind.kind != COMES_AND_GOES:
        message = f"{what} was deleted and is created again"
        return (Note("Warning", Reason.CHILD_RESTORED, message),)
    return (Note("Normal", Reason.CHILD_CREATED, f"Created {what}"),)


def _tell_edit(wanted: Desired, drift: Sequence[str]) -> Note:
    what = f"{wanted.kind.kind} {wanted.manifest['metadata']['name']}"
    named = ", ".join(drift[:NAMED_PATHS])
    more = f" and {len(drift) - NAMED_PATHS} more fields" if len(drift) > NAMED_PATHS else ""
    return Note("Warning", Reason.CHILD_RESTORED, f"{what} was edited: put back {named}{more}")
