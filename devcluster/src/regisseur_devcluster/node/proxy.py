"""Kube-proxy: makes Services reachable, from pods and from this machine, through iptables."""

import json

from regisseur_devcluster.arguments import flags
from regisseur_devcluster.controlplane import ControlPlane
from regisseur_devcluster.endpoints import NODE_ADDRESS, POD_RANGE
from regisseur_devcluster.node.layout import (
    NODE_NAME,
    PROXY_HEALTH_PORT,
    PROXY_METRICS_PORT,
    Layout,
)
from regisseur_devcluster.probes import answers, wait_for
from regisseur_devcluster.processes import Daemon
from regisseur_devcluster.tools import tool

HEALTH = f"http://127.0.0.1:{PROXY_HEALTH_PORT}/healthz"


class Proxy:
    """The Service network of the node."""

    def __init__(self, layout: Layout, plane: ControlPlane) -> None:
        self.layout = layout
        self.plane = plane
        self.daemon = Daemon("kube-proxy", layout.folder)

    def start(self) -> None:
        """Start it, unless it runs, and wait until it has written its rules."""
        client = self.plane.authority.client("proxy", user="system:kube-proxy")
        kubeconfig = self.plane.client_kubeconfig("proxy.kubeconfig", client)
        text = json.dumps(proxy_configuration(str(kubeconfig)), indent=2)
        path = self.layout.configure("kube-proxy.json", text)
        self.daemon.start([tool("kube-proxy"), *flags(config=path)])
        wait_for(self.daemon, lambda: answers(HEALTH))


def proxy_configuration(kubeconfig: str) -> dict[str, object]:
    """Return the configuration file.

    The machine's connection tracking keeps its own settings. NodePorts answer on this machine
    only, on 127.0.0.1 too, so that nothing a demo starts is open to the network.
    """
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "bindAddress": NODE_ADDRESS,
        "hostnameOverride": NODE_NAME,
        "clusterCIDR": POD_RANGE,
        "clientConnection": {"kubeconfig": kubeconfig},
        "healthzBindAddress": f"127.0.0.1:{PROXY_HEALTH_PORT}",
        "metricsBindAddress": f"127.0.0.1:{PROXY_METRICS_PORT}",
        "nodePortAddresses": ["127.0.0.0/8", f"{NODE_ADDRESS}/32"],
        "oomScoreAdj": 0,
        "conntrack": {
            "maxPerCore": 0,
            "min": None,
            "tcpEstablishedTimeout": "0s",
            "tcpCloseWaitTimeout": "0s",
        },
    }
