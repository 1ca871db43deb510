"""Network interfaces, addresses and routes of the node."""

import json

from regisseur_devcluster.commands import run, succeeds
from regisseur_devcluster.endpoints import NODE_ADDRESS, POD_RANGE, SERVICE_RANGE
from regisseur_devcluster.node.layout import POD_GATEWAY

ON_LOOPBACK = (f"{NODE_ADDRESS}/32", "dev", "lo")


ROUTES = (
    # Services are reached even where the machine has no way out; iptables leads on from here.
    (SERVICE_RANGE, "dev", "lo", "src", NODE_ADDRESS),
    # What is meant for a pod that is gone must not leave the machine.
    ("unreachable", POD_RANGE),
)


def add_node_address() -> None:
    """Give this machine the address under which the node answers, and ways to Services."""
    if NODE_ADDRESS not in run(["ip", "-4", "-oneline", "address", "show", "dev", "lo"]):
        run(["ip", "address", "add", *ON_LOOPBACK])
    for route in ROUTES:
        run(["ip", "route", "replace", *route])


def remove_links() -> None:
    """Take away the node's address, its routes and the machine's end of every pod's cable."""
    for route in ROUTES:
        succeeds(["ip", "route", "delete", *route])
    succeeds(["ip", "address", "delete", *ON_LOOPBACK])
    for name in pod_links(run(["ip", "-json", "address", "show"])):
        succeeds(["ip", "link", "delete", name])


def pod_links(listing: str) -> list[str]:
    """Return the interfaces that lead to pods: they all have the pods' gateway as address."""
    return [
        link["ifname"]
        for link in json.loads(listing)
        if any(address.get("local") == POD_GATEWAY for address in link.get("addr_info", []))
    ]
