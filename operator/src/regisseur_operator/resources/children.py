"""All children of a ModelDeployment together."""

from collections.abc import Sequence

from regisseur_operator.core.observed import Observed
from regisseur_operator.core.planner import Desired
from regisseur_operator.core.roll import Roll
from regisseur_operator.core.rollout import tell_roll
from regisseur_operator.resources import DEPLOYMENT, POD_DISRUPTION_BUDGET, SERVICE
from regisseur_operator.resources.deployment import build_deployment
from regisseur_operator.resources.disruption import build_disruption_budget
from regisseur_operator.resources.service import build_service


def build_children(observed: Observed, roll: Roll | None) -> Sequence[Desired]:
    """Return what is to exist, in the order of writing; nothing while there is nothing to run.

    The Deployment is last: when its pods come up, they are already reachable and protected.
    """
    if roll is None:
        return ()
    return (
        Desired(POD_DISRUPTION_BUDGET, build_disruption_budget(observed)),
        Desired(SERVICE, build_service(observed)),
        Desired(DEPLOYMENT, build_deployment(observed, roll), tell_roll(observed, roll)),
    )
