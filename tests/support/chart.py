"""Rendering the operator's chart with helm, as its users do."""

import json
from pathlib import Path
from typing import Any, Final

import yaml

from regisseur_devcluster.commands import run
from regisseur_devcluster.controlplane import ControlPlane
from regisseur_devcluster.tools import tool

CHART: Final = Path(__file__).parents[2] / "charts" / "regisseur"
VALUES_FILES: Final = tuple(sorted((CHART / "ci").glob("*-values.yaml")))
RELEASE: Final = "regisseur"
NAMESPACE: Final = "regisseur-system"
MINIMAL: Final = ("--values", CHART / "ci" / "minimal-values.yaml")

Manifest = dict[str, Any]


def helm(*arguments: str | Path) -> str:
    """Run helm without any cluster and return what it printed.

    Raises:
        CommandError: It failed; the message ends with what it said.
    """
    return run([tool("helm"), *arguments])


def render(*arguments: str | Path, namespace: str = NAMESPACE) -> list[Manifest]:
    """Return the objects of a release, with the least values if no file or value is given."""
    text = helm("template", RELEASE, CHART, "--namespace", namespace, *(arguments or MINIMAL))
    return [document for document in yaml.safe_load_all(text) if document]


def select(
    manifests: list[Manifest], kind: str, name: str = RELEASE, namespace: str = ""
) -> Manifest:
    """Return the one object of a kind and a name, in a namespace where there are several."""
    (found,) = (
        manifest
        for manifest in manifests
        if manifest["kind"] == kind
        and manifest["metadata"]["name"] == name
        and namespace in {"", manifest["metadata"].get("namespace")}
    )
    return found


def apply(control_plane: ControlPlane, manifest: Manifest, *arguments: str) -> str:
    """Apply an object, and refuse fields that its kind does not have."""
    return control_plane.kubectl(
        *("apply", "--server-side", "--force-conflicts", "--validate=strict", "-f", "-"),
        *arguments,
        stdin=json.dumps(manifest),
    )
