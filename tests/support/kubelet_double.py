"""Plays pods where no node runs them, as a kubelet would report them; everything else is real."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from types import TracebackType
from typing import Self

from regisseur_contract.names import LABEL_MODEL_VERSION, LABEL_REHEARSAL
from support.kube_client import Json, KubeClient, KubeRefusedError
from support.pod_states import Act, passed, ready

INTERVAL_SECONDS = 0.1
NODE = "double"
FINISHED = frozenset({"Succeeded", "Failed"})

Judge = Callable[[Json], bool]


class KubeletDouble:
    """Looks at the pods of a namespace again and again and lets them play their part.

    A rehearsal that runs takes its time to end when it is deleted, as a pod on a node does.

    Args:
        kube: The namespace.

    Attributes:
        serving: What serving pods do; by default they are ready.
        rehearsing: What rehearsal pods do; by default their version passes.
        seen: Every rehearsal pod that was ever seen, by uid, in the order of their creation.
    """

    def __init__(self, kube: KubeClient) -> None:
        self._kube = kube
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="kubelet double")
        self._first_seen: dict[str, str] = {}
        self._played: dict[str, Json] = {}
        self.serving: Act = ready
        self.rehearsing: Act = passed
        self.seen: dict[str, Json] = {}

    def __enter__(self) -> Self:
        self._register_node()
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

    def _register_node(self) -> None:
        """Have a node: pods of one that is none are taken away by the garbage collector of pods."""
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}}
        try:
            self._kube.call("POST", "api/v1/nodes", node)
        except KubeRefusedError as error:
            if error.code != HTTPStatus.CONFLICT:
                raise

    def _run(self) -> None:
        while not self._stop.wait(INTERVAL_SECONDS):
            try:
                self._look()
            except (KubeRefusedError, OSError):  # the API server is away, or the pod changed
                continue

    def _look(self) -> None:
        for pod in self._kube.list("pods"):
            if LABEL_REHEARSAL in pod["metadata"].get("labels", {}):
                self.seen.setdefault(pod["metadata"]["uid"], pod)
            if "deletionTimestamp" in pod["metadata"]:
                self._kube.delete("pods", pod["metadata"]["name"], grace_seconds=0)
            elif pod.get("status", {}).get("phase") not in FINISHED:
                self._play(pod)

    def _play(self, pod: Json) -> None:
        name, uid = pod["metadata"]["name"], pod["metadata"]["uid"]
        is_rehearsal = LABEL_REHEARSAL in pod["metadata"].get("labels", {})
        at = self._first_seen.setdefault(uid, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
        status = (self.rehearsing if is_rehearsal else self.serving)(pod, at)
        if status is None or status == self._played.get(uid):
            return
        if is_rehearsal and status["phase"] != "Pending" and "nodeName" not in pod["spec"]:
            self._bind(name)
        self._kube.patch("pods", name, {"status": status}, subresource="status")
        self._played[uid] = status

    def _bind(self, name: str) -> None:
        """Give the pod to the node: what no node has is gone as soon as it is deleted."""
        target = {"apiVersion": "v1", "kind": "Node", "name": NODE}
        binding = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name}}
        path = f"api/v1/namespaces/{self._kube.namespace}/pods/{name}/binding"
        self._kube.call("POST", path, {**binding, "target": target})


def only(judge: Judge, act: Act, otherwise: Act) -> Act:
    """Play one thing for the pods that a judge names, and another one for the rest."""
    return lambda pod, at: (act if judge(pod) else otherwise)(pod, at)


def of_version(version: int | str) -> Judge:
    """Name the pods of one model version."""
    return lambda pod: bool(pod["metadata"]["labels"][LABEL_MODEL_VERSION] == str(version))
