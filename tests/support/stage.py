"""What all end-to-end tests share: operator and MLflow on the node of the test run."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from regisseur_devcluster.cluster import Cluster
from regisseur_devcluster.demo.chart import RESTRICTED, build_values, install_chart
from regisseur_devcluster.demo.kubectl import Kubectl
from regisseur_devcluster.demo.mlflowserver import (
    INSIDE_URL,
    OUTSIDE_URL,
    apply_mlflow,
    wait_for_mlflow,
)
from regisseur_devcluster.images import APPLICATIONS, build_application
from support.eventually import eventually
from support.served import Served


@dataclass(frozen=True)
class PodRegistry:
    """The MLflow server in the cluster, as this machine reaches it."""

    url: str = OUTSIDE_URL


@dataclass(frozen=True)
class Stage:
    """A cluster on which the operator and MLflow run.

    Attributes:
        kubectl: The cluster, as its administrator.
        registry: MLflow.
        images: What the node calls the images `serving`, `operator` and `mlflow`.
    """

    kubectl: Kubectl
    registry: PodRegistry
    images: Mapping[str, str]

    def create_served(self, model: str) -> Served:
        """Return a ModelDeployment that is not applied yet, in a namespace of its own."""
        metadata = {"generateName": "e2e-", "labels": RESTRICTED}
        manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
        created = self.kubectl("create", "-f", "-", "-o", "name", stdin=json.dumps(manifest))
        namespace = created.strip().removeprefix("namespace/")
        return Served(self.kubectl, self.registry, namespace, f"{model}-{namespace}")

    def delete_pods(self, deployment: str) -> None:
        """Delete the pods of a deployment, given as namespace/name, without waiting."""
        namespace, _, name = deployment.partition("/")
        selector = f"app.kubernetes.io/name={name}"
        self.kubectl("delete", "pods", "-n", namespace, "-l", selector, "--wait=false")

    def scale(self, deployment: str, replicas: int) -> None:
        """Ask for so many pods of a deployment, given as namespace/name, without waiting."""
        namespace, _, name = deployment.partition("/")
        self.kubectl("scale", f"deployment/{name}", "-n", namespace, f"--replicas={replicas}")

    def wait_until_available(self, deployment: str) -> None:
        """Wait until a deployment, given as namespace/name, has the pods it wants."""
        namespace, _, name = deployment.partition("/")
        eventually(
            lambda: self._is_available(namespace, name),
            deadline_seconds=120,
            interval=0.5,
            describe=f"deployment {deployment} is available",
        )

    def _is_available(self, namespace: str, name: str) -> bool:
        found = self.kubectl.read("deployment", name, "-n", namespace)
        status, wanted = found.get("status", {}), found["spec"]["replicas"]
        return bool(status.get("availableReplicas") == wanted == status.get("replicas"))


def set_stage(cluster: Cluster) -> Stage:
    """Put MLflow and the operator on a cluster, with images built from the checkout as it is."""
    built = {image.name: build_application(image) for image in APPLICATIONS}
    cluster.load(built.values())
    images = {name: image.reference for name, image in built.items()}
    kubectl = Kubectl(cluster.kubeconfig)
    apply_mlflow(kubectl, images["mlflow"])
    values = build_values(
        operator_image=images["operator"],
        serving_image=images["serving"],
        registry_url=INSIDE_URL,
    )
    install_chart(kubectl, values)
    wait_for_mlflow(kubectl)
    return Stage(kubectl, PodRegistry(), images)
