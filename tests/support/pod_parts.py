"""What tests make pods from, and how they look into them."""

from datetime import UTC, datetime
from typing import Any

from regisseur_operator.api.podtemplate import PodTemplate
from regisseur_operator.api.status import ModelDeploymentStatus
from regisseur_operator.api.v1alpha1 import ModelDeploymentSpec
from regisseur_operator.core.identity import Key
from regisseur_operator.core.observed import Configuration, Observed
from regisseur_operator.core.roll import PodInputs, Served

Json = dict[str, Any]

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
UNICODE_NAME = "Wein Qualität 🍷 " + "x" * 230
SERVED = Served("default", UNICODE_NAME, 3, "run-3", "m-3", "mlflow-artifacts:/1/models/m-3")
DIGEST = "sha256:" + "0" * 64

ENV: tuple[Json, ...] = (
    {"name": "LOG_LEVEL", "value": "debug"},
    {"name": "EMPTY", "value": ""},
    {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "tokens", "key": "wine"}}},
)
POD_TEMPLATE: Json = {
    "labels": {"team": "ml"},
    "annotations": {"prometheus.io/scrape": "true"},
    "nodeSelector": {"pool": "models", "node-role.kubernetes.io/gpu": ""},
    "tolerations": [{"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}],
    "affinity": {
        "podAntiAffinity": {
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": 1, "podAffinityTerm": {"topologyKey": "kubernetes.io/hostname"}}
            ]
        }
    },
    "topologySpreadConstraints": [
        {"maxSkew": 2, "topologyKey": "rack", "whenUnsatisfiable": "DoNotSchedule"}
    ],
    "priorityClassName": "important",
}


def build_inputs(**given: Any) -> PodInputs:
    """Return inputs as a spec without anything special gives them, but for what is given."""
    usual: Json = {
        "served": SERVED,
        "image": "serving:v1",
        "is_default_image": True,
        "registry_url": "http://mlflow:5000",
    }
    return PodInputs(**{**usual, **given})


def build_observed(*, namespace: str = "ml", uid: str = "uid-1", **spec: Any) -> Observed:
    """Return a ModelDeployment called wine that has nothing yet; `spec` adds to the usual."""
    usual = {"model": {"name": "wine", "stage": "Production"}}
    return Observed(
        key=Key(namespace, "wine"),
        uid=uid,
        generation=1,
        spec=ModelDeploymentSpec.model_validate({**usual, **spec}),
        status=ModelDeploymentStatus(),
        children=(),
        deployment=None,
        pods=(),
        answer=None,
        configuration=Configuration("serving:v1", {}),
        now=NOW,
    )


def build_everything() -> PodInputs:
    """Return inputs that have all there is."""
    return build_inputs(
        env=ENV,
        pull_secrets=("registry", "mirror"),
        service_account="wine-reader",
        credentials_secret="mlflow-credentials",
        ca_config_map="authorities",
        workspace="cellar",
        pod_template=to_pod_template(POD_TEMPLATE),
        requests={"cpu": "500m"},
        limits={"memory": "1Gi"},
        digest=DIGEST,
        restart="2",
    )


def to_pod_template(given: Json) -> Json:
    """Write a pod template as the inputs have it."""
    return PodTemplate.model_validate(given).to_manifest()


def containers(pod: Json) -> dict[str, Json]:
    """Return the containers of a pod or a template by name, in the order in which they run."""
    spec = pod["spec"]
    return {entry["name"]: entry for entry in (*spec["initContainers"], *spec["containers"])}


def environment(container: Json) -> dict[str, str]:
    """Return the variables whose values are written down."""
    return {entry["name"]: entry["value"] for entry in container["env"] if "value" in entry}
