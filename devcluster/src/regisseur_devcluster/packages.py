"""The Debian packages that a node needs, installed when they are missing."""

import os
from pathlib import Path

from regisseur_devcluster.commands import run, succeeds
from regisseur_devcluster.errors import DevclusterError
from regisseur_devcluster.steps import step

NODE_PACKAGES = (
    "containerd",
    "runc",
    "containernetworking-plugins",
    "iptables",
    "nftables",
    "iproute2",
    "conntrack",
    "socat",
    "openssl",
)
IMAGE_PACKAGES = ("buildah", "mmdebstrap", "debian-archive-keyring")

DPKG = Path("/usr/bin/dpkg-query")
OTHER_WAY = "use a cluster of your own: `make demo KUBECONFIG=… IMAGE_REGISTRY=…`"


def require(*packages: str) -> None:
    """Install the packages that this machine lacks.

    Raises:
        DevclusterError: This is not a Debian or Ubuntu, or we are not root here.
    """
    refuse_unfit_machine()
    missing = [package for package in packages if not _is_installed(package)]
    if not missing:
        return
    with step(f"installing {', '.join(missing)}"):
        quietly = {"DEBIAN_FRONTEND": "noninteractive"}
        run(["apt-get", "-qq", "update"], extra_environment=quietly)
        install = ["apt-get", "-qq", "install", "--yes", "--no-install-recommends"]
        run([*install, *missing], extra_environment=quietly)


def refuse_unfit_machine() -> None:
    """Do nothing on a machine that can carry a node.

    Raises:
        DevclusterError: It cannot; the message names the other way.
    """
    if not DPKG.exists():
        raise DevclusterError(f"a node is set up on Debian or Ubuntu only; {OTHER_WAY}")
    if os.geteuid() != 0:
        raise DevclusterError(f"a node needs root (containers, mounts, iptables); {OTHER_WAY}")


def _is_installed(package: str) -> bool:
    query = ["dpkg-query", "--show", "--showformat=${db:Status-Status}", package]
    return succeeds(query) and run(query) == "installed"
