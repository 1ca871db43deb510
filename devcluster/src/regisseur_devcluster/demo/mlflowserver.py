"""The MLflow server of the demo: a pod in the cluster, its data on a volume that outlives it."""

import json
import urllib.parse
import urllib.request
from string import Template
from typing import Any, Final

from regisseur_contract.tags import STAGE_PRODUCTION
from regisseur_devcluster.demo.kubectl import Kubectl
from regisseur_devcluster.errors import DevclusterError
from regisseur_devcluster.settings import REPOSITORY

MANIFEST: Final = REPOSITORY / "devcluster" / "manifests" / "mlflow.yaml"

NAMESPACE: Final = "mlops"

INSIDE_URL: Final = "http://mlflow.mlops.svc:5000"
"""Where pods find the server."""

OUTSIDE_URL: Final = "http://127.0.0.1:30500"
"""Where this machine finds the server of the devcluster."""

ANSWER_SECONDS: Final = 30.0

_OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""No proxy leads to the server, whatever the environment says."""


def apply_mlflow(kubectl: Kubectl, image: str) -> None:
    """Put the server on the cluster, or bring it up to date."""
    kubectl.apply(Template(MANIFEST.read_text()).safe_substitute(image=image))


def wait_for_mlflow(kubectl: Kubectl, *, timeout_seconds: int = 300) -> None:
    """Wait until the server answers."""
    kubectl(
        *("rollout", "status", "-n", NAMESPACE, "deployment/mlflow"),
        f"--timeout={timeout_seconds}s",
        timeout_seconds=timeout_seconds + 30,
    )


def production_version(url: str, model: str) -> str | None:
    """Return the version of a registered model that is in Production, or None."""
    versions = _versions(url, model)
    return _highest([v for v in versions if v["current_stage"] == STAGE_PRODUCTION])


def promoted_at(url: str, model: str, version: str) -> float:
    """Return when a version was changed last, in seconds since the epoch.

    Right after a promotion that is when it happened: the command that asked for it ends later.
    """
    found = next(v for v in _versions(url, model) if v["version"] == version)
    return float(found["last_updated_timestamp"]) / 1000


def _versions(url: str, model: str) -> list[dict[str, Any]]:
    query = urllib.parse.urlencode({"filter": f"name='{model}'"})
    address = f"{url}/api/2.0/mlflow/model-versions/search?{query}"
    try:
        with _OPENER.open(address, timeout=ANSWER_SECONDS) as answer:
            found: list[dict[str, Any]] = json.load(answer).get("model_versions", [])
    except (OSError, ValueError) as error:
        raise DevclusterError(f"MLflow at {url} does not answer: {error}") from error
    return found


def _highest(versions: list[dict[str, Any]]) -> str | None:
    return max((v["version"] for v in versions), key=int, default=None)
