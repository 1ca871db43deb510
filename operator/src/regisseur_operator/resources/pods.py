"""The template of a serving pod: one container fetches the model, one serves it.

It passes Pod Security `restricted`. Its probes and its end follow what was measured to lose no
request: readiness every second, so that an ending server is out of the Service at once, and no
preStop hook, as the server itself drains on SIGTERM.
"""

from typing import Final

from regisseur_contract.names import CONTAINER_SERVER
from regisseur_contract.runtime import CA_KEY, TERMINATION_GRACE_SECONDS
from regisseur_operator.api.status import Lineage
from regisseur_operator.core.identity import Manifest
from regisseur_operator.core.roll import PodInputs
from regisseur_operator.resources.containers import (
    CA_VOLUME,
    MODEL_VOLUME,
    MODEL_VOLUME_LIMIT,
    SCRATCH_VOLUME,
    build_convert,
    build_fetch,
    build_server,
    expect_digest,
)
from regisseur_operator.resources.labels import build_pod_annotations, build_pod_labels
from regisseur_operator.resources.scheduling import build_scheduling

USER_ID: Final = 10001
SCRATCH_SIZE_LIMIT: Final = "256Mi"


def build_pod_template(name: str, inputs: PodInputs, lineage: Lineage) -> Manifest:
    """Return the template of the pods that serve one version.

    What a spec leaves out leaves no trace in it.
    """
    fetch = build_fetch(inputs, expect_digest(inputs.digest))
    return {
        "metadata": {
            "labels": build_pod_labels(name, inputs),
            "annotations": build_pod_annotations(inputs, lineage, CONTAINER_SERVER),
        },
        "spec": {
            **build_pod_spec(name, inputs, fetch, build_server(inputs)),
            "terminationGracePeriodSeconds": TERMINATION_GRACE_SECONDS,
        },
    }


def build_pod_spec(name: str, inputs: PodInputs, fetch: Manifest, main: Manifest) -> Manifest:
    """Return what all pods of a ModelDeployment have in common, around two containers.

    Args:
        name: Of the ModelDeployment.
        inputs: What the pod is made from.
        fetch: The container that brings the model, first.
        main: The container that works with it.
    """
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": _build_pod_security(),
        **build_scheduling(name, inputs),
        "initContainers": [fetch, build_convert(inputs)] if inputs.engine else [fetch],
        "containers": [main],
        "volumes": _build_volumes(inputs),
    }


def _build_volumes(inputs: PodInputs) -> list[Manifest]:
    volumes: list[Manifest] = [
        {"name": MODEL_VOLUME, "emptyDir": {"sizeLimit": MODEL_VOLUME_LIMIT}},
        {"name": SCRATCH_VOLUME, "emptyDir": {"sizeLimit": SCRATCH_SIZE_LIMIT}},
    ]
    if inputs.ca_config_map:
        keys = [{"key": CA_KEY, "path": CA_KEY}]
        authorities = {"name": inputs.ca_config_map, "items": keys}
        volumes.append({"name": CA_VOLUME, "configMap": authorities})
    return volumes


def _build_pod_security() -> Manifest:
    return {
        "runAsNonRoot": True,
        "runAsUser": USER_ID,
        "runAsGroup": USER_ID,
        "fsGroup": USER_ID,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
