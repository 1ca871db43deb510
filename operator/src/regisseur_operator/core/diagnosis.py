"""Why pods do not become ready, in words that say what to do.

Reasons are steady where the kubelet's alternate (ErrImagePull and ImagePullBackOff, Running and
CrashLoopBackOff): a status that flaps with every attempt tells nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from regisseur_operator.api.reasons import Reason
from regisseur_operator.core.pods import ContainerFacts, PodFacts

PULL_PROBLEMS: Final = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "ErrImageNeverPull",
        "InvalidImageName",
        "ImageInspectError",
        "RegistryUnavailable",
    }
)
CREATE_PROBLEMS: Final = frozenset(
    {"CreateContainerConfigError", "CreateContainerError", "RunContainerError"}
)
LONGEST_MESSAGE: Final = 1000


@dataclass(frozen=True)
class Diagnosis:
    """The most telling thing that is wrong with some pods."""

    reason: Reason
    message: str


def diagnose(pods: Iterable[PodFacts]) -> Diagnosis | None:
    """Return what keeps pods from being ready, None where nothing is known to be wrong."""
    found = [
        diagnosis
        for pod in sorted(pods, key=lambda pod: pod.name)
        if pod.is_active and not pod.is_ready
        for diagnosis in [_diagnose_pod(pod)]
        if diagnosis is not None
    ]
    return min(found, key=lambda diagnosis: _ORDER.index(diagnosis.reason), default=None)


_ORDER: Final = (
    Reason.OUT_OF_MEMORY,
    Reason.SERVER_CRASHED,
    Reason.FETCH_FAILED,
    Reason.IMAGE_PULL_FAILED,
    Reason.CONTAINER_REFUSED,
    Reason.UNSCHEDULABLE,
)
"""What the version itself does wrong comes before what its surroundings do."""


def _diagnose_pod(pod: PodFacts) -> Diagnosis | None:
    if pod.unschedulable:
        return _say(Reason.UNSCHEDULABLE, f"No node can take pod {pod.name}", pod.unschedulable)
    for container in (pod.fetch, pod.server):
        for check in (_check_image, _check_creation):
            diagnosis = check(pod, container) if container is not None else None
            if diagnosis is not None:
                return diagnosis
    return _check_fetch(pod) or _check_server(pod)


def _check_image(pod: PodFacts, container: ContainerFacts) -> Diagnosis | None:
    if container.waiting_reason not in PULL_PROBLEMS:
        return None
    return _say(
        Reason.IMAGE_PULL_FAILED,
        f"The image of pod {pod.name} cannot be pulled",
        container.waiting_message,
    )


def _check_creation(pod: PodFacts, container: ContainerFacts) -> Diagnosis | None:
    if container.waiting_reason not in CREATE_PROBLEMS:
        return None
    return _say(
        Reason.CONTAINER_REFUSED,
        f"Container {container.name} of pod {pod.name} cannot be created",
        container.waiting_message,
    )


def _check_fetch(pod: PodFacts) -> Diagnosis | None:
    if pod.fetch is None or not pod.fetch.exit_code:
        return None
    return _say(
        Reason.FETCH_FAILED,
        f"Pod {pod.name} cannot download the model's files",
        pod.fetch.exit_message or f"exit code {pod.fetch.exit_code}",
    )


def _check_server(pod: PodFacts) -> Diagnosis | None:
    server = pod.server
    if server is None or server.exit_code is None:
        return None
    if server.exit_reason == "OOMKilled":
        return _say(
            Reason.OUT_OF_MEMORY,
            f"The server in pod {pod.name} used more memory than its limit and was killed",
            "raise spec.serving.resources.limits.memory",
        )
    return _say(
        Reason.SERVER_CRASHED,
        f"The server in pod {pod.name} ended by itself",
        server.exit_message or f"exit code {server.exit_code}",
    )


def _say(reason: Reason, what: str, detail: str) -> Diagnosis:
    text = f"{what}: {detail}" if detail else what
    return Diagnosis(reason, text[:LONGEST_MESSAGE])
