"""Containerd with runc: runs the containers of the pods."""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path

from regisseur_devcluster.commands import run, succeeds
from regisseur_devcluster.errors import DevclusterError
from regisseur_devcluster.images import Built
from regisseur_devcluster.node.layout import POD_RANGE, Layout
from regisseur_devcluster.probes import wait_for
from regisseur_devcluster.processes import Daemon
from regisseur_devcluster.steps import step

CNI_PROGRAMS = Path("/usr/lib/cni")
NETWORK = "regisseur"
NAMESPACE = "k8s.io"
"""Where containerd's CRI part keeps its images and containers."""


class Containerd:
    """The container runtime of the node."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.daemon = Daemon("containerd", layout.folder)

    def start(self, pause: Built) -> None:
        """Start it, unless it runs, with the image that holds pods' namespaces loaded."""
        self._write_network()
        text = containerd_configuration(self.layout, pause.reference)
        path = self.layout.configure("containerd.toml", text)
        self.daemon.start([_program(), "--config", path, "--log-level", "warn"])
        wait_for(self.daemon, self._answers)
        self.load([pause])

    def load(self, images: Iterable[Built]) -> None:
        """Bring images into the node, each under its own name and as the newest build."""
        present = set(self._ctr("images", "list", "--quiet").split())
        for image in images:
            if image.reference not in present:
                with step(f"loading {image.reference}"):
                    self._ctr("images", "import", image.archive)
            self._ctr("images", "tag", "--force", image.reference, image.latest)

    def _ctr(self, *arguments: str | Path) -> str:
        socket = self.layout.containerd_socket
        return run(["ctr", "--address", socket, "--namespace", NAMESPACE, *arguments])

    def _answers(self) -> bool:
        socket = self.layout.containerd_socket
        return socket.exists() and succeeds(["ctr", "--address", socket, "version"])

    def _write_network(self) -> None:
        folder = self.layout.cni / "net.d"
        folder.mkdir(parents=True, exist_ok=True)
        document = network_configuration(self.layout.cni / "addresses")
        (folder / "10-regisseur.conflist").write_text(json.dumps(document, indent=2))


def containerd_configuration(layout: Layout, pause: str) -> str:
    """Return the configuration file.

    OOM scores are left as they are, because lowering one takes a capability that containers and
    virtual machines often lack; network namespaces lie among our own files.
    """
    return f"""\
version = 2
root = "{layout.containerd_root}"
state = "{layout.containerd_state}"

[grpc]
address = "{layout.containerd_socket}"

[plugins."io.containerd.internal.v1.opt"]
path = "{layout.containerd_root}/opt"

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{pause}"
restrict_oom_score_adj = true
disable_tcp_service = true
stream_server_address = "127.0.0.1"
stream_server_port = "0"
netns_mounts_under_state_dir = true

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{CNI_PROGRAMS}"
conf_dir = "{layout.cni}/net.d"

[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "overlayfs"
default_runtime_name = "runc"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
SystemdCgroup = false
Root = "{layout.runc_state}"
"""


def network_configuration(addresses: Path) -> dict[str, object]:
    """Return the pods' network: each on a cable of its own to the machine.

    There is no bridge, so traffic between two pods is routed like all other and Services work
    between them without the kernel's bridge filter.
    """
    ipam = {
        "type": "host-local",
        "dataDir": str(addresses),
        "ranges": [[{"subnet": POD_RANGE}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    return {
        "cniVersion": "1.0.0",
        "name": NETWORK,
        "plugins": [
            {"type": "ptp", "ipMasq": False, "ipam": ipam},
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }


def _program() -> str:
    program = shutil.which("containerd")
    if program is None:
        raise DevclusterError("the program containerd is not installed")
    return program
