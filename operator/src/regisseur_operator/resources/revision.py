"""The ControllerRevision that keeps a roll, so that it can be brought back word for word."""

from regisseur_operator.core.identity import Manifest
from regisseur_operator.core.observed import Observed
from regisseur_operator.core.roll import Roll, to_data
from regisseur_operator.resources import CONTROLLER_REVISION
from regisseur_operator.resources.labels import build_child


def name_revision(name: str, number: int) -> str:
    """Return the name of a ModelDeployment's revision."""
    return f"{name}-{number}"


def build_revision(observed: Observed, roll: Roll, template: Manifest) -> Manifest:
    """Return the ControllerRevision; the API server never lets its data be changed."""
    name = name_revision(observed.key.name, roll.revision)
    return {
        **build_child(CONTROLLER_REVISION, observed, name=name),
        "revision": roll.revision,
        "data": to_data(roll, template),
    }
