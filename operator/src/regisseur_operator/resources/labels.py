"""Labels, selectors and the metadata that all children share.

Selectors are fixed for good: a Deployment's cannot be changed. The name of a model is any Unicode
and never becomes a label or a name.
"""

from typing import Final

from regisseur_contract.names import (
    FIELD_MANAGER,
    LABEL_MODEL_VERSION,
    LABEL_MODELDEPLOYMENT,
    LABEL_ROLE,
    ROLE_STABLE,
)
from regisseur_operator.core.identity import Kind, Manifest
from regisseur_operator.core.observed import Observed
from regisseur_operator.core.pods import LABEL_INPUTS
from regisseur_operator.core.roll import PodInputs

Labels = dict[str, str]

APPLICATION: Final = "model-server"


def build_selector(name: str) -> Labels:
    """Select all pods of a ModelDeployment, whatever their role and version."""
    return {LABEL_MODELDEPLOYMENT: name}


def build_role_selector(name: str) -> Labels:
    """Select the pods of its stable Deployment."""
    return {LABEL_MODELDEPLOYMENT: name, LABEL_ROLE: ROLE_STABLE}


def build_common_labels(name: str) -> Labels:
    """Return what every child carries."""
    return {
        "app.kubernetes.io/name": APPLICATION,
        "app.kubernetes.io/instance": name,
        "app.kubernetes.io/managed-by": FIELD_MANAGER,
        LABEL_MODELDEPLOYMENT: name,
    }


def build_pod_labels(name: str, inputs: PodInputs) -> Labels:
    """Return the labels of a serving pod."""
    return {
        **build_common_labels(name),
        **build_role_selector(name),
        LABEL_MODEL_VERSION: str(inputs.served.version),
        LABEL_INPUTS: inputs.fingerprint,
    }


def build_child(kind: Kind, observed: Observed, annotations: Labels | None = None) -> Manifest:
    """Return the head of a child: type, name, labels, owner."""
    metadata: Manifest = {
        "name": observed.key.name,
        "namespace": observed.key.namespace,
        "labels": build_common_labels(observed.key.name),
        "ownerReferences": [observed.owner_reference],
    }
    if annotations:
        metadata["annotations"] = dict(annotations)
    return {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata}
