"""Somebody who looks at a ModelDeployment every second and holds its status against its pods.

A status may lag behind what happens, by as much as a reconcile takes on a busy machine. So what
speaks against it has to last before it counts; what a status says against itself counts at once.
"""

import json
import threading
import time
from datetime import datetime
from typing import Final, Self

from regisseur_devcluster.demo.kubectl import Kubectl
from regisseur_devcluster.demo.pods import Count, parse_pod
from regisseur_operator.core.pods import ANNOTATION_TRIAL
from regisseur_operator.core.roll import ANNOTATION_ROLL
from support.moments import Json, Moment, read_moment

LOOK_SECONDS: Final = 1.0
LAG_SECONDS: Final = 2.5
TOLD_TO_END: Final = 143


# ---- what is untrue --------------------------------------------------------------------------


def find_untruths(moment: Moment) -> list[str]:
    """Return what the status says against itself, or what must not even be for a moment."""
    status = moment.status
    found = []
    if len(moment.rehearsals) > 1:
        found.append(f"{len(moment.rehearsals)} rehearsal pods at once")
    if (status.get("phase") == "Healthy") != moment.is_true("Ready"):
        found.append(f"phase {status.get('phase')} with Ready={moment.condition('Ready')}")
    found += [
        f"{entry['type']} gives no reason or no message"
        for entry in status.get("conditions", [])
        if not (entry.get("reason") and entry.get("message"))
    ]
    rehearsal, resolved = status.get("rehearsal", {}), status.get("resolved", {})
    has_failed = rehearsal.get("state") == "Failed"
    is_wanted = rehearsal.get("version") == resolved.get("version")
    if has_failed and is_wanted and moment.is_true("Rehearsed"):
        found.append(f"Rehearsed=True after v{rehearsal['version']} failed its rehearsal")
    if moment.is_true("Ready"):
        found += _find_not_ready(moment)
    return found


def _find_not_ready(moment: Moment) -> list[str]:
    status = moment.status
    stable, resolved = status.get("stable", {}), status.get("resolved", {})
    found = [
        f"Ready=True beside {kind}=True"
        for kind in ("Stalled", "Reconciling")
        if moment.is_true(kind)
    ]
    if status.get("candidate"):
        found.append(f"Ready=True beside a candidate: {status['candidate']}")
    is_held_back = moment.resource["spec"].get("rollbackTo") is not None
    if stable.get("version") != resolved.get("version") and not is_held_back:
        found.append(
            f"Ready=True while v{stable.get('version')} is stable and "
            f"v{resolved.get('version')} is resolved"
        )
    return found


def find_doubts(moment: Moment) -> dict[str, str]:
    """Return what the status says against the pods, by a name that lasts as long as the doubt."""
    doubts = {
        "available": _doubt_available(moment),
        "ready": _doubt_ready(moment),
        "ready replicas": _doubt_ready_replicas(moment),
        "versions": _doubt_versions(moment),
        "rehearsal": _doubt_rehearsal(moment),
        "rejected": _doubt_rejected(moment),
    }
    return {name: doubt for name, doubt in doubts.items() if doubt}


def _doubt_available(moment: Moment) -> str:
    if moment.is_true("Available") and not any(c.ready for c in moment.lasting.values()):
        return "Available=True, and no pod is ready"
    return ""


def _doubt_ready(moment: Moment) -> str:
    if not moment.is_true("Ready"):
        return ""
    served = str(moment.status.get("stable", {}).get("version"))
    wanted = {served: Count(ready=moment.resource["spec"].get("replicas", 1))}
    return "" if moment.lasting == wanted else f"Ready=True, and the pods are {moment.lasting}"


def _doubt_ready_replicas(moment: Moment) -> str:
    told = moment.status.get("readyReplicas", 0)
    least = sum(count.ready for count in moment.lasting.values())
    most = sum(parse_pod(pod).is_ready for pod in moment.pods)
    return "" if least <= told <= most else f"readyReplicas {told}, and {least} pods are ready"


def _doubt_versions(moment: Moment) -> str:
    told = {
        str(moment.status[role]["version"])
        for role in ("stable", "candidate")
        if role in moment.status
    }
    untold = sorted(set(moment.lasting) - told)
    return f"pods of {untold}, and only {sorted(told)} are told of" if untold else ""


