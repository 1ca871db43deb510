"""The pods of a ModelDeployment, as they come and go: those that serve, or those that rehearse."""

import contextlib
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

from regisseur_contract.names import LABEL_MODEL_VERSION, LABEL_MODELDEPLOYMENT
from regisseur_devcluster.demo.kubectl import Kubectl, read_documents
from regisseur_devcluster.errors import DevclusterError

AGAIN_SECONDS: Final = 0.5


@dataclass(frozen=True)
class Pod:
    """A server pod.

    Attributes:
        name: Its name.
        version: The model version that it serves.
        is_ready: Whether it takes traffic.
        is_ending: Whether it was told to stop.
    """

    name: str
    version: str
    is_ready: bool
    is_ending: bool


@dataclass(frozen=True)
class Count:
    """How many pods of one version are in which state."""

    ready: int = 0
    starting: int = 0
    ending: int = 0


def parse_pod(manifest: Mapping[str, Any]) -> Pod:
    """Read a pod as the API server tells it."""
    metadata, status = manifest["metadata"], manifest.get("status", {})
    conditions = {entry["type"]: entry["status"] for entry in status.get("conditions", ())}
    return Pod(
        name=metadata["name"],
        version=metadata.get("labels", {}).get(LABEL_MODEL_VERSION, ""),
        is_ready=conditions.get("Ready") == "True",
        is_ending="deletionTimestamp" in metadata,
    )


def count_pods(pods: Mapping[str, Pod]) -> dict[str, Count]:
    """Return the number of pods by version and state, by version number."""
    versions = sorted({pod.version for pod in pods.values()}, key=lambda v: (len(v), v))
    return {version: _count(version, pods) for version in versions}


def _count(version: str, pods: Mapping[str, Pod]) -> Count:
    own = [pod for pod in pods.values() if pod.version == version]
    lasting = [pod for pod in own if not pod.is_ending]
    ready = sum(pod.is_ready for pod in lasting)
    return Count(ready, len(lasting) - ready, len(own) - len(lasting))


class PodWatch:
    """Follows the pods of one ModelDeployment while the context lasts.

    Args:
        kubectl: The cluster.
        namespace: Where they are.
        name: The ModelDeployment.
        label: What has its name: the label of server pods, or another one.
    """

    def __init__(
        self, kubectl: Kubectl, namespace: str, name: str, label: str = LABEL_MODELDEPLOYMENT
    ) -> None:
        self._kubectl = kubectl
        self._arguments = ("pods", "-n", namespace, "-l", f"{label}={name}")
        self._pods: dict[str, Pod] = {}
        self._is_over = threading.Event()
        self._process: subprocess.Popen[str] | None = None
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> Self:
        self._list()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_over.set()
        if self._process is not None:
            self._process.terminate()
        self._thread.join(10)

    @property
    def pods(self) -> dict[str, Pod]:
        """The pods by uid, those that end included."""
        return dict(self._pods)

    def _follow(self) -> None:
        while not self._is_over.is_set():
            with self._kubectl.watch(*self._arguments) as self._process:
                for event in read_documents(iter(self._process.stdout or ())):
                    self._take(event)
            if not self._is_over.wait(AGAIN_SECONDS):
                with contextlib.suppress(DevclusterError):
                    self._list()

    def _list(self) -> None:
        found = self._kubectl.read(*self._arguments)["items"]
        self._pods = {pod["metadata"]["uid"]: parse_pod(pod) for pod in found}

    def _take(self, event: Mapping[str, Any]) -> None:
        """Take in one event; a watch starts with the pods that are there as if just added."""
        pod = event["object"]
        pods = dict(self._pods)
        if event["type"] == "DELETED":
            pods.pop(pod["metadata"]["uid"], None)
        elif event["type"] in {"ADDED", "MODIFIED"}:
            pods[pod["metadata"]["uid"]] = parse_pod(pod)
        self._pods = pods
