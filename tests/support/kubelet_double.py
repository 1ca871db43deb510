"""Marks pods as running where no node runs them, as a kubelet would; everything else is real."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from support.kube_client import Json, KubeClient, KubeRefusedError

INTERVAL_SECONDS = 0.1

Judge = Callable[[Json], bool]


def _is_always_well(_: Json) -> bool:
    return True


class KubeletDouble:
    """Looks at the pods of a namespace again and again and makes them ready.

    Args:
        kube: The namespace.
        is_well: Whether a pod becomes ready; one that does not stays as it is.
    """

    def __init__(self, kube: KubeClient, is_well: Judge = _is_always_well) -> None:
        self._kube = kube
        self.is_well = is_well
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="kubelet double")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(INTERVAL_SECONDS):
            try:
                self._look()
            except (KubeRefusedError, OSError):  # the API server is away, or the pod changed
                continue

    def _look(self) -> None:
        for pod in self._kube.list("pods"):
            name, status = pod["metadata"]["name"], pod.get("status", {})
            if "deletionTimestamp" in pod["metadata"]:
                self._kube.delete("pods", name, grace_seconds=0)
            elif status.get("phase") != "Running" and self.is_well(pod):
                change = {"status": build_ready_status(pod)}
                self._kube.patch("pods", name, change, subresource="status")


def build_ready_status(pod: Json) -> dict[str, Any]:
    """Return the status of a pod whose containers run and are ready."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    conditions = ("PodScheduled", "Initialized", "ContainersReady", "Ready")
    return {
        "phase": "Running",
        "podIP": "10.0.0.1",
        "podIPs": [{"ip": "10.0.0.1"}],
        "startTime": now,
        "conditions": [
            {"type": kind, "status": "True", "lastTransitionTime": now} for kind in conditions
        ],
        "containerStatuses": [
            {
                "name": container["name"],
                "image": container["image"],
                "imageID": "",
                "ready": True,
                "started": True,
                "restartCount": 0,
                "state": {"running": {"startedAt": now}},
            }
            for container in pod["spec"]["containers"]
        ],
    }
