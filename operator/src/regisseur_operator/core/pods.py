"""What a pod says about itself, reduced to what decisions look at.

Whatever may be missing is taken as missing: a pod that was just made has no status at all, and
one unreadable pod must not keep the others from being judged.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from regisseur_contract.names import (
    API_GROUP,
    CONTAINER_CONVERT,
    CONTAINER_FETCH,
    CONTAINER_REHEARSE,
    CONTAINER_SERVER,
    LABEL_MODEL_VERSION,
)
from regisseur_contract.rehearsal import RehearsalVerdict, parse_verdict
from regisseur_operator.core.identity import Manifest

LABEL_INPUTS: Final = f"{API_GROUP}/pod-inputs"
"""Fingerprint of what a pod was rendered from: tells the pods of one roll from another's."""

ANNOTATION_TRIAL: Final = f"{API_GROUP}/trial"
"""Key of the trial that a pod rehearses: a pod of another trial says nothing about this one."""

FINISHED_PHASES: Final = frozenset({"Succeeded", "Failed"})


@dataclass(frozen=True)
class ContainerFacts:
    """One container of a pod.

    Attributes:
        exit_message: What it left as termination message when it ended last.
        ended_at: When that was.
    """

    name: str
    restarts: int = 0
    is_running: bool = False
    waiting_reason: str = ""
    waiting_message: str = ""
    exit_code: int | None = None
    exit_reason: str = ""
    exit_message: str = ""
    ended_at: datetime | None = None


@dataclass(frozen=True)
class PodFacts:
    """One pod; it is told apart by its uid, as names and addresses come again.

    Attributes:
        controller_uid: Who made it and counts it, empty where it stands alone.
        fetched_at: When its model was downloaded, and converted where it is; None until then.
        ready_changed_at: When it last became ready or ceased to be, None where nothing is known.
    """

    uid: str
    name: str
    version: str
    inputs: str
    is_ready: bool
    is_terminating: bool
    is_finished: bool
    unschedulable: str = ""
    fetch: ContainerFacts | None = None
    convert: ContainerFacts | None = None
    server: ContainerFacts | None = None
    controller_uid: str = ""
    fetched_at: datetime | None = None
    ready_changed_at: datetime | None = None
    created_at: datetime | None = None

    @property
    def is_active(self) -> bool:
        """Whether it counts as a replica: not on its way out and not ended."""
        return not (self.is_terminating or self.is_finished)


@dataclass(frozen=True)
class RehearsalPod:
    """The pod that rehearses a version.

    Attributes:
        key: Of the trial that it is for, empty where somebody took it away.
        version: Of the model, as its label has it.
        phase: The kubelet's; Succeeded and Failed are final.
        reason: Why the pod as a whole ended, such as Evicted or DeadlineExceeded.
    """

    name: str
    uid: str
    key: str
    version: str
    phase: str = ""
    reason: str = ""
    message: str = ""
    is_terminating: bool = False
    created_at: datetime | None = None
    unschedulable: str = ""
    fetch: ContainerFacts | None = None
    convert: ContainerFacts | None = None
    rehearse: ContainerFacts | None = None

    @property
    def verdict(self) -> RehearsalVerdict | None:
        """What the rehearsal came to, None where it has not said."""
        return parse_verdict(self.rehearse.exit_message) if self.rehearse is not None else None

    @property
    def is_finished(self) -> bool:
        """Whether no more is to be learned from it.

        Sidecars that others put into pods may go on for ever after the verdict. An end without a
        verdict waits for the pod's own, which says whether the cluster has brought it about.
        """
        return self.phase in FINISHED_PHASES or self.verdict is not None


