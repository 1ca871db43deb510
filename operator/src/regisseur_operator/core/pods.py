"""What a serving pod says about itself, reduced to what decisions look at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from regisseur_contract.names import (
    API_GROUP,
    CONTAINER_FETCH,
    CONTAINER_SERVER,
    LABEL_MODEL_VERSION,
)
from regisseur_operator.core.identity import Manifest

LABEL_INPUTS: Final = f"{API_GROUP}/pod-inputs"
"""Fingerprint of what a pod was rendered from: tells the pods of one roll from another's."""

FINISHED_PHASES: Final = frozenset({"Succeeded", "Failed"})


@dataclass(frozen=True)
class ContainerFacts:
    """One container of a pod.

    Attributes:
        exit_message: What it left as termination message when it ended last.
    """

    name: str
    restarts: int = 0
    is_running: bool = False
    waiting_reason: str = ""
    waiting_message: str = ""
    exit_code: int | None = None
    exit_reason: str = ""
    exit_message: str = ""


@dataclass(frozen=True)
class PodFacts:
    """One pod; it is told apart by its uid, as names and addresses come again."""

    uid: str
    name: str
    version: str
    inputs: str
    is_ready: bool
    is_terminating: bool
    is_finished: bool
    unschedulable: str = ""
    fetch: ContainerFacts | None = None
    server: ContainerFacts | None = None

    @property
    def is_active(self) -> bool:
        """Whether it counts as a replica: not on its way out and not ended."""
        return not (self.is_terminating or self.is_finished)


def observe_pod(manifest: Manifest) -> PodFacts:
    """Read a pod."""
    metadata, status = manifest["metadata"], manifest.get("status") or {}
    labels = metadata.get("labels") or {}
    conditions = {entry.get("type"): entry for entry in status.get("conditions") or ()}
    return PodFacts(
        uid=metadata["uid"],
        name=metadata["name"],
        version=labels.get(LABEL_MODEL_VERSION, ""),
        inputs=labels.get(LABEL_INPUTS, ""),
        is_ready=conditions.get("Ready", {}).get("status") == "True",
        is_terminating=metadata.get("deletionTimestamp") is not None,
        is_finished=status.get("phase") in FINISHED_PHASES,
        unschedulable=_observe_unschedulable(conditions.get("PodScheduled", {})),
        fetch=_observe_container(status.get("initContainerStatuses"), CONTAINER_FETCH),
        server=_observe_container(status.get("containerStatuses"), CONTAINER_SERVER),
    )


def _observe_unschedulable(condition: Mapping[str, Any]) -> str:
    if condition.get("status") != "False" or condition.get("reason") != "Unschedulable":
        return ""
    return str(condition.get("message") or "no node can take it")


def _observe_container(
    statuses: Sequence[Mapping[str, Any]] | None, name: str
) -> ContainerFacts | None:
    for status in statuses or ():
        if status.get("name") == name:
            return _observe_container_status(status)
    return None


def _observe_container_status(status: Mapping[str, Any]) -> ContainerFacts:
    state = status.get("state") or {}
    waiting = state.get("waiting") or {}
    ended = state.get("terminated") or (status.get("lastState") or {}).get("terminated") or {}
    return ContainerFacts(
        name=status["name"],
        restarts=status.get("restartCount", 0),
        is_running="running" in state,
        waiting_reason=waiting.get("reason", ""),
        waiting_message=waiting.get("message", ""),
        exit_code=ended.get("exitCode"),
        exit_reason=ended.get("reason", ""),
        exit_message=(ended.get("message") or "").strip(),
    )
