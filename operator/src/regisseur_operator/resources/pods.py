"""The template of a serving pod: one container fetches the model, one serves it.

It passes Pod Security `restricted`. Its probes and its end follow what was measured to lose no
request: readiness every second, so that an ending server is out of the Service at once, and no
preStop hook, as the server itself drains on SIGTERM.
"""

from typing import Final

from regisseur_contract.http import PORT, PORT_NAME, ROUTE_LIVE, ROUTE_READY
from regisseur_contract.names import API_GROUP, CONTAINER_FETCH, CONTAINER_SERVER
from regisseur_contract.runtime import (
    DRAIN_SECONDS,
    ENV_ARTIFACT_URI,
    ENV_DRAIN_SECONDS,
    ENV_MODEL_DIR,
    ENV_MODEL_NAME,
    ENV_MODEL_VERSION,
    ENV_REGISTRY_URL,
    ENV_RUN_ID,
    MODEL_DIR,
    MODEL_MOUNT,
    SUBCOMMAND_FETCH,
    SUBCOMMAND_SERVE,
    TERMINATION_GRACE_SECONDS,
)
from regisseur_operator.core.identity import Manifest
from regisseur_operator.core.roll import PodInputs
from regisseur_operator.resources.labels import build_pod_labels, build_selector

USER_ID: Final = 10001
MODEL_VOLUME: Final = "model"
SCRATCH_VOLUME: Final = "tmp"
MODEL_SIZE_LIMIT: Final = "2Gi"
SCRATCH_SIZE_LIMIT: Final = "256Mi"

FETCH_RESOURCES: Final[Manifest] = {
    "requests": {"cpu": "50m", "memory": "64Mi"},
    "limits": {"memory": "256Mi"},
}
"""The downloader streams, so that this holds for models of any size."""


def build_pod_template(name: str, inputs: PodInputs) -> Manifest:
    """Return the template of the pods that serve one version."""
    served = inputs.served
    return {
        "metadata": {
            "labels": build_pod_labels(name, inputs),
            "annotations": {
                f"{API_GROUP}/model-name": served.model,
                f"{API_GROUP}/run-id": served.run_id,
                f"{API_GROUP}/source": served.source,
            },
        },
        "spec": {
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": TERMINATION_GRACE_SECONDS,
            "securityContext": _build_pod_security(),
            "topologySpreadConstraints": _build_spread(name),
            "initContainers": [_build_fetch(inputs)],
            "containers": [_build_server(inputs)],
            "volumes": [
                {"name": MODEL_VOLUME, "emptyDir": {"sizeLimit": MODEL_SIZE_LIMIT}},
                {"name": SCRATCH_VOLUME, "emptyDir": {"sizeLimit": SCRATCH_SIZE_LIMIT}},
            ],
        },
    }


def _build_fetch(inputs: PodInputs) -> Manifest:
    environment = {
        ENV_ARTIFACT_URI: inputs.served.source,
        ENV_REGISTRY_URL: inputs.registry_url,
        ENV_MODEL_DIR: MODEL_DIR,
    }
    return {
        **_build_container(CONTAINER_FETCH, inputs.image, SUBCOMMAND_FETCH, environment),
        "volumeMounts": [_mount(MODEL_VOLUME, MODEL_MOUNT), _mount(SCRATCH_VOLUME, "/tmp")],  # noqa: S108  # a volume of its own
        "resources": FETCH_RESOURCES,
    }


def _build_server(inputs: PodInputs) -> Manifest:
    environment = {
        ENV_MODEL_NAME: inputs.served.model,
        ENV_MODEL_VERSION: str(inputs.served.version),
        ENV_RUN_ID: inputs.served.run_id,
        ENV_MODEL_DIR: MODEL_DIR,
        ENV_DRAIN_SECONDS: str(DRAIN_SECONDS),
    }
    model = {**_mount(MODEL_VOLUME, MODEL_MOUNT), "readOnly": True}
    return {
        **_build_container(CONTAINER_SERVER, inputs.image, SUBCOMMAND_SERVE, environment),
        "volumeMounts": [model, _mount(SCRATCH_VOLUME, "/tmp")],  # noqa: S108  # a volume of its own
        "ports": [{"name": PORT_NAME, "containerPort": PORT, "protocol": "TCP"}],
        "resources": _build_resources(inputs),
        "readinessProbe": _build_probe(ROUTE_READY, period=1, timeout=1, failures=3),
        # Generous, as a server that loads a big model may be slow to answer: one that hangs is
        # already out of the Service by its readiness, this only starts it again.
        "livenessProbe": _build_probe(ROUTE_LIVE, period=10, timeout=5, failures=6),
    }


def _build_container(name: str, image: str, command: str, environment: dict[str, str]) -> Manifest:
    return {
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "args": [command],
        "env": [{"name": key, "value": value} for key, value in environment.items() if value],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }


def _build_resources(inputs: PodInputs) -> Manifest:
    amounts = {"requests": dict(inputs.requests), "limits": dict(inputs.limits)}
    return {name: given for name, given in amounts.items() if given}


def _build_probe(route: str, *, period: int, timeout: int, failures: int) -> Manifest:
    return {
        "httpGet": {"path": route, "port": PORT_NAME},
        "periodSeconds": period,
        "timeoutSeconds": timeout,
        "failureThreshold": failures,
    }


def _build_pod_security() -> Manifest:
    return {
        "runAsNonRoot": True,
        "runAsUser": USER_ID,
        "runAsGroup": USER_ID,
        "fsGroup": USER_ID,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def _build_spread(name: str) -> list[Manifest]:
    return [
        {
            "maxSkew": 1,
            "topologyKey": key,
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": build_selector(name)},
        }
        for key in ("kubernetes.io/hostname", "topology.kubernetes.io/zone")
    ]


def _mount(volume: str, path: str) -> Manifest:
    return {"name": volume, "mountPath": path}
