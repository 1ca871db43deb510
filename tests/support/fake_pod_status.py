"""How a kubelet writes down what became of a pod's containers."""

from datetime import datetime, timedelta
from typing import Any

from regisseur_operator.ports import Manifest
from support.fake_cluster import TIME

FIRST_BACKOFF_SECONDS = 10
LONGEST_BACKOFF_SECONDS = 300

Status = dict[str, Any]


def is_ready(pod: Manifest) -> bool:
    """Whether the pod takes requests."""
    return ready_since(pod["status"]) is not None and "deletionTimestamp" not in pod["metadata"]


def is_available(pod: Manifest, seconds: float, now: datetime) -> bool:
    """Whether the pod has been ready for so long."""
    since = ready_since(pod["status"])
    return is_ready(pod) and since is not None and now >= since + timedelta(seconds=seconds)


def build_conditions(
    since: datetime | None = None, left_at: datetime | None = None
) -> list[Status]:
    """Return the conditions of a pod that a node has taken.

    Args:
        since: When it became ready, None while it is not.
        left_at: When it last ceased to be.
    """
    ready: Status = {"type": "Ready", "status": str(since is not None)}
    moved_at = since or left_at
    if moved_at is not None:
        ready["lastTransitionTime"] = moved_at.strftime(TIME)
    return [{"type": "PodScheduled", "status": "True"}, ready]


def ready_since(status: Status) -> datetime | None:
    """Return since when a pod of this status is ready."""
    for entry in status.get("conditions", ()):
        if (entry["type"], entry["status"]) == ("Ready", "True"):
            return read_time(entry["lastTransitionTime"])
    return None


def left_ready_at(status: Status) -> datetime | None:
    """Return when a pod of this status ceased to be ready."""
    for entry in status.get("conditions", ()):
        if (entry["type"], entry["status"]) == ("Ready", "False") and "lastTransitionTime" in entry:
            return read_time(entry["lastTransitionTime"])
    return None


def show(
    status: Status,
    phase: str,
    state: Status,
    since: datetime | None = None,
    left_at: datetime | None = None,
) -> Status:
    """Return the status with its main container in a state."""
    conditions = build_conditions(since, left_at)
    return {**status, "phase": phase, "conditions": conditions, "containerStatuses": [state]}


def refuse_to_schedule(message: str) -> Status:
    """Return the status of a pod that no node takes."""
    refused = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    return {"phase": "Pending", "conditions": [{**refused, "message": message}]}


def end_late(status: Status, now: datetime) -> Status:
    """Return the status of a pod whose activeDeadlineSeconds have passed."""
    statuses: Status = {
        kind: [
            end(entry["name"], {}, 137, "", now, restarts=False)
            if "running" in entry["state"]
            else entry
            for entry in status[kind]
        ]
        for kind in ("initContainerStatuses", "containerStatuses")
        if kind in status
    }
    words = "Pod was active on the node longer than the specified deadline"
    why = {"phase": "Failed", "reason": "DeadlineExceeded", "message": words}
    return {**status, **statuses, **why, "conditions": build_conditions()}


def is_fetched(status: Status) -> bool:
    """Whether the fetch container is done."""
    state = find_container(status, "initContainerStatuses").get("state", {})
    return bool(state.get("terminated", {}).get("exitCode") == 0)


def find_container(status: Status, kind: str) -> Status:
    """Return the first container of a kind, empty where it is not there yet."""
    found: list[Status] = status.get(kind, [])
    return found[0] if found else {}


def wait(name: str, reason: str, message: str) -> Status:
    """Return a container that cannot be started."""
    waiting = {"reason": reason, "message": message}
    return {"name": name, "restartCount": 0, "state": {"waiting": waiting}}


def end(
    name: str,
    before: Status,
    code: int,
    words: str,
    now: datetime,
    *,
    restarts: bool,
    reason: str = "",
) -> Status:
    """Return the status of a container that ended; one that ends again and again is kept back."""
    has_ended = bool(before) and ("terminated" in before["state"] or "lastState" in before)
    count = before.get("restartCount", 0)
    if has_ended and "running" not in before["state"]:
        count += 1
    ended = {
        "exitCode": code,
        "reason": reason or ("Completed" if code == 0 else "Error"),
        "message": words,
        "finishedAt": now.strftime(TIME),
    }
    if code == 0 or not restarts or not has_ended:
        return {"name": name, "restartCount": count, "state": {"terminated": ended}}
    waiting = {"reason": "CrashLoopBackOff", "message": "back-off restarting failed container"}
    last = {"lastState": {"terminated": ended}}
    return {"name": name, "restartCount": count, "state": {"waiting": waiting}, **last}


def start(name: str, before: Status, now: datetime) -> Status:
    """Return a container that runs, for the first time or again."""
    started = {"name": name, "state": {"running": {"startedAt": now.strftime(TIME)}}}
    if not before:
        return {**started, "restartCount": 0}
    ended = before["state"].get("terminated") or before["lastState"]["terminated"]
    last = {"lastState": {"terminated": ended}}
    return {**started, "restartCount": before["restartCount"] + 1, **last}


def next_start(before: Status) -> datetime | None:
    """Return when a container that was kept back is started again, None where it is not."""
    if before.get("state", {}).get("waiting", {}).get("reason") != "CrashLoopBackOff":
        return None
    seconds = FIRST_BACKOFF_SECONDS * 2 ** (before["restartCount"] - 1)
    ended = read_time(before["lastState"]["terminated"]["finishedAt"])
    return ended + timedelta(seconds=min(seconds, LONGEST_BACKOFF_SECONDS))


def is_due(before: Status, now: datetime) -> bool:
    """Whether nothing keeps a container back."""
    due = next_start(before)
    return due is None or now >= due


def read_time(text: str) -> datetime:
    """Read a time."""
    return datetime.fromisoformat(text)
