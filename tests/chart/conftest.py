"""A release of the chart on the API server that the tests share, without its pods."""

import pytest

from regisseur_devcluster.controlplane import ControlPlane
from support.chart import NAMESPACE, Manifest, apply, render


@pytest.fixture(scope="module")
def restricted_namespace(control_plane: ControlPlane) -> str:
    """The release's namespace, which admits only pods that want nothing special."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    namespace = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": NAMESPACE, "labels": labels},
    }
    apply(control_plane, namespace)
    return NAMESPACE


@pytest.fixture(scope="module")
def release(control_plane: ControlPlane, restricted_namespace: str) -> list[Manifest]:
    """Everything of a release, applied except for the pods' Deployment."""
    del restricted_namespace
    manifests = render()
    for manifest in manifests:
        if manifest["kind"] not in ("Deployment", "CustomResourceDefinition"):
            apply(control_plane, manifest)
    return manifests
