"""Free ports for clusters that run side by side."""

import random
import socket

LOWEST, HIGHEST = 20_000, 29_999
"""Below the ports that the kernel gives to clients and below those of NodePort Services."""

ATTEMPTS = 1000


def free_ports(count: int) -> list[int]:
    """Return ports of the loopback that nobody listens on.

    They are drawn at random, so that two clusters which start at once hardly ever meet.
    """
    found: list[int] = []
    for port in random.sample(range(LOWEST, HIGHEST), ATTEMPTS):
        if len(found) == count:
            break
        if is_free(port):
            found.append(port)
    return found


def is_free(port: int, address: str = "127.0.0.1") -> bool:
    """Return whether a port can be listened on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True
