"""Containerd with runc: runs the containers of the pods."""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path

from regisseur_devcluster.commands import run, succeeds
from regisseur_devcluster.endpoints import POD_RANGE
from regisseur_devcluster.errors import DevclusterError
from regisseur_devcluster.images import Built, archive_of
from regisseur_devcluster.node.layout import Layout
from regisseur_devcluster.probes import wait_for
from regisseur_devcluster.processes import Daemon, boot
from regisseur_devcluster.steps import step

CNI_PROGRAMS = Path("/usr/lib/cni")
NETWORK = "regisseur"
NAMESPACE = "k8s.io"
"""Where containerd's Kubernetes part keeps its images and containers."""

KUBERNETES_PLUGIN = "io.containerd.grpc.v1.cri"


class Containerd:
    """The container runtime of the node."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.daemon = Daemon("containerd", layout.folder)

    def start(self, pause: Built) -> None:
        """Start it, unless it runs, with the image that holds pods' namespaces loaded."""
        self._write_network()
        self._distrust_earlier_boot()
        text = containerd_configuration(self.layout, pause.reference)
        self._run(self.daemon, self.layout.configure("containerd.toml", text))
        self.load([pause])

    def load(self, images: Iterable[Built]) -> None:
        """Bring images into the node, each under its own name and as the newest build."""
        present = set(self._ctr("images", "list", "--quiet").split())
        for image in images:
            if image.reference not in present:
                with step(f"loading {image.reference}"):
                    self._ctr("images", "import", image.archive)
            self._ctr("images", "tag", "--force", image.reference, image.latest)

    def forget_containers(self) -> None:
        """Remove what is left of containers, when none runs, so that only images stay.

        Images whose archive is gone are old builds: they go too. Without its Kubernetes part
        containerd does not try to bring anything back meanwhile.
        """
        kubernetes = self.layout.containerd_root / KUBERNETES_PLUGIN
        if not any(kubernetes.glob("sandboxes/*")):
            return
        sweeper = Daemon("containerd-sweep", self.layout.folder)
        text = bare_configuration(self.layout)
        try:
            self._run(sweeper, self.layout.configure("containerd-sweep.toml", text))
            for container in self._ctr("containers", "list", "--quiet").split():
                self._ctr("containers", "delete", container)
            for image in self._ctr("images", "list", "--quiet").split():
                if not image.endswith(":dev") and not archive_of(image).exists():
                    self._ctr("images", "delete", image)
        finally:
            sweeper.stop()
        shutil.rmtree(kubernetes)

    def _run(self, daemon: Daemon, configuration: Path) -> None:
        daemon.start([_program(), "--config", configuration, "--log-level", "warn"])
        wait_for(daemon, self._answers)

    def _ctr(self, *arguments: str | Path) -> str:
        socket = self.layout.containerd_socket
        return run(["ctr", "--address", socket, "--namespace", NAMESPACE, *arguments])

    def _answers(self) -> bool:
        socket = self.layout.containerd_socket
        return socket.exists() and succeeds(["ctr", "--address", socket, "version"])

    def _distrust_earlier_boot(self) -> None:
        """Drop images that were unpacked before the machine was started anew.

        Files written shortly before a power cut may be empty. A cluster that was there before
        the restart keeps them, because its containers stand on them.
        """
        root = self.layout.containerd_root
        note = root / "boot"
        is_trusted = note.exists() and note.read_text() == boot()
        if root.exists() and not is_trusted and not self.daemon.log.exists():
            shutil.rmtree(root)
        root.mkdir(parents=True, exist_ok=True)
        note.write_text(boot())

    def _write_network(self) -> None:
        folder = self.layout.cni / "net.d"
        folder.mkdir(parents=True, exist_ok=True)
        document = network_configuration(self.layout.cni / "addresses")
        (folder / "10-regisseur.conflist").write_text(json.dumps(document, indent=2))


def bare_configuration(layout: Layout) -> str:
    """Return the configuration of a containerd that knows nothing of Kubernetes."""
    return f"""\
version = 2
root = "{layout.containerd_root}"
state = "{layout.containerd_state}"
disabled_plugins = ["{KUBERNETES_PLUGIN}"]

[grpc]
address = "{layout.containerd_socket}"

[plugins."io.containerd.internal.v1.opt"]
path = "{layout.containerd_root}/opt"
"""


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
