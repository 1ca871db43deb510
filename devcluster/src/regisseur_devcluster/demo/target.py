"""Which addresses a load may be sent to: this machine's own and the devcluster's, no others."""

import ipaddress
from typing import Final
from urllib.parse import urlsplit

from regisseur_devcluster.demo.wire import Target
from regisseur_devcluster.endpoints import SERVICE_RANGE
from regisseur_devcluster.errors import DevclusterError

ALLOWED: Final = tuple(ipaddress.ip_network(network) for network in ("127.0.0.0/8", SERVICE_RANGE))


def parse_target(url: str, body: bytes, *, is_inside: bool = False) -> Target:
    """Return the target that a URL names.

    Args:
        url: Where requests go.
        body: What each of them posts.
        is_inside: This is a pod of a person's own cluster, whose Services have any private address.

    Raises:
        DevclusterError: It is not plain HTTP to an address that a load may go to.
    """
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise DevclusterError(f"a load needs a URL like http://127.0.0.1:8080/predict, not {url!r}")
    if not _is_allowed(parts.hostname, is_inside=is_inside):
        allowed = ", ".join(str(network) for network in ALLOWED)
        raise DevclusterError(
            f"load is sent to the loopback and the devcluster only ({allowed}), "
            f"not to {parts.hostname}"
        )
    return Target(parts.hostname, parts.port or 80, parts.path or "/", body)


def _is_allowed(host: str, *, is_inside: bool) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    if is_inside:
        return address.is_private
    return any(address in network for network in ALLOWED)
