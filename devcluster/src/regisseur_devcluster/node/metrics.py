"""The metrics server: what pods use of CPU and memory, for `kubectl top` and for autoscaling.

It is started on request only, and costs a Go build the first time. The API server hands requests
for metrics on to it by a Service without pods, whose one endpoint is a process of this machine.
"""

import base64
import json
from pathlib import Path

from regisseur_devcluster.arguments import flags
from regisseur_devcluster.controlplane import ControlPlane
from regisseur_devcluster.endpoints import NODE_ADDRESS
from regisseur_devcluster.node.layout import METRICS_PORT, Layout
from regisseur_devcluster.probes import answers, wait_for
from regisseur_devcluster.processes import Daemon
from regisseur_devcluster.tools import tool

PROGRAM = "metrics-server"
USER = "system:metrics-server"
NAMESPACE = "kube-system"
SERVICE = "metrics-server"
HOST = f"{SERVICE}.{NAMESPACE}.svc"
API_VERSION = "v1beta1"
API_GROUP = "metrics.k8s.io"
API = f"{API_VERSION}.{API_GROUP}"
HEALTH = f"https://{NODE_ADDRESS}:{METRICS_PORT}/livez"
"""Not whether it is ready: without any pod in the cluster it never is."""

RBAC = "rbac.authorization.k8s.io"
FIRST_METRICS_SECONDS = 120.0
"""Two readings of the kubelet, ten seconds apart, and then some for a busy machine."""


class MetricsServer:
    """The metrics server of the cluster."""

    def __init__(self, layout: Layout, plane: ControlPlane) -> None:
        self.plane = plane
        self.daemon = Daemon(PROGRAM, layout.folder)
        self._kubeconfig = layout.folder / "metrics-server.kubeconfig"

    @property
    def is_wanted(self) -> bool:
        """Whether it was ever started in this cluster.

        From then on it must not stay away: while an API that the cluster knows does not answer,
        namespaces cannot be deleted.
        """
        return self._kubeconfig.exists()

    def start(self) -> None:
        """Start it, unless it runs, and wait until it knows what the node uses."""
        program = tool(PROGRAM)
        client = self.plane.authority.client(PROGRAM, user=USER)
        kubeconfig = self.plane.client_kubeconfig(self._kubeconfig.name, client)
        serving = self.plane.authority.server(f"{PROGRAM}-serving", hosts=(HOST, NODE_ADDRESS))
        document = objects(self.plane.certificate_authority)
        self.plane.kubectl("apply", "-f", "-", stdin=json.dumps(document))
        arguments = flags(
            kubeconfig=kubeconfig,
            authentication_kubeconfig=kubeconfig,
            authorization_kubeconfig=kubeconfig,
            bind_address=NODE_ADDRESS,
            secure_port=METRICS_PORT,
            tls_cert_file=serving.certificate,
            tls_private_key_file=serving.key,
            # The kubelet signs its own certificate and listens on a port of ours.
            kubelet_insecure_tls="true",
            kubelet_preferred_address_types="InternalIP",
            kubelet_use_node_status_port="true",
            metric_resolution="10s",
            # It does not start unless this is less than the resolution.
            kubelet_request_timeout="5s",
        )
        self.daemon.start([program, *arguments])
        wait_for(self.daemon, lambda: answers(HEALTH))
        wait_for(self.daemon, self._knows_the_node, seconds=FIRST_METRICS_SECONDS)

    def _knows_the_node(self) -> bool:
        """Return whether the API server gives metrics of a node: then all parts work together."""
        conditions = '{.status.conditions[?(@.type=="Available")].status}'
        said = self.plane.kubectl("get", "apiservice", API, "-o", f"jsonpath={conditions}")
        if said != "True":
            return False
        path = f"/apis/{API_GROUP}/{API_VERSION}/nodes"
        return bool(json.loads(self.plane.kubectl("get", "--raw", path))["items"])


def objects(authority: Path) -> dict[str, object]:
    """Return its rights, its Service and the API that it serves as one list."""
    return {
        "apiVersion": "v1",
        "kind": "List",
        "items": [_role(), *_bindings(), _service(), _endpoint(), _api(authority)],
    }


def _role() -> dict[str, object]:
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": USER},
        "rules": [
            {"apiGroups": [""], "resources": ["nodes/metrics"], "verbs": ["get"]},
            {"apiGroups": [""], "resources": ["pods", "nodes"], "verbs": ["get", "list", "watch"]},
        ],
    }


def _bindings() -> list[dict[str, object]]:
    reader = _binding("RoleBinding", "Role", "extension-apiserver-authentication-reader")
    reader["metadata"] = {"name": f"{USER}:authentication-reader", "namespace": NAMESPACE}
    return [
        _binding("ClusterRoleBinding", "ClusterRole", USER),
        _binding("ClusterRoleBinding", "ClusterRole", "system:auth-delegator"),
        reader,
    ]


def _binding(kind: str, role_kind: str, role: str) -> dict[str, object]:
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": kind,
        "metadata": {"name": f"{USER}:{role.removeprefix('system:')}"},
        "roleRef": {"apiGroup": RBAC, "kind": role_kind, "name": role},
        "subjects": [{"apiGroup": RBAC, "kind": "User", "name": USER}],
    }


def _service() -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": SERVICE, "namespace": NAMESPACE},
        "spec": {"ports": [{"name": "https", "port": 443, "targetPort": METRICS_PORT}]},
    }


def _endpoint() -> dict[str, object]:
    labels = {"kubernetes.io/service-name": SERVICE}
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": SERVICE, "namespace": NAMESPACE, "labels": labels},
        "addressType": "IPv4",
        "ports": [{"name": "https", "port": METRICS_PORT, "protocol": "TCP"}],
        "endpoints": [{"addresses": [NODE_ADDRESS], "conditions": {"ready": True}}],
    }


def _api(authority: Path) -> dict[str, object]:
    return {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": API},
        "spec": {
            "group": API_GROUP,
            "version": API_VERSION,
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
            "service": {"name": SERVICE, "namespace": NAMESPACE, "port": 443},
            "caBundle": base64.b64encode(authority.read_bytes()).decode(),
        },
    }
