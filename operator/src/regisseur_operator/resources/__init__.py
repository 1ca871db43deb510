"""Manifests of the children, built by pure functions.

One module a kind. A manifest is complete: it says everything that is ours to say, as server-side
apply takes away what is no longer said.
"""

from typing import Final

from regisseur_contract.names import API_GROUP_VERSION, KIND, PLURAL
from regisseur_operator.core.identity import Kind

MODELDEPLOYMENT: Final = Kind(f"apis/{API_GROUP_VERSION}", PLURAL, KIND)
DEPLOYMENT: Final = Kind("apis/apps/v1", "deployments", "Deployment")
SERVICE: Final = Kind("api/v1", "services", "Service")
POD_DISRUPTION_BUDGET: Final = Kind("apis/policy/v1", "poddisruptionbudgets", "PodDisruptionBudget")
POD: Final = Kind("api/v1", "pods", "Pod")

OWNED_KINDS: Final = (POD_DISRUPTION_BUDGET, SERVICE, DEPLOYMENT)
"""What the operator writes, in the order in which it is written."""

CHILD_KINDS: Final = (*OWNED_KINDS, POD)
"""What is watched by the label of its ModelDeployment."""
