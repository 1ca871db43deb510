"""A real API server for tests: etcd, kube-apiserver and kube-controller-manager on free ports."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from regisseur_devcluster.controlplane import ControlPlane
from regisseur_devcluster.processes import Daemon, identify
from support.eventually import eventually

CRDS = Path(__file__).parents[2] / "crds"
PREFIX = "regisseur-control-plane-"

_started: set[str] = set()
"""Addresses of the API servers that this test run brought up."""


class ForeignClusterError(Exception):
    """A test was about to talk to a cluster that the harness did not start."""


@pytest.fixture(scope="session", autouse=True)
def _no_foreign_cluster() -> Iterator[None]:
    """Hide a person's own kubeconfig, so that a test which names none finds none."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KUBECONFIG", os.devnull)
        patch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
        yield


@pytest.fixture(scope="session")
def control_plane() -> Iterator[ControlPlane]:
    """Return the API server that all tests of the run share, with the project's CRDs applied.

    A test that takes its processes away brings them back itself.
    """
    with start_control_plane() as plane:
        apply_crds(plane)
        yield plane


@pytest.fixture
def start_own_control_plane() -> Iterator[Callable[[], ControlPlane]]:
    """Return a function that starts an API server for this test alone."""
    planes: list[ControlPlane] = []

    def start() -> ControlPlane:
        planes.append(start_control_plane())
        return planes[-1]

    yield start
    for plane in planes:
        plane.remove()


@pytest.fixture
def namespace(control_plane: ControlPlane) -> Iterator[str]:
    """Return the name of an empty namespace, in which pods could be created at once."""
    name = create_namespace(control_plane)
    yield name
    if control_plane.is_ready:
        control_plane.kubectl("delete", "namespace", name, "--wait=false")


def start_control_plane() -> ControlPlane:
    """Start an API server in a folder of its own; whoever calls this removes it."""
    _remove_orphans()
    plane = ControlPlane(Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-")))
    plane.start()
    trust(plane.url)
    return plane


def apply_crds(plane: ControlPlane) -> None:
    """Create the project's CRDs and wait until the API serves them."""
    if not any(CRDS.glob("*.yaml")):
        return
    plane.kubectl("apply", "--server-side", "-f", CRDS)
    # Not `kubectl wait` nor a filter: both fail on a CRD that has no conditions at all yet.
    conditions = "{range .status.conditions[*]}{.type}={.status} {end}"
    eventually(
        lambda: (
            "Established=True" in plane.kubectl("get", "-f", CRDS, "-o", f"jsonpath={conditions}")
        ),
        deadline_seconds=30,
        describe="the CRD is established",
    )


def create_namespace(plane: ControlPlane) -> str:
    """Create a namespace and wait for the service account that its pods run under."""
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"generateName": "test-"}}
    name = plane.kubectl("create", "-f", "-", "-o", "name", stdin=json.dumps(manifest)).strip()
    name = name.removeprefix("namespace/")
    eventually(
        lambda: plane.kubectl("get", "serviceaccounts", "-n", name, "-o", "name"),
        deadline_seconds=20,
        describe=f"the service account of namespace {name}",
    )
    return name


def trust(url: str) -> None:
    """Note that the harness started the API server at an address."""
    _started.add(url)


def refuse_foreign_cluster(kubeconfig: Path) -> None:
    """Do nothing when a kubeconfig leads to a cluster of this test run.

    Raises:
        ForeignClusterError: It leads elsewhere, perhaps to a cluster with real work on it.
    """
    document = yaml.safe_load(kubeconfig.read_text()) or {}
    urls = {entry["cluster"]["server"] for entry in document.get("clusters", [])}
    if foreign := urls - _started:
        raise ForeignClusterError(f"{kubeconfig} leads to {sorted(foreign)}: no test goes there")


def _remove_orphans() -> None:
    """Remove what test runs left behind that were killed before they could tidy up."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        owner = folder.name.removeprefix(PREFIX).partition("-")[0]
        if owner.isdigit() and identify(int(owner)) is None:
            for pid_file in (folder / "pids").glob("*"):
                Daemon(pid_file.name, folder).stop()
            shutil.rmtree(folder, ignore_errors=True)
