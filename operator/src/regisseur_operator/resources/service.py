"""The Service in front of the pods: one name and one address, whatever version is served."""

from regisseur_contract.http import PORT_NAME
from regisseur_operator.core.identity import Manifest
from regisseur_operator.core.observed import Observed
from regisseur_operator.resources import SERVICE
from regisseur_operator.resources.labels import build_child, build_selector


def build_service(observed: Observed) -> Manifest:
    """Return the Service."""
    service = observed.spec.service
    port = {
        "name": PORT_NAME,
        "port": service.port,
        "targetPort": PORT_NAME,
        "protocol": "TCP",
    }
    return {
        **build_child(SERVICE, observed, service.annotations),
        "spec": {
            "type": service.type,
            "selector": build_selector(observed.key.name),
            "ports": [port],
        },
    }
