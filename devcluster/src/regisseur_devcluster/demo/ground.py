"""What the demo stands on: a cluster with the project's images in its reach."""

import shutil
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from regisseur_contract.names import API_GROUP, PLURAL
from regisseur_devcluster.cluster import Cluster
from regisseur_devcluster.demo.chart import DEMO_LABEL, NAMESPACE, uninstall_chart
from regisseur_devcluster.demo.kubectl import Kubectl
from regisseur_devcluster.demo.mlflowserver import NAMESPACE as MLFLOW_NAMESPACE
from regisseur_devcluster.demo.reach import ForwardedReach, NodeReach, Reach
from regisseur_devcluster.errors import DevclusterError
from regisseur_devcluster.images import APPLICATIONS, Built, build_application, push
from regisseur_devcluster.packages import IMAGE_PACKAGES, NODE_PACKAGES, require
from regisseur_devcluster.steps import step
from regisseur_devcluster.tools import prepare

IMAGES: Final = {image.name: image for image in reversed(APPLICATIONS)}
"""The largest image first: its pod takes longest to start."""


@dataclass(frozen=True)
class Ground:
    """A cluster and what it calls the images.

    Attributes:
        kubectl: The cluster.
        reach: How to get at what runs in it.
        images: References by name: operator, serving and mlflow.
        end: The command that takes the demo away.
    """

    kubectl: Kubectl
    reach: Reach
    images: Mapping[str, str]
    end: str = "make demo-down"


def lay_ground() -> Ground:
    """Bring up the devcluster while the images are built, and load them."""
    require(*NODE_PACKAGES, *IMAGE_PACKAGES)
    cluster = Cluster()
    with ThreadPoolExecutor(max_workers=1) as background:
        building = {
            name: background.submit(build_application, image) for name, image in IMAGES.items()
        }
        try:
            cluster.up()
            prepare("helm")
            images = {name: _load(cluster, image) for name, image in building.items()}
        except BaseException:
            background.shutdown(cancel_futures=True)
            raise
    kubectl = Kubectl(cluster.kubeconfig)
    return Ground(kubectl, NodeReach(kubectl), images)


def borrow_ground(kubeconfig: Path, registry: str) -> Ground:
    """Use a person's own cluster: push the images to a registry that it pulls from.

    Raises:
        DevclusterError: The cluster has namespaces of these names that are not the demo's.
    """
    kubectl = Kubectl(kubeconfig, _own("kubectl"), _own("helm"))
    _refuse_used_ground(kubectl)
    require(*IMAGE_PACKAGES)
    images = {name: push(build_application(image), registry) for name, image in IMAGES.items()}
    return Ground(
        kubectl, ForwardedReach(kubectl), images, f"make demo-down KUBECONFIG={kubeconfig}"
    )


def clear_ground(kubeconfig: Path) -> None:
    """Take from a person's own cluster what the demo brought there.

    Raises:
        DevclusterError: The cluster has namespaces of these names that are not the demo's.
    """
    kubectl = Kubectl(kubeconfig, _own("kubectl"), _own("helm"))
    _refuse_used_ground(kubectl)
    with step("removing the demo from your cluster"):
        kubectl("delete", "modeldeployments", "-n", "default", "wine", "--ignore-not-found")
        uninstall_chart(kubectl)
        crd = f"{PLURAL}.{API_GROUP}"
        kubectl("delete", "customresourcedefinition", crd, "--ignore-not-found")
        kubectl("delete", "namespace", NAMESPACE, MLFLOW_NAMESPACE, "--ignore-not-found")


def _refuse_used_ground(kubectl: Kubectl) -> None:
    """Keep away from an operator or an MLflow that people work with."""
    not_ours = kubectl("get", "namespaces", "-l", f"{DEMO_LABEL}!=true", "-o", "name").split()
    for name in (NAMESPACE, MLFLOW_NAMESPACE):
        if f"namespace/{name}" in not_ours:
            raise DevclusterError(
                f"your cluster has a namespace {name} that is not the demo's; use another cluster"
            )


def _load(cluster: Cluster, image: Future[Built]) -> str:
    built = image.result()
    cluster.load([built])
    return built.reference


def _own(program: str) -> Path | None:
    found = shutil.which(program)
    return Path(found) if found else None
