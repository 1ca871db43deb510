"""The PodDisruptionBudget: evictions take one pod at a time, and never wait for a broken one."""

from regisseur_operator.core.identity import Manifest
from regisseur_operator.core.observed import Observed
from regisseur_operator.resources import POD_DISRUPTION_BUDGET
from regisseur_operator.resources.labels import build_child, build_selector


def build_disruption_budget(observed: Observed) -> Manifest:
    """Return the PodDisruptionBudget."""
    return {
        **build_child(POD_DISRUPTION_BUDGET, observed),
        "spec": {
            "maxUnavailable": 1,
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
            "selector": {"matchLabels": build_selector(observed.key.name)},
        },
    }
