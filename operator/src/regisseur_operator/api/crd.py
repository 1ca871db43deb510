"""Build the CustomResourceDefinition of ModelDeployments from the models of spec and status."""

from functools import cache
from typing import Any, Final

import yaml

from regisseur_contract.names import (
    API_GROUP,
    API_VERSION,
    CATEGORY,
    KIND,
    PLURAL,
    SHORT_NAME,
    SINGULAR,
)
from regisseur_operator.api.rules import NAME_RULE, VALIDATIONS
from regisseur_operator.api.status import ModelDeploymentStatus
from regisseur_operator.api.structural import Schema, build_schema
from regisseur_operator.api.v1alpha1 import ModelDeploymentSpec

CRD_NAME: Final = f"{PLURAL}.{API_GROUP}"

_DESCRIPTION: Final = (
    "A ModelDeployment serves a model of an MLflow registry: it follows a stage or an alias, and"
    " rolls its pods to whatever version holds it. Whoever may create one may run pods in its"
    " namespace, as with a Deployment."
)
_API_VERSION_DESCRIPTION: Final = "Version of this schema: regisseur.dev/v1alpha1."
_KIND_DESCRIPTION: Final = "Always ModelDeployment."

_COLUMNS: Final = (
    ("Model", "string", ".spec.model.name", "Registered model"),
    ("Reference", "string", ".status.reference", "Stage, alias or version that is followed"),
    ("Version", "integer", ".status.stable.version", "Model version that is served"),
    ("Candidate", "integer", ".status.candidate.version", "Model version that is rolled out"),
    ("Phase", "string", ".status.phase", "One word for the state; the conditions tell more"),
    ("Ready", "string", ".status.ready", "Ready pods out of those wanted"),
    ("Age", "date", ".metadata.creationTimestamp", "Time since it was created"),
)

_HEADER: Final = (
    "# Generated from the models in operator/src/regisseur_operator/api. Do not edit:\n"
    "# change the models and run `make generate`.\n"
)


class _PlainDumper(yaml.SafeDumper):
    """Writes a value that occurs twice in full both times: diffs stay readable."""

    def ignore_aliases(self, data: object) -> bool:
        """Never use anchors."""
        del data
        return True


def build_crd() -> dict[str, Any]:
    """Build the definition as the API server takes it."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": CRD_NAME},
        "spec": {
            "group": API_GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": KIND,
                "listKind": f"{KIND}List",
                "plural": PLURAL,
                "singular": SINGULAR,
                "shortNames": [SHORT_NAME],
                "categories": [CATEGORY],
            },
            "versions": [_build_version()],
        },
    }


@cache
def render_crd() -> str:
    """Write the definition as YAML, the same bytes each time."""
    body = yaml.dump(
        build_crd(), Dumper=_PlainDumper, sort_keys=False, allow_unicode=True, width=100
    )
    return f"{_HEADER}---\n{body}"


def _build_version() -> dict[str, Any]:
    return {
        "name": API_VERSION,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": _build_root()},
        "subresources": {
            "status": {},
            "scale": {
                "specReplicasPath": ".spec.replicas",
                "statusReplicasPath": ".status.replicas",
                "labelSelectorPath": ".status.selector",
            },
        },
        "additionalPrinterColumns": [
            {"name": name, "type": kind, "jsonPath": path, "description": description}
            for name, kind, path, description in _COLUMNS
        ],
    }


def _build_root() -> Schema:
    rule, message = NAME_RULE
    return {
        "description": _DESCRIPTION,
        "type": "object",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string", "description": _API_VERSION_DESCRIPTION},
            "kind": {"type": "string", "description": _KIND_DESCRIPTION},
            "metadata": {"type": "object", "properties": {"name": {"type": "string"}}},
            "spec": build_schema(ModelDeploymentSpec),
            "status": build_schema(ModelDeploymentStatus, with_defaults=False),
        },
        VALIDATIONS: [{"rule": rule, "message": message, "fieldPath": ".metadata.name"}],
    }
