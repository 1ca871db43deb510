"""Installing, upgrading and removing a release on a real API server."""

import json
from collections.abc import Iterator

import pytest

from regisseur_devcluster.controlplane import ControlPlane
from support.chart import CHART, MINIMAL, NAMESPACE, RELEASE, helm
from support.control_plane import start_control_plane

RESOURCE = json.dumps(
    {
        "apiVersion": "regisseur.dev/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": {"name": "wine", "namespace": "default"},
        "spec": {"model": {"name": "wine", "version": 1}},
    }
)
CRD = "crd/modeldeployments.regisseur.dev"


@pytest.fixture(scope="module")
def cluster() -> Iterator[ControlPlane]:
    """An API server that has never heard of Regisseur."""
    with start_control_plane() as plane:
        yield plane


def install(cluster: ControlPlane, *arguments: str) -> None:
    target = ("--kubeconfig", cluster.kubeconfig, "--namespace", NAMESPACE, "--create-namespace")
    helm("upgrade", "--install", RELEASE, CHART, *target, *MINIMAL, *arguments)
    cluster.kubectl("wait", "--for=condition=Established", "--timeout=30s", CRD)


def uninstall(cluster: ControlPlane) -> None:
    target = ("--kubeconfig", cluster.kubeconfig, "--namespace", NAMESPACE)
    helm("uninstall", RELEASE, *target, "--wait=hookOnly")


def test_resources_outlive_the_release_and_the_next_one_takes_them_over(
    cluster: ControlPlane,
) -> None:
    install(cluster)
    cluster.kubectl("apply", "-f", "-", stdin=RESOURCE)

    uninstall(cluster)
    assert "wine" in cluster.kubectl("get", "mdep", "-o", "name")

    install(cluster)
    assert "wine" in cluster.kubectl("get", "mdep", "-o", "name")


def test_an_upgrade_brings_the_definition_up_to_date(cluster: ControlPlane) -> None:
    install(cluster)
    column = '[{"op": "remove", "path": "/spec/versions/0/additionalPrinterColumns"}]'
    cluster.kubectl("patch", CRD, "--type=json", "-p", column)
    assert "REFERENCE" not in headers(cluster)

    install(cluster, "--set", "workers=4", "--force-conflicts")

    assert "REFERENCE" in headers(cluster)


def test_resources_go_with_the_release_if_asked_for(cluster: ControlPlane) -> None:
    install(cluster, "--set", "crds.keep=false")
    cluster.kubectl("apply", "-f", "-", stdin=RESOURCE)

    uninstall(cluster)
    cluster.kubectl("wait", "--for=delete", "--timeout=30s", CRD)


def headers(cluster: ControlPlane) -> str:
    """Return the headers that kubectl shows over ModelDeployments."""
    cluster.kubectl("apply", "-f", "-", stdin=RESOURCE)
    return cluster.kubectl("get", "mdep").splitlines()[0]
