"""What a kubelet writes into the status of a pod, state by state, as a real API server takes it.

Each function returns what a kubelet double plays (see `kubelet_double`): given a pod and the time
at which it was first seen, the status that it is to have.
"""

import hashlib
from collections.abc import Callable
from typing import Any

from regisseur_contract.digest import ALGORITHM
from regisseur_contract.names import CONTAINER_FETCH
from regisseur_contract.rehearsal import RehearsalVerdict, Word, write_verdict
from regisseur_contract.runtime import ENV_ARTIFACT_URI
from support.kube_client import Json

Act = Callable[[Json, str], Json | None]
KILLED = 137


# ---- states that any pod may be in ---------------------------------------------------------------


def leave_alone(pod: Json, at: str) -> Json | None:
    """Do nothing: the pod stays as the API server made it."""
    del pod, at
    return None


def unschedulable(message: str = "0/1 nodes are available: 1 Insufficient memory.") -> Act:
    """No node takes the pod."""
    refused = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}

    def act(pod: Json, at: str) -> Json:
        del pod
        condition = {**refused, "message": message, "lastTransitionTime": at}
        return {"phase": "Pending", "conditions": [condition]}

    return act


def unpullable(message: str = "image not found") -> Act:
    """The image of the first container cannot be pulled."""
    waiting = {"waiting": {"reason": "ImagePullBackOff", "message": message}}
    return lambda pod, at: _show(pod, at, "Pending", fetch=waiting)


def not_fetched(exit_code: int, message: str, *, restarts: int = 3) -> Act:
    """The download fails, again and again where the pod's restart policy says so."""
    return lambda pod, at: _show(
        pod,
        at,
        "Pending" if _restarts(pod) else "Failed",
        fetch=_ended(at, exit_code, message, in_a_loop=_restarts(pod)),
        restarts=restarts if _restarts(pod) else 0,
    )


def evicted(pod: Json, at: str) -> Json:
    """The node was short of something."""
    said = {"reason": "Evicted", "message": "The node was low on resource: memory."}
    return {**_show(pod, at, "Failed", fetch=_ended(at, 0)), **said, "containerStatuses": []}


# ---- serving pods --------------------------------------------------------------------------------


def ready(pod: Json, at: str) -> Json:
    """All is well."""
    running = {"running": {"startedAt": at}}
    return _show(pod, at, "Running", fetch=_ended(at, 0), main=running, is_ready=True)


def never_ready(pod: Json, at: str) -> Json:
    """The server runs and loads for ever."""
    return _show(pod, at, "Running", fetch=_ended(at, 0), main={"running": {"startedAt": at}})


def crashing(message: str, *, exit_code: int = 1, reason: str = "Error", restarts: int = 3) -> Act:
    """The server ends again and again."""

    def act(pod: Json, at: str) -> Json:
        main = _ended(at, exit_code, message, reason=reason, in_a_loop=True)
        return _show(pod, at, "Running", fetch=_ended(at, 0), main=main, restarts=restarts)

    return act


def out_of_memory(*, restarts: int = 3) -> Act:
    """The server needs more memory than it may have."""
    return crashing("", exit_code=KILLED, reason="OOMKilled", restarts=restarts)


# ---- rehearsal pods ------------------------------------------------------------------------------


def hanging(pod: Json, at: str) -> Json:
    """The rehearsal goes on and on."""
    return _show(pod, at, "Running", fetch=_ended(at, 0), main={"running": {"startedAt": at}})


def passed(pod: Json, at: str) -> Json | None:
    """The version may meet traffic."""
    return judged(Word.PASSED)(pod, at)


def judged(word: str, message: str = "", *, digest: str = "") -> Act:
    """The rehearsal came to a verdict; the digest is that of the address if none is given."""

    def act(pod: Json, at: str) -> Json:
        verdict = RehearsalVerdict(
            word=word,
            message=message,
            digest=digest or digest_of(read_environment(pod)[ENV_ARTIFACT_URI]),
            bytes=4096,
            seconds=1.5,
            latency_seconds=0.002,
            memory_bytes=100 * 2**20,
        )
        code = 0 if verdict.has_passed else 1
        main = _ended(at, code, write_verdict(verdict))
        phase = "Succeeded" if verdict.has_passed else "Failed"
        return _show(pod, at, phase, fetch=_ended(at, 0), main=main)

    return act


def too_late(pod: Json, at: str) -> Json:
    """The time that the rehearsal was given is up."""
    said = {"reason": "DeadlineExceeded", "message": "Pod was active for longer than allowed"}
    main = _ended(at, KILLED)
    return {**_show(pod, at, "Failed", fetch=_ended(at, 0), main=main), **said}


def digest_of(uri: str) -> str:
    """Return the digest that the files at an address have in a rehearsal that is played."""
    return f"{ALGORITHM}:{hashlib.sha256(uri.encode()).hexdigest()}"


def read_environment(pod: Json) -> dict[str, str]:
    """Return the plain environment of all containers of a pod."""
    containers = (*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"])
    return {
        entry["name"]: entry.get("value", "")
        for container in containers
        for entry in container.get("env", ())
    }


# ---- parts ---------------------------------------------------------------------------------------


def _restarts(pod: Json) -> bool:
    return bool(pod["spec"]["restartPolicy"] == "Always")


def _ended(
    at: str, exit_code: int, message: str = "", *, reason: str = "", in_a_loop: bool = False
) -> Json:
    ended = {
        "exitCode": exit_code,
        "reason": reason or ("Error" if exit_code else "Completed"),
        "message": message,
        "startedAt": at,
        "finishedAt": at,
    }
    if not in_a_loop:
        return {"terminated": ended}
    waiting = {"reason": "CrashLoopBackOff", "message": "back-off restarting failed container"}
    return {"waiting": waiting, "lastState": {"terminated": ended}}


def _show(
    pod: Json,
    at: str,
    phase: str,
    *,
    fetch: Json,
    main: Json | None = None,
    restarts: int = 0,
    is_ready: bool = False,
) -> Json:
    spec = pod["spec"]
    waiting = {"waiting": {"reason": "PodInitializing"}}
    is_fetched = "terminated" in fetch and fetch["terminated"]["exitCode"] == 0
    held = {"PodScheduled": True, "Initialized": is_fetched}
    held |= {"ContainersReady": is_ready, "Ready": is_ready}
    return {
        "phase": phase,
        "podIP": "10.0.0.1",
        "podIPs": [{"ip": "10.0.0.1"}],
        "startTime": at,
        "conditions": [
            {"type": kind, "status": str(value), "lastTransitionTime": at}
            for kind, value in held.items()
        ],
        "initContainerStatuses": [
            _show_container(container, fetch, restarts if main is None else 0, is_ready=is_fetched)
            for container in spec.get("initContainers", ())
            if container["name"] == CONTAINER_FETCH
        ],
        "containerStatuses": [
            _show_container(container, main or waiting, restarts if main else 0, is_ready=is_ready)
            for container in spec["containers"]
        ],
    }


def _show_container(
    container: Json, state: Json, restarts: int, *, is_ready: bool
) -> dict[str, Any]:
    now = {kind: value for kind, value in state.items() if kind != "lastState"}
    return {
        "name": container["name"],
        "image": container["image"],
        "imageID": "",
        "ready": is_ready,
        "started": is_ready,
        "restartCount": restarts,
        "state": now,
        "lastState": state.get("lastState", {}),
    }
