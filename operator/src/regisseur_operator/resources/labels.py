"""Labels, selectors, annotations and the metadata that all children share.

Selectors are fixed for good: a Deployment's cannot be changed. The name of a model is any Unicode
and never becomes a label or a name.
"""

from collections.abc import Mapping
from typing import Final

from regisseur_contract.names import (
    ANNOTATION_RESTART,
    API_GROUP,
    CONTAINER_CONVERT,
    FIELD_MANAGER,
    LABEL_MODEL_VERSION,
    LABEL_MODELDEPLOYMENT,
    LABEL_REHEARSAL,
    LABEL_ROLE,
    ROLE_STABLE,
)
from regisseur_operator.api.rules import COMMON_PREFIX, OWN_PREFIX, SECURITY_PREFIXES
from regisseur_operator.api.status import Lineage
from regisseur_operator.core.identity import Kind, Manifest
from regisseur_operator.core.observed import Observed
from regisseur_operator.core.pods import LABEL_INPUTS
from regisseur_operator.core.roll import PodInputs

Labels = dict[str, str]

SERVER: Final = "model-server"
REHEARSAL: Final = "model-rehearsal"

ANNOTATION_MODEL_NAME: Final = f"{API_GROUP}/model-name"
ANNOTATION_RUN_ID: Final = f"{API_GROUP}/run-id"
ANNOTATION_SOURCE: Final = f"{API_GROUP}/source"
ANNOTATION_GIT_SHA: Final = f"{API_GROUP}/git-sha"
ANNOTATION_DATA_VERSION: Final = f"{API_GROUP}/data-version"
ANNOTATION_DIGEST: Final = f"{API_GROUP}/digest"
ANNOTATION_SKIPPED_CONTAINERS: Final = "eks.amazonaws.com/skip-containers"
"""Containers that get no credentials of the service account's role from Amazon's webhook."""

OWN_LABELS: Final = (OWN_PREFIX, COMMON_PREFIX)
OWN_ANNOTATIONS: Final = (OWN_PREFIX, *SECURITY_PREFIXES)
"""What a pod template may not say: the API server refuses it, and here it has no effect."""


def build_selector(name: str) -> Labels:
    """Select all pods of a ModelDeployment, whatever their role and version."""
    return {LABEL_MODELDEPLOYMENT: name}


def build_role_selector(name: str) -> Labels:
    """Select the pods of its stable Deployment."""
    return {LABEL_MODELDEPLOYMENT: name, LABEL_ROLE: ROLE_STABLE}


def build_common_labels(name: str) -> Labels:
    """Return what every child carries."""
    return {**_build_application_labels(name, SERVER), LABEL_MODELDEPLOYMENT: name}


def build_pod_labels(name: str, inputs: PodInputs) -> Labels:
    """Return the labels of a serving pod."""
    return {
        **_keep(inputs.pod_template.get("labels"), OWN_LABELS),
        **build_common_labels(name),
        **build_role_selector(name),
        LABEL_MODEL_VERSION: str(inputs.served.version),
        LABEL_INPUTS: inputs.fingerprint,
    }


def build_rehearsal_labels(name: str, inputs: PodInputs) -> Labels:
    """Return the labels of a pod that rehearses: no selector of ours matches them."""
    return {
        **_keep(inputs.pod_template.get("labels"), OWN_LABELS),
        **_build_application_labels(name, REHEARSAL),
        LABEL_REHEARSAL: name,
        LABEL_MODEL_VERSION: str(inputs.served.version),
    }


def build_pod_annotations(inputs: PodInputs, lineage: Lineage, main_container: str) -> Labels:
    """Return what a pod tells people of its version, and Amazon's webhook of its containers."""
    served = inputs.served
    skipped = f"{CONTAINER_CONVERT},{main_container}" if inputs.engine else main_container
    optional = {
        ANNOTATION_GIT_SHA: lineage.git_sha,
        ANNOTATION_DATA_VERSION: lineage.data_version,
        ANNOTATION_DIGEST: inputs.digest,
        ANNOTATION_RESTART: inputs.restart,
    }
    return {
        **_keep(inputs.pod_template.get("annotations"), OWN_ANNOTATIONS),
        ANNOTATION_MODEL_NAME: served.model,
        ANNOTATION_RUN_ID: served.run_id,
        ANNOTATION_SOURCE: served.source,
        # The namespace's default ServiceAccount may have a role as well.
        ANNOTATION_SKIPPED_CONTAINERS: skipped,
        **{key: value for key, value in optional.items() if value},
    }


def build_child(
    kind: Kind, observed: Observed, annotations: Labels | None = None, *, name: str = ""
) -> Manifest:
    """Return the head of a child: type, name, labels, owner; its name is the owner's or another."""
    labels = build_common_labels(observed.key.name)
    return build_head(kind, observed, name or observed.key.name, labels, annotations)


def build_head(
    kind: Kind, observed: Observed, name: str, labels: Labels, annotations: Labels | None = None
) -> Manifest:
    """Return type, name and owner of an object, with the labels and annotations given."""
    metadata: Manifest = {
        "name": name,
        "namespace": observed.key.namespace,
        "labels": labels,
        "ownerReferences": [observed.owner_reference],
    }
    if annotations:
        metadata["annotations"] = dict(annotations)
    return {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata}


def _build_application_labels(name: str, application: str) -> Labels:
    return {
        "app.kubernetes.io/name": application,
        "app.kubernetes.io/instance": name,
        "app.kubernetes.io/managed-by": FIELD_MANAGER,
    }


def _keep(given: Mapping[str, str] | None, reserved: tuple[str, ...]) -> Labels:
    return {key: value for key, value in (given or {}).items() if not key.startswith(reserved)}
