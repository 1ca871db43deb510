"""Where the parts of a control plane listen."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from regisseur_devcluster.ports import free_ports

NODE_ADDRESS = "10.215.0.1"
"""Where the API server, the kubelet and the cluster's DNS listen; on the interface `lo`."""

POD_RANGE = "10.213.0.0/16"
SERVICE_RANGE = "10.214.0.0/16"
FIRST_SERVICE = "10.214.0.1"
"""The address of the `kubernetes` Service, under which pods find the API server."""

CLUSTER_DOMAIN = "cluster.local"

WITHOUT_PROXY = (
    *("localhost", "127.0.0.1", POD_RANGE, SERVICE_RANGE, NODE_ADDRESS),
    *(".svc", f".{CLUSTER_DOMAIN}"),
)
"""Where no HTTP proxy leads: to this machine and into the cluster."""


@dataclass(frozen=True)
class Endpoints:
    """Address and ports.

    Attributes:
        address: Where the API server listens; all others stay on the loopback.
        serves_pods: Whether the `kubernetes` Service points at the address.
    """

    address: str
    api_port: int
    etcd_port: int
    etcd_peer_port: int
    etcd_health_port: int
    controllers_port: int
    serves_pods: bool = False

    @classmethod
    def remembered(cls, path: Path) -> Self:
        """Return the endpoints of a file, or free ones on the loopback, which the file then keeps.

        A control plane that comes back must come back at the same place.
        """
        if path.exists():
            return cls(**json.loads(path.read_text()))
        api, etcd, peer, health, controllers = free_ports(5)
        endpoints = cls("127.0.0.1", api, etcd, peer, health, controllers)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(endpoints)))
        return endpoints

    @property
    def api(self) -> str:
        """The address of the API server."""
        return f"https://{self.address}:{self.api_port}"

    @property
    def etcd(self) -> str:
        """The address of the store."""
        return f"https://127.0.0.1:{self.etcd_port}"

    @property
    def etcd_health(self) -> str:
        """Where the store says whether it is well; without encryption, there is nothing else."""
        return f"http://127.0.0.1:{self.etcd_health_port}"
