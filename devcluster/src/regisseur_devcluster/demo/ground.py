"""What the demo stands on: a cluster with the project's images in its reach."""

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from regisseur_devcluster.cluster import Cluster
from regisseur_devcluster.demo.kubectl import Kubectl
from regisseur_devcluster.images import APPLICATIONS, Built, build_applications
from regisseur_devcluster.packages import IMAGE_PACKAGES, NODE_PACKAGES, require
from regisseur_devcluster.tools import prepare

NAMES: Final = tuple(image.name for image in reversed(APPLICATIONS))
"""The largest image first: its pod takes longest to start."""


@dataclass(frozen=True)
class Ground:
    """A cluster and what it calls the images.

    Attributes:
        kubectl: The cluster.
        images: References by name: operator, serving and mlflow.
    """

    kubectl: Kubectl
    images: Mapping[str, str]


def lay_ground() -> Ground:
    """Bring up the devcluster while the images are built, and load them."""
    require(*NODE_PACKAGES, *IMAGE_PACKAGES)
    cluster = Cluster()
    with ThreadPoolExecutor(max_workers=1) as background:
        building = {name: background.submit(_build, name) for name in NAMES}
        try:
            cluster.up()
            prepare("helm")
            built = {name: _load(cluster, image) for name, image in building.items()}
        except BaseException:
            background.shutdown(cancel_futures=True)
            raise
    images = {name: image.reference for name, image in built.items()}
    return Ground(Kubectl(cluster.kubeconfig), images)


def _build(name: str) -> Built:
    return build_applications([name])[0]


def _load(cluster: Cluster, image: Future[Built]) -> Built:
    built = image.result()
    cluster.load([built])
    return built
