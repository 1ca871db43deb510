"""The containers of a pod: one fetches the model, one serves or rehearses it.

Only the first is told where the model's files are and sees credentials for them. Only the last
gets the environment that people write, and it can neither change what is ours nor see a secret
that they did not name. For engine ONNX one in between converts the model: it loads it, which the
one with the credentials must not, and needs more memory for that than either.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from regisseur_contract.http import (
    ADMIN_PORT,
    ADMIN_PORT_NAME,
    PORT,
    PORT_NAME,
    ROUTE_LIVE,
    ROUTE_READY,
)
from regisseur_contract.names import CONTAINER_CONVERT, CONTAINER_FETCH, CONTAINER_SERVER
from regisseur_contract.runtime import (
    CA_KEY,
    CA_MOUNT,
    DRAIN_SECONDS,
    ENV_ARTIFACT_URI,
    ENV_BATCH_MAX_ROWS,
    ENV_CA_FILE,
    ENV_CONVERT_TIMEOUT_SECONDS,
    ENV_DRAIN_SECONDS,
    ENV_ENGINE,
    ENV_EXPECTED_DIGEST,
    ENV_EXPLAIN,
    ENV_EXPLAIN_BUDGET_SECONDS,
    ENV_MODEL_DIR,
    ENV_MODEL_ID,
    ENV_MODEL_NAME,
    ENV_MODEL_SIZE_LIMIT_BYTES,
    ENV_MODEL_VERSION,
    ENV_PREFIX,
    ENV_REGISTRY_URL,
    ENV_REGISTRY_WORKSPACE,
    ENV_RUN_ID,
    ENV_TRUST_PICKLE,
    MODEL_DIR,
    MODEL_MOUNT,
    SUBCOMMAND_CONVERT,
    SUBCOMMAND_FETCH,
    SUBCOMMAND_SERVE,
)
from regisseur_operator.core.identity import Manifest
from regisseur_operator.core.roll import PodInputs

MODEL_VOLUME: Final = "model"
MODEL_VOLUME_LIMIT: Final = "2Gi"
LARGEST_MODEL_BYTES: Final = (2 << 30) - (128 << 20)
"""The rest is for what the volume holds besides: the last block of each file, the folders, what
fetch remembers, the MLmodel of the served version."""

CA_VOLUME: Final = "ca"

SCRATCH_VOLUME: Final = "tmp"
SCRATCH_MOUNT: Final = "/tmp"  # noqa: S108  # a volume of its own

FETCH_RESOURCES: Final[Manifest] = {
    "requests": {"cpu": "50m", "memory": "64Mi"},
    "limits": {"memory": "256Mi"},
}
"""The downloader streams, so that this holds for models of any size."""

CONVERT_RESOURCES: Final[Manifest] = {
    "requests": {"cpu": "100m", "memory": "256Mi"},
    "limits": {"memory": "2Gi"},
}
"""A conversion that wants more is given up before the kubelet ends it (`CONVERT_MEMORY_BYTES`)."""

Environment = Mapping[str, str]


def build_fetch(inputs: PodInputs, environment: Environment) -> Manifest:
    """Return the container that downloads the model; the one with credentials.

    Args:
        inputs: What the pod is made from.
        environment: What it is told beside where the files are.
    """
    told = {
        ENV_ARTIFACT_URI: inputs.served.source,
        ENV_REGISTRY_URL: inputs.registry_url,
        ENV_REGISTRY_WORKSPACE: inputs.workspace,
        ENV_CA_FILE: f"{CA_MOUNT}/{CA_KEY}" if inputs.ca_config_map else "",
        # By these it knows a model that is in the image as the version's own.
        ENV_MODEL_ID: inputs.served.model_id,
        ENV_RUN_ID: inputs.served.run_id,
        ENV_MODEL_DIR: MODEL_DIR,
        ENV_MODEL_SIZE_LIMIT_BYTES: str(LARGEST_MODEL_BYTES),
        **environment,
    }
    container: Manifest = {
        **_build_container(CONTAINER_FETCH, inputs.image, SUBCOMMAND_FETCH, told),
        "volumeMounts": [_mount(MODEL_VOLUME, MODEL_MOUNT), _mount(SCRATCH_VOLUME, SCRATCH_MOUNT)],
        "resources": FETCH_RESOURCES,
    }
    if inputs.ca_config_map:
        container["volumeMounts"].append({**_mount(CA_VOLUME, CA_MOUNT), "readOnly": True})
    if inputs.credentials_secret:
        container["envFrom"] = [{"secretRef": {"name": inputs.credentials_secret}}]
    return container


def build_convert(inputs: PodInputs) -> Manifest:
    """Return the container that converts the model for the engine that was asked for."""
    told = {
        ENV_MODEL_DIR: MODEL_DIR,
        ENV_CONVERT_TIMEOUT_SECONDS: str(inputs.convert_seconds or ""),
    }
    return {
        **_build_container(CONTAINER_CONVERT, inputs.image, SUBCOMMAND_CONVERT, told),
        "volumeMounts": [_mount(MODEL_VOLUME, MODEL_MOUNT), _mount(SCRATCH_VOLUME, SCRATCH_MOUNT)],
        "resources": CONVERT_RESOURCES,
    }


def build_server(inputs: PodInputs) -> Manifest:
    """Return the container that serves the model."""
    return {
        **build_main(inputs, CONTAINER_SERVER, SUBCOMMAND_SERVE, {}),
        "ports": [_build_port(PORT_NAME, PORT), _build_port(ADMIN_PORT_NAME, ADMIN_PORT)],
        "readinessProbe": _build_probe(ROUTE_READY, period=1, timeout=1, failures=3),
        # Generous, as a server that loads a big model may be slow to answer: one that hangs is
        # already out of the Service by its readiness, this only starts it again.
        "livenessProbe": _build_probe(ROUTE_LIVE, period=10, timeout=5, failures=6),
    }


def build_main(inputs: PodInputs, name: str, command: str, environment: Environment) -> Manifest:
    """Return what a server and a rehearsal have in common: image, environment, resources.

    Args:
        inputs: What the pod is made from.
        name: The container's.
        command: Of the serving image.
        environment: What it is told beside what it serves.
    """
    told = {
        ENV_MODEL_NAME: inputs.served.model,
        ENV_MODEL_VERSION: str(inputs.served.version),
        ENV_RUN_ID: inputs.served.run_id,
        ENV_MODEL_DIR: MODEL_DIR,
        ENV_DRAIN_SECONDS: str(DRAIN_SECONDS),
        ENV_ENGINE: inputs.engine,
        ENV_BATCH_MAX_ROWS: str(inputs.batch_max_rows or ""),
        **_allow_explanations(inputs.explain_budget_seconds),
        ENV_TRUST_PICKLE: "true" if inputs.trusts_pickle else "",
        **environment,
    }
    container = _build_container(name, inputs.image, command, told)
    model = {**_mount(MODEL_VOLUME, MODEL_MOUNT), "readOnly": True}
    return {
        **container,
        "env": [*container["env"], *_keep_own(inputs.env)],
        "volumeMounts": [model, _mount(SCRATCH_VOLUME, SCRATCH_MOUNT)],
        "resources": _build_resources(inputs),
    }


def expect_digest(digest: str) -> Environment:
    """Tell a container which files it has to find; nothing where they are not known."""
    return {ENV_EXPECTED_DIGEST: digest}


def _allow_explanations(budget_seconds: float) -> Environment:
    if not budget_seconds:
        return {}
    return {ENV_EXPLAIN: "true", ENV_EXPLAIN_BUDGET_SECONDS: f"{budget_seconds:g}"}


def _keep_own(env: Iterable[Manifest]) -> list[Manifest]:
    """Return the variables that people gave: the last of two counts, so that none may be ours."""
    return [
        # An empty text is left out by the API server, and would look like an edit ever after.
        {key: value for key, value in entry.items() if value != ""}
        for entry in env
        if not str(entry.get("name", "")).startswith(ENV_PREFIX)
    ]


def _escape(value: str) -> str:
    """Keep Kubernetes from reading `$(NAME)` and `$$` in the name of a model."""
    return value.replace("$", "$$")


def _build_container(name: str, image: str, command: str, environment: Environment) -> Manifest:
    return {
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "args": [command],
        "env": [
            {"name": key, "value": _escape(value)} for key, value in environment.items() if value
        ],
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


def _build_port(name: str, number: int) -> Manifest:
    return {"name": name, "containerPort": number, "protocol": "TCP"}


def _build_probe(route: str, *, period: int, timeout: int, failures: int) -> Manifest:
    return {
        "httpGet": {"path": route, "port": PORT_NAME},
        "periodSeconds": period,
        "timeoutSeconds": timeout,
        "failureThreshold": failures,
    }


def _mount(volume: str, path: str) -> Manifest:
    return {"name": volume, "mountPath": path}
