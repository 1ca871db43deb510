"""The kubelet: turns pods that are bound to the node into containers."""

import json

from regisseur_devcluster.arguments import flags
from regisseur_devcluster.controlplane import ControlPlane
from regisseur_devcluster.endpoints import CLUSTER_DOMAIN, NODE_ADDRESS
from regisseur_devcluster.node.layout import (
    CGROUP,
    KUBELET_HEALTH_PORT,
    KUBELET_PORT,
    NODE_NAME,
    Layout,
)
from regisseur_devcluster.probes import answers, wait_for
from regisseur_devcluster.processes import Daemon
from regisseur_devcluster.tools import tool

HEALTH = f"http://127.0.0.1:{KUBELET_HEALTH_PORT}/healthz"


class Kubelet:
    """The agent of the node."""

    def __init__(self, layout: Layout, plane: ControlPlane) -> None:
        self.layout = layout
        self.plane = plane
        self.daemon = Daemon("kubelet", layout.folder)

    def start(self) -> None:
        """Start it, unless it runs, and wait until it is well."""
        user = f"system:node:{NODE_NAME}"
        client = self.plane.authority.client("kubelet", user=user, group="system:nodes")
        text = json.dumps(kubelet_configuration(self.layout, self.plane), indent=2)
        arguments = flags(
            config=self.layout.configure("kubelet.json", text),
            kubeconfig=self.plane.client_kubeconfig("kubelet.kubeconfig", client),
            root_dir=self.layout.kubelet_root,
            cert_dir=self.layout.kubelet_root / "pki",
            hostname_override=NODE_NAME,
            node_ip=NODE_ADDRESS,
        )
        self.daemon.start([tool("kubelet"), *arguments])
        wait_for(self.daemon, lambda: answers(HEALTH))


def kubelet_configuration(layout: Layout, plane: ControlPlane) -> dict[str, object]:
    """Return the configuration file.

    Images are never collected: they came from this machine and no registry could bring them back.
    A full disk evicts nobody. Old control groups are accepted, and limits are set by us and not
    by systemd.
    """
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": NODE_ADDRESS,
        "port": KUBELET_PORT,
        "healthzBindAddress": "127.0.0.1",
        "healthzPort": KUBELET_HEALTH_PORT,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(plane.certificate_authority)},
        },
        "authorization": {"mode": "Webhook"},
        "clusterDNS": [NODE_ADDRESS],
        "clusterDomain": CLUSTER_DOMAIN,
        "containerRuntimeEndpoint": f"unix://{layout.containerd_socket}",
        "podLogsDir": str(layout.pod_logs),
        "volumePluginDir": str(layout.kubelet_root / "volume-plugins"),
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{CGROUP}",
        "enforceNodeAllocatable": [],
        "failCgroupV1": False,
        "failSwapOn": False,
        "localStorageCapacityIsolation": False,
        "oomScoreAdj": 0,
        "imageGCHighThresholdPercent": 100,
        "evictionHard": {
            "memory.available": "100Mi",
            "nodefs.available": "0%",
            "nodefs.inodesFree": "0%",
            "imagefs.available": "0%",
        },
    }
