"""The scheduler: binds pods to the node."""

from regisseur_devcluster.arguments import flags
from regisseur_devcluster.controlplane import ControlPlane
from regisseur_devcluster.node.layout import SCHEDULER_PORT, Layout
from regisseur_devcluster.probes import answers, wait_for
from regisseur_devcluster.processes import Daemon
from regisseur_devcluster.tools import tool

HEALTH = f"https://127.0.0.1:{SCHEDULER_PORT}/healthz"


class Scheduler:
    """The scheduler of the cluster."""

    def __init__(self, layout: Layout, plane: ControlPlane) -> None:
        self.plane = plane
        self.daemon = Daemon("kube-scheduler", layout.folder)

    def start(self) -> None:
        """Start it, unless it runs, and wait until it is well."""
        client = self.plane.authority.client("scheduler", user="system:kube-scheduler")
        kubeconfig = self.plane.client_kubeconfig("scheduler.kubeconfig", client)
        arguments = flags(
            kubeconfig=kubeconfig,
            authentication_kubeconfig=kubeconfig,
            authorization_kubeconfig=kubeconfig,
            bind_address="127.0.0.1",
            secure_port=SCHEDULER_PORT,
            leader_elect="false",
            profiling="false",
        )
        self.daemon.start([tool("kube-scheduler"), *arguments])
        wait_for(self.daemon, lambda: answers(HEALTH))
