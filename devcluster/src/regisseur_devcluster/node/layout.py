"""Addresses, ports and folders of the cluster with a node.

There is one such cluster on a machine, so they are fixed. Its addresses are an address of our own
on the loopback interface and two ranges that machines rarely use: nothing of the cluster listens
where other machines could reach it, and it does not notice when this machine changes networks.
Its ports are not the usual ones, so that a person's own etcd, containerd or kubelet is not met.
"""

from dataclasses import dataclass
from pathlib import Path

from regisseur_devcluster.endpoints import NODE_ADDRESS, Endpoints
from regisseur_devcluster.settings import cache_folder

NODE_PROGRAMS = ("kubelet", "kube-proxy", "kube-scheduler", "coredns", "pause")
"""What is built for the node, besides the control plane's programs."""

OPTIONAL_PROGRAMS = ("metrics-server",)
"""What is built only when somebody asks for it."""

NODE_NAME = "regisseur"
POD_GATEWAY = "10.213.0.1"

ENDPOINTS = Endpoints(
    address=NODE_ADDRESS,
    api_port=16443,
    etcd_port=12379,
    etcd_peer_port=12380,
    etcd_health_port=12381,
    controllers_port=20257,
    serves_pods=True,
)
SCHEDULER_PORT = 20259
KUBELET_PORT = 20250
KUBELET_HEALTH_PORT = 20248
PROXY_HEALTH_PORT = 20256
PROXY_METRICS_PORT = 20249
DNS_HEALTH_PORT = 20253
DNS_READY_PORT = 20254
METRICS_PORT = 20255

RUN = Path("/run/regisseur")
"""What belongs to the machine's present boot: sockets, and who holds the node."""

CGROUP = "regisseur"
"""Parent of the pods' control groups in every hierarchy."""


@dataclass(frozen=True)
class Layout:
    """The folders of the cluster, all below one except what the kernel or a next cluster keeps."""

    folder: Path

    @property
    def containerd_socket(self) -> Path:
        """Where containerd listens; the kernel allows such paths 107 characters only."""
        return RUN / "containerd.sock"

    @property
    def containerd_state(self) -> Path:
        """Running containers and their network namespaces."""
        return RUN / "containerd"

    @property
    def runc_state(self) -> Path:
        """What runc remembers of each container."""
        return RUN / "runc"

    @property
    def containerd_root(self) -> Path:
        """Images, unpacked once for all clusters that come and go, and container file systems."""
        return cache_folder() / "containerd"

    @property
    def kubelet_root(self) -> Path:
        """Volumes of the pods."""
        return self.folder / "kubelet"

    @property
    def pod_logs(self) -> Path:
        """What containers print."""
        return self.folder / "pod-logs"

    @property
    def cni(self) -> Path:
        """Network configuration and the addresses given to pods."""
        return self.folder / "cni"

    @property
    def volumes(self) -> Path:
        """The folders behind PersistentVolumes."""
        return self.folder / "volumes"

    def configure(self, name: str, text: str) -> Path:
        """Write the configuration file of a part and return its path.

        A file that says so already is left alone: some parts end when theirs is written.
        """
        path = self.folder / "configuration" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
        return path
