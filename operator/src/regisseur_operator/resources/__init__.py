"""Manifests of the children, built by pure functions.

One module a kind. A manifest is complete: it says everything that is ours to say, as server-side
apply takes away what is no longer said.
"""

from typing import Final, NamedTuple

from regisseur_contract.names import (
    API_GROUP_VERSION,
    KIND,
    LABEL_MODELDEPLOYMENT,
    LABEL_REHEARSAL,
    PLURAL,
)
from regisseur_operator.core.identity import Kind

MODELDEPLOYMENT: Final = Kind(f"apis/{API_GROUP_VERSION}", PLURAL, KIND)
DEPLOYMENT: Final = Kind("apis/apps/v1", "deployments", "Deployment")
SERVICE: Final = Kind("api/v1", "services", "Service")
POD_DISRUPTION_BUDGET: Final = Kind("apis/policy/v1", "poddisruptionbudgets", "PodDisruptionBudget")
AUTOSCALER: Final = Kind(
    "apis/autoscaling/v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler"
)
CONTROLLER_REVISION: Final = Kind("apis/apps/v1", "controllerrevisions", "ControllerRevision")
REPLICA_SET: Final = Kind("apis/apps/v1", "replicasets", "ReplicaSet")
POD: Final = Kind("api/v1", "pods", "Pod")

OWNED_KINDS: Final = (
    POD_DISRUPTION_BUDGET,
    SERVICE,
    CONTROLLER_REVISION,
    AUTOSCALER,
    DEPLOYMENT,
)
"""What the operator writes besides rehearsal pods; the order of writing is that of the plan."""

FIXED_KINDS: Final = (CONTROLLER_REVISION, POD)
"""What the operator creates and never changes."""

CHILD_KINDS: Final = (*OWNED_KINDS, REPLICA_SET, POD)
"""What carries the label of its ModelDeployment."""


class Watched(NamedTuple):
    """One kind of objects with one label, whose value names the ModelDeployment they belong to."""

    kind: Kind
    label: str


REHEARSAL_PODS: Final = Watched(POD, LABEL_REHEARSAL)
"""Apart from the serving pods, which nothing may take them for."""

WATCHED: Final = (*(Watched(kind, LABEL_MODELDEPLOYMENT) for kind in CHILD_KINDS), REHEARSAL_PODS)
"""What is watched; each of them has a cache of its own."""
