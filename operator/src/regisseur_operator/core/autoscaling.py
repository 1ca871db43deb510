"""How many pods there are to be while a HorizontalPodAutoscaler may have a say.

The autoscaler writes `spec.replicas` through the scale subresource, and so do people and the API
server, which fills in 1 wherever an apply leaves it out. So the number alone says little at two
moments: before the autoscaler has looked at the load, and right after somebody else has written
it. At both the pods that run are kept. The autoscaler is no help there by itself: it raises what
is below its minReplicas without a look at the load, and where the load is as wanted it asks for
the number that it finds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from regisseur_operator.api.v1alpha1 import Autoscaling, ModelDeploymentSpec
from regisseur_operator.core.identity import Manifest


@dataclass(frozen=True)
class AutoscalerFacts:
    """What a HorizontalPodAutoscaler says.

    Attributes:
        min_replicas: The floor that it was given last.
        is_informed: Whether it has looked at the load and can act on it.
        asked: The number that it asks for, as of its last look.
        inactive: Why it does not scale, in its own words; empty when it does, or has not said.
    """

    min_replicas: int
    is_informed: bool
    asked: int
    inactive: str = ""


def observe_autoscaler(manifest: Manifest) -> AutoscalerFacts:
    """Read a HorizontalPodAutoscaler."""
    status = manifest.get("status") or {}
    conditions = {entry["type"]: entry for entry in status.get("conditions") or ()}
    active = conditions.get("ScalingActive", {})
    # A metric that could not be read has an entry all the same, without contents.
    has_metrics = any(metric.get("type") for metric in status.get("currentMetrics") or ())
    return AutoscalerFacts(
        min_replicas=(manifest.get("spec") or {}).get("minReplicas", 1),
        is_informed=active.get("status") == "True" and has_metrics,
        asked=status.get("desiredReplicas", 0),
        inactive=_why_inactive(conditions.get("AbleToScale", {}), active),
    )


def wanted_replicas(
    spec: ModelDeploymentSpec, autoscaler: AutoscalerFacts | None, live: int | None
) -> int:
    """Return how many pods the Deployment is to have.

    Args:
        spec: Its `replicas` is what a person or the autoscaler wrote last.
        autoscaler: None while there is none.
        live: How many the Deployment has been told to have, None where there is no Deployment.
    """
    bounds = spec.autoscaling
    # As for every autoscaled object, 0 can only be a person's word: no pods, and no autoscaling.
    if bounds is None or spec.replicas == 0:
        return spec.replicas
    return _clamp(max(spec.replicas, _kept(autoscaler, live)), bounds)


def autoscaler_floor(
    bounds: Autoscaling, autoscaler: AutoscalerFacts | None, live: int | None
) -> int:
    """Return the minReplicas of the autoscaler.

    Until it has looked at the load it is the live number: if `spec.replicas` is below, the
    autoscaler raises it to that at once, and from then on the two agree.
    """
    if autoscaler is not None and autoscaler.is_informed:
        return bounds.min_replicas
    return _clamp(live or 0, bounds)


def _kept(autoscaler: AutoscalerFacts | None, live: int | None) -> int:
    """Return how many of the pods that run stay, whatever `spec.replicas` says."""
    if live is None:
        return 0
    if autoscaler is None or not autoscaler.is_informed:
        return live
    # It writes the number first and tells of it a moment later; a number that stays below what it
    # tells of is somebody else's, and at its next look the autoscaler will write its own again.
    return min(live, autoscaler.asked)


def _clamp(number: int, bounds: Autoscaling) -> int:
    return min(max(number, bounds.min_replicas), bounds.max_replicas)


def _why_inactive(*conditions: Mapping[str, Any]) -> str:
    told = (entry.get("message", "") for entry in conditions if entry.get("status") == "False")
    return next((str(message) for message in told if message), "")
