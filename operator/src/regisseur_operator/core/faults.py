"""Whether a roll has failed, and whose fault it is.

What a version does wrong by itself ends its roll: the stable one comes back and the try is
rejected. What its surroundings do wrong is waited out, however long it takes.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from regisseur_operator.api.reasons import Reason
from regisseur_operator.core.diagnosis import Diagnosis, diagnose
from regisseur_operator.core.observed import DeploymentFacts, Observed
from regisseur_operator.core.pods import PodFacts
from regisseur_operator.core.roll import Roll

AT_ONCE: Final = frozenset(
    {Reason.ARTIFACT_CHANGED, Reason.ARTIFACT_MISSING, Reason.ARTIFACT_INVALID}
)
"""Faults of the version that no second attempt mends."""

REPEATED: Final = frozenset({Reason.OUT_OF_MEMORY, Reason.SERVER_CRASHED})
"""Faults of the version once they come again: anything may happen to a process once."""

RESTARTS: Final = 2


@dataclass(frozen=True)
class Fault:
    """What is wrong with the pods of a roll.

    Attributes:
        is_versions: Whether the version is to blame, so that its roll has failed.
        is_first: Whether it happened once and may have been chance.
    """

    finding: Diagnosis
    is_versions: bool
    is_first: bool = False


def judge_fault(observed: Observed) -> Fault | None:
    """Say what keeps the pods of the present roll from being made or from being ready."""
    deployment = observed.deployment
    if deployment is None or not deployment.is_current:
        return None
    pods = find_roll_pods(observed)
    proven = _find_own(pods, deployment.roll)
    if proven is not None:
        return Fault(proven, is_versions=True)
    finding = diagnose(pods)
    refused = _check_replicas(deployment)
    if refused is not None:
        return Fault(refused, is_versions=False)
    if finding is not None:
        return Fault(finding, is_versions=False, is_first=finding.reason in REPEATED)
    late = next((pod for pod in pods if seconds_left(observed, pod) == 0), None)
    return Fault(_tell_late(observed, late), is_versions=True) if late is not None else None


def _find_own(pods: list[PodFacts], roll: Roll | None) -> Diagnosis | None:
    """Return what the version itself does wrong, by the pods that tell of this very roll."""
    telling = [pod for pod in pods if not _is_from_before(pod, roll)]
    finding = diagnose(telling)
    if finding is None or finding.reason in AT_ONCE:
        return finding
    is_repeated = finding.reason in REPEATED and any(map(_is_looping, telling))
    return finding if is_repeated else None


def _is_from_before(pod: PodFacts, roll: Roll | None) -> bool:
    """Whether a pod of an earlier roll to the same template has not failed again since.

    The Deployment takes such pods over as they are, when a try that failed is tried again.
    """
    if roll is None or pod.created_at is None or pod.created_at >= roll.started_at:
        return False
    parts = (pod.fetch, pod.convert, pod.server)
    ends = [part.ended_at for part in parts if part is not None]
    return all(end is None or end < roll.started_at for end in ends)


def find_roll_pods(observed: Observed) -> list[PodFacts]:
    """Return the pods of the present roll that count."""
    roll = observed.live_roll
    label = roll.pod_label if roll is not None else ""
    return [pod for pod in observed.pods if pod.inputs == label and pod.is_active]


def is_changed_artifact(observed: Observed) -> bool:
    """Whether pods of the present roll refuse files that are not those of its rehearsal."""
    finding = diagnose(find_roll_pods(observed))
    return finding is not None and finding.reason == Reason.ARTIFACT_CHANGED


def seconds_left(observed: Observed, pod: PodFacts) -> float | None:
    """Return how long a pod still has to become ready; None where no clock runs.

    It runs from the end of the download: how long that takes is no fault of the version. A pod that
    was ready in between gets as long again, unless the whole rollout stands still: pods that come
    and go would never fail it.
    """
    if pod.is_ready or pod.fetched_at is None or pod.server is None or not pod.server.is_running:
        return None
    moments = [pod.fetched_at, None if _stands_still(observed) else pod.ready_changed_at]
    begun = max(moment for moment in moments if moment is not None)
    return max(0.0, (_find_deadline(observed, begun) - observed.now).total_seconds())


def _stands_still(observed: Observed) -> bool:
    """Whether the newest pod of the roll had its time: with progress there would be a newer one."""
    pods = find_roll_pods(observed)
    return all(
        pod.fetched_at is not None and _find_deadline(observed, pod.fetched_at) <= observed.now
        for pod in pods
    )


def _find_deadline(observed: Observed, since: datetime) -> datetime:
    """Return when what began then, but not before its roll, is late."""
    roll = observed.live_roll
    begun = max(since, roll.started_at) if roll is not None else since
    return begun + timedelta(seconds=observed.spec.progress_deadline_seconds)


def _is_looping(pod: PodFacts) -> bool:
    """Whether the server, or what prepares the model for it, ends again and again."""
    parts = [part for part in (pod.convert, pod.server) if part is not None]
    return not pod.is_ready and any(
        part.waiting_reason == "CrashLoopBackOff" or part.restarts >= RESTARTS for part in parts
    )


def _check_replicas(deployment: DeploymentFacts) -> Diagnosis | None:
    refused = deployment.conditions.get("ReplicaFailure", {})
    if refused.get("status") != "True":
        return None
    message = f"Pods cannot be created: {refused.get('message', '')}"
    return Diagnosis(Reason.REPLICA_FAILURE, message)


def _tell_late(observed: Observed, pod: PodFacts) -> Diagnosis:
    seconds = observed.spec.progress_deadline_seconds
    message = (
        f"Pod {pod.name} runs for more than {seconds} s (spec.progressDeadlineSeconds) since its"
        " download and does not become ready, or stay so: look at its log"
    )
    return Diagnosis(Reason.NEVER_READY, message)
