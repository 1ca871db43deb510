"""A ModelDeployment on the real cluster, as an end-to-end test sees it: from the outside."""

import json
import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

from regisseur_contract.names import API_GROUP_VERSION, KIND, LABEL_MODELDEPLOYMENT
from regisseur_contract.tags import STAGE_PRODUCTION
from regisseur_devcluster.demo.kubectl import Kubectl
from regisseur_devcluster.demo.loadprocess import LoadProcess, local_command
from regisseur_devcluster.demo.pods import Count, Pod, count_pods, parse_pod
from regisseur_devcluster.demo.prediction import BODY
from support.eventually import eventually
from support.model_versions import Registry, read_stages, transition

ROLLOUT_SECONDS = 120.0
SERVER = b"serve"
"""Word of the command line of a server's process."""


class Served:
    """A ModelDeployment in a namespace of its own, and the model that it follows.

    Args:
        kubectl: The cluster.
        registry: The MLflow server in the cluster.
        namespace: Where it lives.
        model: The registered model, followed by its stage Production.
    """

    def __init__(
        self, kubectl: Kubectl, registry: Registry, namespace: str, model: str, name: str = "wine"
    ) -> None:
        self.kubectl = kubectl
        self.registry = registry
        self.namespace = namespace
        self.model = model
        self.name = name

    # ---- what a test does ----

    def deploy(self, *, replicas: int | None = 2, **spec: Any) -> None:
        """Apply the ModelDeployment; `spec` adds to or replaces what is usual in these tests.

        With None for replicas the manifest does not speak of them.
        """
        usual: dict[str, Any] = {
            "model": {"name": self.model, "stage": STAGE_PRODUCTION},
            "minReadySeconds": 2,
            "service": {"type": "NodePort"},
        }
        if replicas is not None:
            usual["replicas"] = replicas
        manifest = {
            "apiVersion": API_GROUP_VERSION,
            "kind": KIND,
            "metadata": {"name": self.name, "namespace": self.namespace},
            "spec": usual | spec,
        }
        self.kubectl.apply(json.dumps(manifest))

    def promote(self, version: int) -> float:
        """Move a version to Production in the registry; return when that was."""
        transition(self.registry, self.model, version, STAGE_PRODUCTION)
        return time.time()

    def production_version(self) -> int | None:
        """Return the version that the registry has in Production."""
        stages = read_stages(self.registry, self.model)
        return next((v for v, stage in stages.items() if stage == STAGE_PRODUCTION), None)

    def load(
        self, rate: float, *options: str, by: Literal["cluster", "node"] = "cluster"
    ) -> LoadProcess:
        """Return a load on the Service, by its cluster address or its port of the node."""
        url = self.url if by == "cluster" else self.node_url
        return LoadProcess(local_command(url), BODY, ("--rate", str(rate), *options))

    # ---- what a test sees ----

    @property
    def url(self) -> str:
        """Where the Service answers inside the cluster; this machine is part of it."""
        service = self.kubectl.read("service", self.name, "-n", self.namespace)["spec"]
        return f"http://{service['clusterIP']}:{service['ports'][0]['port']}/predict"

    @property
    def node_url(self) -> str:
        """Where the Service answers on this machine's loopback."""
        service = self.kubectl.read("service", self.name, "-n", self.namespace)["spec"]
        return f"http://127.0.0.1:{service['ports'][0]['nodePort']}/predict"

    @property
    def pods(self) -> dict[str, Pod]:
        """Its pods by uid."""
        label = f"{LABEL_MODELDEPLOYMENT}={self.name}"
        found = self.kubectl.read("pods", "-n", self.namespace, "-l", label)["items"]
        return {pod["metadata"]["uid"]: parse_pod(pod) for pod in found}

    @property
    def counts(self) -> Mapping[str, Count]:
        """How many pods of which version are in which state."""
        return count_pods(self.pods)

    @property
    def status(self) -> dict[str, Any]:
        """Its status."""
        found = self.kubectl.read("modeldeployment", self.name, "-n", self.namespace)
        return dict(found.get("status", {}))

    def condition(self, kind: str) -> dict[str, Any]:
        """Return one of its conditions, or an empty one."""
        found = self.status.get("conditions", [])
        return next((dict(entry) for entry in found if entry["type"] == kind), {})

    # ---- what a test waits for ----

    def wait_until_served(
        self, version: int, *, replicas: int = 2, deadline_seconds: float = ROLLOUT_SECONDS
    ) -> float:
        """Wait until only ready pods of a version are left; return when that was."""
        eventually(
            lambda: self.counts == {str(version): Count(ready=replicas)},
            deadline_seconds=deadline_seconds,
            interval=0.5,
            describe=lambda: f"only version {version} runs; {self.describe()}",
        )
        return time.time()

    def wait_for_condition(
        self, kind: str, status: str, reason: str = "", *, deadline_seconds: float = 60
    ) -> dict[str, Any]:
        """Wait for a condition, with any reason unless one is named, and return it."""

        def found() -> dict[str, Any]:
            entry = self.condition(kind)
            is_it = entry.get("status") == status and reason in {"", entry.get("reason")}
            return entry if is_it else {}

        return eventually(
            found,
            deadline_seconds=deadline_seconds,
            interval=0.5,
            describe=lambda: f"{kind}={status} {reason}; {self.describe()}",
        )

    def wait_until_ready(self, *, deadline_seconds: float = ROLLOUT_SECONDS) -> None:
        """Wait as a person would: with `kubectl wait`."""
        self.kubectl(
            *("wait", "--for=condition=Ready", f"mdep/{self.name}", "-n", self.namespace),
            f"--timeout={deadline_seconds:.0f}s",
        )

    def describe(self) -> str:
        """Return what is known about it, for the message of a test that waits in vain."""
        events = self.kubectl("get", "events", "-n", self.namespace, "--sort-by=.lastTimestamp")
        conditions = json.dumps(self.status.get("conditions", []), indent=1)
        return f"pods {self.counts}, conditions {conditions}, events\n{events[-2000:]}"


def wait_for_requests(load: LoadProcess, more: float, *, deadline_seconds: float = 60.0) -> None:
    """Wait until so many more requests were answered."""
    wanted = load.so_far.total + more
    eventually(
        lambda: load.so_far.total >= wanted,
        deadline_seconds=deadline_seconds,
        describe=lambda: f"{more:g} more requests are answered; {load.so_far.describe()}",
    )


def kill_server(pod_uid: str) -> float:
    """End the server process of a pod as the kernel would when memory runs out; return when.

    Raises:
        AssertionError: The pod has no server process on this machine.
    """
    os.kill(find_process(pod_uid, SERVER), signal.SIGKILL)
    return time.time()


@contextmanager
def stopped_server(pod_uid: str) -> Iterator[None]:
    """Let the server process of a pod hang for the time of a `with` block."""
    process = find_process(pod_uid, SERVER)
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGCONT)


def find_process(pod_uid: str, word: bytes) -> int:
    """Return the process of a pod whose command line has a word.

    Raises:
        AssertionError: The pod has none on this machine.
    """
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and _is_of(folder, pod_uid, word):
            return int(folder.name)
    raise AssertionError(f"pod {pod_uid} has no process {word.decode()!r} on this machine")


def _is_of(process: Path, pod_uid: str, word: bytes) -> bool:
    try:
        command: Sequence[bytes] = (process / "cmdline").read_bytes().split(b"\0")
        return pod_uid in (process / "cgroup").read_text() and word in command
    except OSError:  # it ended meanwhile
        return False
