"""Why pods do not become ready, in words that say what to do.

Reasons are steady where the kubelet's alternate (ErrImagePull and ImagePullBackOff, Running and
CrashLoopBackOff): a status that flaps with every attempt tells nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from regisseur_contract import exits
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
    Reason.ARTIFACT_CHANGED,
    Reason.ARTIFACT_MISSING,
    Reason.ARTIFACT_INVALID,
    Reason.OUT_OF_MEMORY,
    Reason.SERVER_CRASHED,
    Reason.STORE_DENIED,
    Reason.STORE_UNAVAILABLE,
    Reason.FETCH_FAILED,
    Reason.IMAGE_PULL_FAILED,
    Reason.CONTAINER_REFUSED,
    Reason.UNSCHEDULABLE,
)
"""What the version itself does wrong comes before what its surroundings do."""

_FETCH_REASONS: Final = {
    exits.DIGEST_MISMATCH: Reason.ARTIFACT_CHANGED,
    exits.ARTIFACT_MISSING: Reason.ARTIFACT_MISSING,
    exits.ARTIFACT_INVALID: Reason.ARTIFACT_INVALID,
    exits.STORE_UNAVAILABLE: Reason.STORE_UNAVAILABLE,
    exits.STORE_DENIED: Reason.STORE_DENIED,
}


def diagnose_start(
    pod: str, unschedulable: str, containers: Iterable[ContainerFacts | None]
) -> Diagnosis | None:
    """Say why a pod's containers do not even run; that is never the version's own fault."""
    if unschedulable:
        return _say(Reason.UNSCHEDULABLE, f"No node can take pod {pod}", unschedulable)
    for container in containers:
        for check in (_check_image, _check_creation):
            diagnosis = check(pod, container) if container is not None else None
            if diagnosis is not None:
                return diagnosis
    return None


def diagnose_fetch(pod: str, fetch: ContainerFacts) -> Diagnosis:
    """Say why a pod has no model files."""
    reason = _FETCH_REASONS.get(fetch.exit_code or 0, Reason.FETCH_FAILED)
    what = f"Pod {pod} cannot download the model's files"
    if reason == Reason.ARTIFACT_CHANGED:
        what = f"Pod {pod} refuses the model's files"
    return _say(reason, what, last_words(fetch.exit_message) or f"exit code {fetch.exit_code}")


def diagnose_convert(pod: str, convert: ContainerFacts, reason: Reason) -> Diagnosis:
    """Say that a model could not even be left unconverted; an image may not know how."""
    words = last_words(convert.exit_message) or f"exit code {convert.exit_code}"
    what = f"Pod {pod} cannot prepare the model for engine ONNX"
    return _say(reason, what, f"{words}; set spec.serving.engine: Native, or another image")


def last_words(text: str) -> str:
    """Return the line that says why a process ended: the kubelet may give the end of its log."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = [line for line in lines if line.startswith("error:")]
    return (told or lines or [""])[-1]


def shorten(text: str) -> str:
    """Cut what is too long for a status."""
    return text[:LONGEST_MESSAGE]


def _diagnose_pod(pod: PodFacts) -> Diagnosis | None:
    start = diagnose_start(pod.name, pod.unschedulable, (pod.fetch, pod.convert, pod.server))
    if start is not None:
        return start
    if pod.fetch is not None and pod.fetch.exit_code:
        return diagnose_fetch(pod.name, pod.fetch)
    if pod.convert is not None and pod.convert.exit_code:
        return diagnose_convert(pod.name, pod.convert, Reason.SERVER_CRASHED)
    return _check_server(pod)


def _check_image(pod: str, container: ContainerFacts) -> Diagnosis | None:
    if container.waiting_reason not in PULL_PROBLEMS:
        return None
    what = f"The image of pod {pod} cannot be pulled"
    return _say(Reason.IMAGE_PULL_FAILED, what, container.waiting_message)


def _check_creation(pod: str, container: ContainerFacts) -> Diagnosis | None:
    if container.waiting_reason not in CREATE_PROBLEMS:
        return None
    what = f"Container {container.name} of pod {pod} cannot be created"
    return _say(Reason.CONTAINER_REFUSED, what, container.waiting_message)


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
        last_words(server.exit_message) or f"exit code {server.exit_code}",
    )


def _say(reason: Reason, what: str, detail: str) -> Diagnosis:
    return Diagnosis(reason, shorten(f"{what}: {detail}" if detail else what))
