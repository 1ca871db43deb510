"""What in a person's own cluster is the demo's and what is not.

The demo marks what it brings and takes away nothing else. The operator's namespace goes last: as
long as it is there with the mark, `make demo-down` can be repeated.
"""

import json
from typing import Any, Final

from regisseur_contract.names import API_GROUP, PLURAL, SINGULAR
from regisseur_devcluster.demo.chart import DEMO_LABEL, NAMESPACE, RELEASE, uninstall_chart
from regisseur_devcluster.demo.kubectl import Kubectl
from regisseur_devcluster.demo.mlflowserver import NAMESPACE as MLFLOW_NAMESPACE
from regisseur_devcluster.errors import DevclusterError
from regisseur_devcluster.steps import step

DEPLOYED: Final = "wine"
"""Name of the demo's ModelDeployment."""

DEPLOYED_IN: Final = "default"

RESOURCE: Final = f"{PLURAL}.{API_GROUP}"
"""Full name of the resource, which is the name of its definition as well."""

_OURS: Final = f"{DEMO_LABEL}=true"
_NOT_OURS: Final = f"{DEMO_LABEL}!=true"
_HELM: Final = "meta.helm.sh"


def mark_deployed(kubectl: Kubectl) -> None:
    """Mark the demo's ModelDeployment.

    Not in the manifest: who applies the example again by hand would take the mark away.
    """
    kubectl("label", RESOURCE, "-n", DEPLOYED_IN, DEPLOYED, _OURS, "--overwrite")


def refuse_others(kubectl: Kubectl) -> None:
    """Keep away from an operator, an MLflow or a model that people work with.

    Raises:
        DevclusterError: The cluster has something of these names that is not the demo's.
    """
    taken = _namespaces(kubectl, _NOT_OURS)
    for name in (NAMESPACE, MLFLOW_NAMESPACE):
        if name in taken:
            raise _used(f"a namespace {name}")
    definition = _definition(kubectl)
    if definition is None:
        return
    if not _is_of_our_release(definition):
        raise _used(f"a definition {RESOURCE}")
    where = ("-n", DEPLOYED_IN, "-l", _NOT_OURS, "-o", "name")
    if f"{SINGULAR}.{API_GROUP}/{DEPLOYED}" in _get(kubectl, RESOURCE, *where):
        raise _used(f"a ModelDeployment {DEPLOYED_IN}/{DEPLOYED}")


def remove_demo(kubectl: Kubectl) -> bool:
    """Take away what the demo brought; return whether there was a demo."""
    brought = _namespaces(kubectl, _OURS)
    if NAMESPACE not in brought:
        return False
    with step("removing the demo from your cluster"):
        definition = _definition(kubectl)
        if definition is not None:
            kubectl("delete", RESOURCE, "-n", DEPLOYED_IN, "-l", _OURS)
        uninstall_chart(kubectl)
        if definition is not None and _is_of_our_release(definition):
            _remove_definition(kubectl)
        going = [name for name in (MLFLOW_NAMESPACE, NAMESPACE) if name in brought]
        for name in going:
            kubectl("delete", "namespace", name, "--ignore-not-found")
    return True


def _remove_definition(kubectl: Kubectl) -> None:
    """Delete the definition, unless ModelDeployments of other people would go with it."""
    if others := _get(kubectl, RESOURCE, "--all-namespaces", "-o", "name"):
        print(f"  {RESOURCE} stays: {len(others)} of them in your cluster are not the demo's")
        return
    kubectl("delete", "customresourcedefinition", RESOURCE, "--ignore-not-found")


def _namespaces(kubectl: Kubectl, selector: str) -> set[str]:
    found = _get(kubectl, "namespaces", "-l", selector, "-o", "name")
    return {name.removeprefix("namespace/") for name in found}


def _definition(kubectl: Kubectl) -> dict[str, Any] | None:
    """Return the definition of the resource; without it nothing can be asked about those."""
    name = ("customresourcedefinition", RESOURCE)
    text = kubectl("get", *name, "--ignore-not-found", "-o", "json")
    found: dict[str, Any] | None = json.loads(text) if text.strip() else None
    return found


def _is_of_our_release(definition: dict[str, Any]) -> bool:
    notes = definition["metadata"].get("annotations", {})
    release = (notes.get(f"{_HELM}/release-namespace"), notes.get(f"{_HELM}/release-name"))
    return release == (NAMESPACE, RELEASE)


def _get(kubectl: Kubectl, *arguments: str) -> list[str]:
    return kubectl("get", *arguments).split()


def _used(what: str) -> DevclusterError:
    return DevclusterError(
        f"your cluster has {what} that is not the demo's; use another cluster, or remove it first"
    )
