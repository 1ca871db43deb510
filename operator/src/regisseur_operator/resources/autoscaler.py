"""The HorizontalPodAutoscaler: it scales the ModelDeployment, which the operator then follows.

It does not scale the Deployment itself: whoever owns that number has to split it once there are
pods of two versions.
"""

from regisseur_contract.names import API_GROUP_VERSION, KIND
from regisseur_operator.api.v1alpha1 import Autoscaling
from regisseur_operator.core.autoscaling import autoscaler_floor
from regisseur_operator.core.identity import Manifest
from regisseur_operator.core.observed import Observed
from regisseur_operator.resources import AUTOSCALER
from regisseur_operator.resources.labels import build_child


def build_autoscaler(observed: Observed, bounds: Autoscaling) -> Manifest:
    """Return the HorizontalPodAutoscaler for what the spec says of autoscaling."""
    live = observed.deployment.wanted if observed.deployment is not None else None
    target = {"type": "Utilization", "averageUtilization": bounds.target_cpu_utilization_percentage}
    return {
        **build_child(AUTOSCALER, observed),
        "spec": {
            "scaleTargetRef": {
                "apiVersion": API_GROUP_VERSION,
                "kind": KIND,
                "name": observed.key.name,
            },
            "minReplicas": autoscaler_floor(bounds, observed.autoscaler, live),
            "maxReplicas": bounds.max_replicas,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
        },
    }
