"""The Deployment that runs the pods of a roll."""

from regisseur_operator.api.v1alpha1 import Strategy
from regisseur_operator.core.identity import Manifest
from regisseur_operator.core.observed import Observed
from regisseur_operator.core.roll import Roll, to_annotations
from regisseur_operator.resources import DEPLOYMENT
from regisseur_operator.resources.labels import build_child, build_role_selector
from regisseur_operator.resources.pods import build_pod_template


def build_deployment(observed: Observed, roll: Roll) -> Manifest:
    """Return the Deployment; the pod template of a roll that has one is kept word for word."""
    spec, name = observed.spec, observed.key.name
    template = roll.template or build_pod_template(name, roll.inputs, roll.lineage)
    return {
        **build_child(DEPLOYMENT, observed, to_annotations(roll, template)),
        "spec": {
            "replicas": observed.wanted_replicas,
            "selector": {"matchLabels": build_role_selector(name)},
            "strategy": _build_strategy(spec.strategy),
            "minReadySeconds": spec.min_ready_seconds,
            "progressDeadlineSeconds": spec.progress_deadline_seconds,
            "revisionHistoryLimit": spec.revision_history_limit,
            # A Deployment that somebody paused would take every promotion and roll none.
            "paused": False,
            "template": template,
        },
    }


def _build_strategy(strategy: Strategy) -> Manifest:
    update = strategy.rolling_update
    if update is None:
        return {"type": "Recreate"}
    return {
        "type": "RollingUpdate",
        "rollingUpdate": {
            "maxSurge": update.max_surge,
            "maxUnavailable": update.max_unavailable,
        },
    }
