"""What the demo stands on: a cluster with the project's images in its reach."""

import shutil
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from regisseur_devcluster.cluster import Cluster
from regisseur_devcluster.demo.belongings import refuse_others, remove_demo
from regisseur_devcluster.demo.kubectl import Kubectl
from regisseur_devcluster.demo.reach import ForwardedReach, NodeReach, Reach
from regisseur_devcluster.images import APPLICATIONS, Built, build_application, push
from regisseur_devcluster.packages import IMAGE_PACKAGES, NODE_PACKAGES, require
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
        DevclusterError: The cluster has something of the demo's names that is not the demo's.
    """
    kubectl = Kubectl(kubeconfig, _own("kubectl"), _own("helm"))
    refuse_others(kubectl)
    require(*IMAGE_PACKAGES)
    images = {name: push(build_application(image), registry) for name, image in IMAGES.items()}
    return Ground(
        kubectl, ForwardedReach(kubectl), images, f"make demo-down KUBECONFIG={kubeconfig}"
    )


def clear_ground(kubeconfig: Path) -> bool:
    """Take from a person's own cluster what the demo brought; return whether there was a demo."""
    return remove_demo(Kubectl(kubeconfig, _own("kubectl"), _own("helm")))


def _load(cluster: Cluster, image: Future[Built]) -> str:
    built = image.result()
    cluster.load([built])
    return built.reference


def _own(program: str) -> Path | None:
    found = shutil.which(program)
    return Path(found) if found else None