def observe_pod(manifest: Manifest) -> PodFacts:
    """Read a serving pod."""
    metadata, status = manifest["metadata"], manifest.get("status") or {}
    labels, conditions = metadata.get("labels") or {}, _observe_conditions(status)
    ready = conditions.get("Ready", {})
    is_ready = ready.get("status") == "True"
    return PodFacts(
        uid=metadata.get("uid", ""),
        name=metadata["name"],
        version=labels.get(LABEL_MODEL_VERSION, ""),
        inputs=labels.get(LABEL_INPUTS, ""),
        is_ready=is_ready,
        is_terminating=metadata.get("deletionTimestamp") is not None,
        is_finished=status.get("phase") in FINISHED_PHASES,
        unschedulable=_observe_unschedulable(conditions.get("PodScheduled", {})),
        fetch=_observe_container(status.get("initContainerStatuses"), CONTAINER_FETCH),
        convert=_observe_container(status.get("initContainerStatuses"), CONTAINER_CONVERT),
        server=_observe_container(status.get("containerStatuses"), CONTAINER_SERVER),
        controller_uid=_observe_controller(metadata),
        fetched_at=_observe_files(status.get("initContainerStatuses")),
        ready_changed_at=_parse_time(ready.get("lastTransitionTime")),
        created_at=_parse_time(metadata.get("creationTimestamp")),
    )


def observe_rehearsal_pod(manifest: Manifest) -> RehearsalPod:
    """Read the pod of a rehearsal."""
    metadata, status = manifest["metadata"], manifest.get("status") or {}
    conditions = _observe_conditions(status)
    return RehearsalPod(
        name=metadata["name"],
        uid=metadata.get("uid", ""),
        key=(metadata.get("annotations") or {}).get(ANNOTATION_TRIAL, ""),
        version=(metadata.get("labels") or {}).get(LABEL_MODEL_VERSION, ""),
        phase=status.get("phase") or "",
        reason=status.get("reason") or "",
        message=status.get("message") or "",
        is_terminating=metadata.get("deletionTimestamp") is not None,
        created_at=_parse_time(metadata.get("creationTimestamp")),
        unschedulable=_observe_unschedulable(conditions.get("PodScheduled", {})),
        fetch=_observe_container(status.get("initContainerStatuses"), CONTAINER_FETCH),
        convert=_observe_container(status.get("initContainerStatuses"), CONTAINER_CONVERT),
        rehearse=_observe_container(status.get("containerStatuses"), CONTAINER_REHEARSE),
    )


# ---- the pod ---------------------------------------------------------------------------------


def _observe_conditions(status: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {str(entry.get("type")): entry for entry in status.get("conditions") or ()}


def _observe_unschedulable(condition: Mapping[str, Any]) -> str:
    if condition.get("status") != "False" or condition.get("reason") != "Unschedulable":
        return ""
    return str(condition.get("message") or "no node can take it")


def _observe_controller(metadata: Mapping[str, Any]) -> str:
    owners = metadata.get("ownerReferences") or ()
    return next((str(owner.get("uid", "")) for owner in owners if owner.get("controller")), "")


def _parse_time(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC) if moment is not None else None


# ---- its containers --------------------------------------------------------------------------

Statuses = Sequence[Mapping[str, Any]] | None


def _find_status(statuses: Statuses, name: str) -> Mapping[str, Any] | None:
    return next((status for status in statuses or () if status.get("name") == name), None)


def _observe_container(statuses: Statuses, name: str) -> ContainerFacts | None:
    status = _find_status(statuses, name)
    if status is None:
        return None
    state = status.get("state") or {}
    waiting = state.get("waiting") or {}
    ended = state.get("terminated") or (status.get("lastState") or {}).get("terminated") or {}
    return ContainerFacts(
        name=name,
        restarts=status.get("restartCount") or 0,
        is_running=state.get("running") is not None,
        waiting_reason=waiting.get("reason") or "",
        waiting_message=waiting.get("message") or "",
        exit_code=ended.get("exitCode"),
        exit_reason=ended.get("reason") or "",
        exit_message=(ended.get("message") or "").strip(),
        ended_at=_parse_time(ended.get("finishedAt")),
    )


def _observe_files(statuses: Statuses) -> datetime | None:
    """Return when the files were as the server takes them; most pods convert nothing."""
    is_converted = _find_status(statuses, CONTAINER_CONVERT) is not None
    return _observe_success(statuses, CONTAINER_CONVERT if is_converted else CONTAINER_FETCH)


def _observe_success(statuses: Statuses, name: str) -> datetime | None:
    """Return when a container has done its work; an earlier attempt that failed is not that."""
    state = (_find_status(statuses, name) or {}).get("state") or {}
    ended = state.get("terminated") or {}
    return _parse_time(ended.get("finishedAt")) if ended.get("exitCode") == 0 else None