def _doubt_rehearsal(moment: Moment) -> str:
    running = [pod for pod in moment.rehearsals if _is_active(pod)]
    state = moment.status.get("rehearsal", {}).get("state")
    if running and state not in {"Running", "Held"}:
        return f"a rehearsal runs, and status.rehearsal is {state}"
    if state == "Running" and not moment.rehearsals:
        return "status.rehearsal is Running, and there is no pod"
    return ""


def _doubt_rejected(moment: Moment) -> str:
    """Say which rejected try goes on all the same."""
    rejected = {entry["key"] for entry in moment.status.get("rejected", [])}
    roll = json.loads(_annotation(moment.deployment, ANNOTATION_ROLL) or "{}")
    tried = {str(roll.get("key", "")): "a roll"}
    for pod in moment.rehearsals:
        if _is_active(pod):
            tried[_annotation(pod, ANNOTATION_TRIAL)] = "a rehearsal"
    again = [what for key, what in tried.items() if key in rejected]
    return f"rejected, and there is {' and '.join(again)} of it" if again else ""


# ---- who looks -------------------------------------------------------------------------------


class Observer:
    """Looks every second while its context lasts.

    Args:
        kubectl: The cluster.
        namespace: Where the ModelDeployment is.
        name: What it is called.

    Attributes:
        moments: What was seen.
        objections: What was untrue.
    """

    def __init__(self, kubectl: Kubectl, namespace: str, name: str) -> None:
        self._kubectl, self._namespace, self._name = kubectl, namespace, name
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._since: dict[str, float] = {}
        self._failure: Exception | None = None
        self.moments: list[Moment] = []
        self.objections: list[str] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._is_over.set()
        self._thread.join(30)

    @property
    def versions_seen(self) -> set[str]:
        """Versions of all serving pods that were seen."""
        return {version for moment in self.moments for version in moment.counts}

    @property
    def deaths(self) -> list[float]:
        """When serving processes ended by themselves, to the second that the kubelet tells."""
        found = {
            _end_of(container)
            for moment in self.moments
            for pod in moment.pods
            for container in pod.get("status", {}).get("containerStatuses", [])
        }
        return sorted(found - {0.0})

    def timeline(self) -> str:
        """Return what was seen, a line a change."""
        lines: list[str] = []
        start = self.moments[0].at if self.moments else 0.0
        for moment in self.moments:
            text = moment.describe()
            if not lines or not lines[-1].endswith(text):
                lines.append(f"{moment.at - start:6.1f}s  {text}")
        return "\n".join(lines)

    def check(self) -> None:
        """Hold against the resource what was seen of it.

        Raises:
            AssertionError: It told an untruth, or nobody could look.
        """
        if self._failure is not None:
            raise AssertionError(f"nobody could look: {self._failure}") from self._failure
        assert self.moments, "nobody looked"
        assert not self.objections, "\n".join([*self.objections, "seen:", self.timeline()])

    def take(self, moment: Moment) -> None:
        """Judge a moment."""
        self.moments.append(moment)
        start = self.moments[0].at
        self._object(moment.at - start, find_untruths(moment))
        doubts = find_doubts(moment)
        self._since = {name: self._since.get(name, moment.at) for name in doubts}
        lasting = [
            f"{doubt}, for {moment.at - self._since[name]:.1f} s"
            for name, doubt in doubts.items()
            if moment.at - self._since[name] > LAG_SECONDS
        ]
        self._object(moment.at - start, lasting)

    def _object(self, seconds: float, texts: list[str]) -> None:
        self.objections += [f"at {seconds:.1f} s: {text}" for text in texts]

    def _watch(self) -> None:
        try:
            while not self._is_over.is_set():
                moment = read_moment(self._kubectl, self._namespace, self._name)
                self.take(moment)
                self._is_over.wait(max(LOOK_SECONDS - (time.time() - moment.at), 0.1))
        except Exception as failure:  # noqa: BLE001 - `check` raises it in the test's own thread
            self._failure = failure


def _annotation(item: Json, name: str) -> str:
    return str(item.get("metadata", {}).get("annotations", {}).get(name, ""))


def _is_active(pod: Json) -> bool:
    is_finished = pod.get("status", {}).get("phase") in {"Succeeded", "Failed"}
    return not is_finished and "deletionTimestamp" not in pod["metadata"]


def _end_of(container: Json) -> float:
    """Return when a container's process ended last by itself; 0 where none did."""
    for state in (container.get("state", {}), container.get("lastState", {})):
        ended = state.get("terminated")
        if ended and ended.get("exitCode") not in {0, TOLD_TO_END}:
            return datetime.fromisoformat(str(ended["finishedAt"])).timestamp()
    return 0.0
