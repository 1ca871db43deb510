"""What containers on the node were really started with, as the container runtime keeps it.

Secrets are resolved there, and a container that has ended is there as long as its pod.
"""

import json
from dataclasses import dataclass
from typing import Any

from regisseur_devcluster.cluster import Cluster
from regisseur_devcluster.commands import run
from regisseur_devcluster.node.containerd import NAMESPACE


@dataclass(frozen=True)
class Insides:
    """A container's environment, and the places in it where something is mounted."""

    environment: dict[str, str]
    mounts: tuple[str, ...]


def read_insides(cluster: Cluster, pod: dict[str, Any], container: str) -> Insides:
    """Return what a container of a pod was started with.

    Args:
        cluster: Whose node the pod runs on.
        pod: As the API server has it.
        container: An init container as well as another.
    """
    socket = cluster.layout.containerd_socket
    where = ("--address", socket, "--namespace", NAMESPACE)
    found = run(["ctr", *where, "containers", "info", _find_id(pod, container)])
    spec = json.loads(found)["Spec"]
    entries = (entry.partition("=") for entry in spec["process"]["env"])
    return Insides(
        {name: value for name, _, value in entries},
        tuple(mount["destination"] for mount in spec["mounts"]),
    )


def _find_id(pod: dict[str, Any], container: str) -> str:
    status = pod["status"]
    for entry in (*status["initContainerStatuses"], *status["containerStatuses"]):
        if entry["name"] == container:
            return str(entry["containerID"]).removeprefix("containerd://")
    raise AssertionError(f"pod {pod['metadata']['name']} has no container {container}")
