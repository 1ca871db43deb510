"""The names of the API: group, kind, labels and the field manager.

The labels are the ones that selectors rest on. A model version is never part of a selector:
selectors of a Deployment are immutable, versions are not.
"""

from typing import Final

API_GROUP: Final = "regisseur.dev"
API_VERSION: Final = "v1alpha1"
API_GROUP_VERSION: Final = f"{API_GROUP}/{API_VERSION}"
KIND: Final = "ModelDeployment"
PLURAL: Final = "modeldeployments"
SINGULAR: Final = "modeldeployment"
SHORT_NAME: Final = "mdep"
CATEGORY: Final = "mlops"

FIELD_MANAGER: Final = "regisseur"
"""Server-side apply field manager, event reporter and `app.kubernetes.io/managed-by`."""

LABEL_MODELDEPLOYMENT: Final = f"{API_GROUP}/modeldeployment"
"""Name of the owning ModelDeployment; every child carries it, every selector uses it."""

LABEL_ROLE: Final = f"{API_GROUP}/role"
ROLE_STABLE: Final = "stable"

LABEL_MODEL_VERSION: Final = f"{API_GROUP}/model-version"
"""Version of the registered model that a pod serves; for people and queries only."""

LABEL_REHEARSAL: Final = f"{API_GROUP}/rehearsal"
"""Name of the ModelDeployment whose version a pod rehearses. Such a pod has not the label above: no
Service, Deployment or PodDisruptionBudget may count it in."""

ANNOTATION_RETRY: Final = f"{API_GROUP}/retry"
"""A verb: another value than the one in `status.handled.retry` tries rejected versions again."""

ANNOTATION_RESTART: Final = f"{API_GROUP}/restart"
"""A verb: another value than the one in `status.handled.restart` replaces all pods."""

CONTAINER_SERVER: Final = "server"
CONTAINER_FETCH: Final = "fetch"
CONTAINER_CONVERT: Final = "convert"
CONTAINER_REHEARSE: Final = "rehearse"
