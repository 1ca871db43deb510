"""The cluster's DNS: CoreDNS as a process of this machine.

It listens on the node's address, so it needs no image and no Service, and is there before the
first pod.
"""

import re
from pathlib import Path

from regisseur_devcluster.controlplane import ControlPlane
from regisseur_devcluster.endpoints import CLUSTER_DOMAIN, NODE_ADDRESS
from regisseur_devcluster.node.layout import DNS_HEALTH_PORT, DNS_READY_PORT, Layout
from regisseur_devcluster.probes import answers, wait_for
from regisseur_devcluster.processes import Daemon
from regisseur_devcluster.tools import tool

USER = "system:coredns"
READY = f"http://127.0.0.1:{DNS_READY_PORT}/ready"
RESOLVERS = Path("/etc/resolv.conf")


class Dns:
    """The name server of the pods."""

    def __init__(self, layout: Layout, plane: ControlPlane) -> None:
        self.layout = layout
        self.plane = plane
        self.daemon = Daemon("coredns", layout.folder)

    def start(self) -> None:
        """Start it, unless it runs, and wait until it knows the cluster's Services."""
        client = self.plane.authority.client("coredns", user=USER)
        kubeconfig = self.plane.client_kubeconfig("coredns.kubeconfig", client)
        text = corefile(kubeconfig, RESOLVERS.read_text())
        path = self.layout.configure("Corefile", text)
        self.daemon.start([tool("coredns"), "-conf", path])
        wait_for(self.daemon, lambda: answers(READY))


def corefile(kubeconfig: Path, resolvers: str) -> str:
    """Return the configuration; names of the world go where this machine asks for them."""
    has_resolver = re.search(r"^nameserver\s", resolvers, re.MULTILINE)
    forward = f"    forward . {RESOLVERS}\n    loop\n" if has_resolver else ""
    return f"""\
.:53 {{
    bind {NODE_ADDRESS}
    errors
    health 127.0.0.1:{DNS_HEALTH_PORT}
    ready 127.0.0.1:{DNS_READY_PORT}
    kubernetes {CLUSTER_DOMAIN} in-addr.arpa {{
        kubeconfig {kubeconfig} regisseur
        ttl 5
    }}
{forward}    cache 30 {{
        disable denial {CLUSTER_DOMAIN}
    }}
}}
"""
