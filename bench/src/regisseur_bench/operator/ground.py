"""Where the operator is measured: a real API server with its store, and nothing else beside it."""

import json
import ssl
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from regisseur_bench.operator.errors import BenchError
from regisseur_bench.operator.rawclient import RawClient
from regisseur_devcluster.certificates import Pair
from regisseur_devcluster.controlplane import ControlPlane
from regisseur_devcluster.errors import CommandError

NAMESPACE: Final = "models"
FLOOR_NAMESPACE: Final = "floor"
PROBE_NAMESPACE: Final = "probes"
"""No pods are played here: what is written here is measured by itself."""

LEASE_NAMESPACE: Final = "regisseur-system"
_AUDITED: Final = "system:serviceaccounts"
_READY_SECONDS: Final = 30.0


class Ground:
    """An API server on which a benchmark runs.

    Attributes:
        plane: Its processes.
    """

    def __init__(self, plane: ControlPlane) -> None:
        self.plane = plane

    def kubeconfig(self, user: str) -> Path:
        """Return the kubeconfig of a user whose requests are written down."""
        return self.plane.client_kubeconfig(f"{user}.kubeconfig", self._certify(user))

    def client(self, user: str) -> RawClient:
        """Return a raw client of a user whose requests are written down."""
        pair = self._certify(user)
        trust = ssl.create_default_context(cafile=str(self.plane.certificate_authority))
        trust.load_cert_chain(pair.certificate, pair.key)
        return RawClient(self.plane.url, trust)

    def _certify(self, user: str) -> Pair:
        return self.plane.authority.client(user, user=user, group=_AUDITED)


@contextmanager
def prepare_ground(crds: Path) -> Iterator[Ground]:
    """Start an API server with our resources, and remove it without a trace.

    Args:
        crds: Folder of the definitions.

    Raises:
        BenchError: The definitions are not taken.
    """
    with (
        tempfile.TemporaryDirectory(prefix="regisseur-bench-") as folder,
        ControlPlane(Path(folder) / "plane") as plane,
    ):
        plane.kubectl("apply", "--server-side", "-f", crds)
        for namespace in (NAMESPACE, FLOOR_NAMESPACE, PROBE_NAMESPACE, LEASE_NAMESPACE):
            plane.kubectl("create", "namespace", namespace)
        # Whoever is written down belongs to this group, and may do everything.
        plane.kubectl(
            *("create", "clusterrolebinding", "bench"),
            *("--clusterrole=cluster-admin", f"--group={_AUDITED}"),
        )
        _wait_until_established(plane, crds)
        _wait_until_allowed(plane)
        plane.controllers.stop()
        yield Ground(plane)


def _wait_until_established(plane: ControlPlane, crds: Path) -> None:
    _wait(lambda: _is_established(plane, crds), f"the API server does not take {crds}")


def _is_established(plane: ControlPlane, crds: Path) -> bool:
    found = json.loads(plane.kubectl("get", "-f", crds, "-o", "json"))
    items = found.get("items", [found])
    conditions = [c for item in items for c in item.get("status", {}).get("conditions", [])]
    return any(c["type"] == "Established" and c["status"] == "True" for c in conditions)


def _wait_until_allowed(plane: ControlPlane) -> None:
    """Wait until the API server has heard of the binding."""
    who = (f"--as-group={_AUDITED}", "--as=anybody")
    _wait(lambda: "yes" in _ask_whether_allowed(plane, who), "the binding has no effect")


def _ask_whether_allowed(plane: ControlPlane, who: tuple[str, ...]) -> str:
    try:
        return plane.kubectl("auth", "can-i", "watch", "deployments.apps", "-A", *who)
    except CommandError:
        return ""


def _wait(is_it: Callable[[], bool], complaint: str) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while not is_it():
        if time.monotonic() > deadline:
            raise BenchError(complaint)
        time.sleep(0.1)
