"""Installing the operator's chart with helm, as a person would."""

import json
from typing import Any, Final

from regisseur_devcluster.commands import run
from regisseur_devcluster.demo.kubectl import Kubectl
from regisseur_devcluster.settings import REPOSITORY
from regisseur_devcluster.tools import tool

CHART: Final = REPOSITORY / "charts" / "regisseur"
RELEASE: Final = "regisseur"
NAMESPACE: Final = "regisseur-system"
WAIT_SECONDS: Final = 180

RESTRICTED: Final = {"pod-security.kubernetes.io/enforce": "restricted"}
"""Label of a namespace that admits no pod with more rights than it needs."""

DEMO_LABEL: Final = "regisseur.dev/demo"
"""Label of what the demo brought, and so may take away again."""


def build_values(*, operator_image: str, serving_image: str, registry_url: str) -> dict[str, Any]:
    """Return the chart's values for two images and one registry."""
    repository, _, tag = operator_image.rpartition(":")
    return {
        "image": {"repository": repository, "tag": tag},
        "servingImage": serving_image,
        "registries": {"default": {"url": registry_url}},
    }


def install_chart(kubectl: Kubectl, values: dict[str, Any]) -> None:
    """Install the operator, or bring it up to date, and wait until it is ready."""
    create_restricted_namespace(kubectl, NAMESPACE)
    arguments = ("upgrade", "--install", RELEASE, CHART, "--namespace", NAMESPACE)
    waiting = ("--wait", f"--timeout={WAIT_SECONDS}s")
    run(
        [
            kubectl.helm or tool("helm"),
            "--kubeconfig",
            kubectl.kubeconfig,
            *arguments,
            "--values",
            "-",
            *waiting,
        ],
        stdin=json.dumps(values),
        timeout_seconds=WAIT_SECONDS + 30,
    )


def uninstall_chart(kubectl: Kubectl) -> None:
    """Uninstall the operator, if it is there."""
    arguments = ("uninstall", RELEASE, "--namespace", NAMESPACE, "--ignore-not-found", "--wait")
    run([kubectl.helm or tool("helm"), "--kubeconfig", kubectl.kubeconfig, *arguments])


def create_restricted_namespace(kubectl: Kubectl, name: str) -> None:
    """Create a namespace that admits no pod with more rights than it needs."""
    metadata = {"name": name, "labels": {**RESTRICTED, DEMO_LABEL: "true"}}
    kubectl.apply(json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}))
