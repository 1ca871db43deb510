"""At rest nothing is written for a minute but the Lease, whatever state the resources are in."""

import time
from collections.abc import Callable

import pytest

from regisseur_contract.names import FIELD_MANAGER
from regisseur_contract.rehearsal import Word
from regisseur_contract.tags import STAGE_PRODUCTION
from regisseur_operator.ports import Cluster
from support.eventually import eventually
from support.kube_client import Json, KubeClient
from support.kubelet_double import KubeletDouble
from support.mlflow_server import MlflowServer
from support.model_versions import create_model_version, transition
from support.modeldeployments import CHILDREN, Subject
from support.pod_states import judged
from support.recording_cluster import RecordingCluster
from support.running_operator import RunningOperator

Start = Callable[..., RunningOperator]

REST_SECONDS = 60.0
WATCHED = (
    *CHILDREN,
    "controllerrevisions",
    "horizontalpodautoscalers",
    "replicasets",
    "modeldeployments",
    "pods",
    "events",
)


def _snapshot(kube: KubeClient) -> dict[str, str]:
    """Return the resourceVersion of everything that the operator could have written."""
    return {
        f"{plural}/{found['metadata']['name']}": found["metadata"]["resourceVersion"]
        for plural in WATCHED
        for found in kube.list(plural)
        # The controllers of Kubernetes tell their own news about the children.
        if found.get("reportingComponent", FIELD_MANAGER) == FIELD_MANAGER
    }


@pytest.mark.timeout(180)
def test_for_a_minute_nothing_changes(
    start_operator: Start,
    kube: KubeClient,
    kubelet: KubeletDouble,
    mlflow_server: MlflowServer,
    promoted: str,
) -> None:
    recording: list[RecordingCluster] = []

    def wrap(cluster: Cluster) -> Cluster:
        recording.append(RecordingCluster(cluster, kube.namespace))
        return recording[-1]

    foreign: Json = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "taken"},
        "spec": {"ports": [{"port": 80}]},
    }
    kube.create("services", foreign)
    healthy = Subject(kube, "healthy")
    scaled = Subject(kube, "scaled")
    rejecting = Subject(kube, "rejecting")
    missing = Subject(kube, "missing")
    suspended = Subject(kube, "suspended")
    taken = Subject(kube, "taken")
    healthy.create(promoted, replicas=2, version=1)
    scaled.create(
        promoted,
        version=1,
        autoscaling={"minReplicas": 2, "maxReplicas": 3},
        serving={"resources": {"requests": {"cpu": "100m"}}},
    )
    rejecting.create(promoted)
    missing.create(promoted, stage="Staging")
    suspended.create(promoted, suspend=True)
    taken.create(promoted, version=1)
    operator = start_operator(wrap_cluster=wrap)
    for subject in (healthy, rejecting):
        subject.wait_until_served(1)
    kubelet.rehearsing = judged(Word.LOAD_FAILED, "no module named vineyard")
    version = create_model_version(mlflow_server, promoted)
    transition(mlflow_server, promoted, version, STAGE_PRODUCTION)
    rejecting.wait_for_condition("Ready", "False", "VersionRejected")
    eventually(
        lambda: [
            entry["type"]
            for entry in kube.read("horizontalpodautoscalers", "scaled")
            .get("status", {})
            .get("conditions", [])
            if entry["type"] == "ScalingActive"
        ],
        deadline_seconds=60,
        describe="the autoscaler has looked for metrics, and found none",
    )
    missing.wait_for_condition("Resolved", "False", "ReferenceNotFound")
    eventually(lambda: suspended.status.get("phase") == "Suspended", deadline_seconds=20)
    taken.wait_for_condition("Progressing", "False", "NameConflict")
    _wait_until_quiet(kube)

    before, writes, started = _snapshot(kube), len(recording[0].written), time.monotonic()
    calls = _registry_calls(operator)
    eventually(
        lambda: time.monotonic() - started > REST_SECONDS or _snapshot(kube) != before,
        deadline_seconds=REST_SECONDS + 10,
        interval=5.0,
    )

    assert _snapshot(kube) == before
    assert recording[0].written[writes:] == []
    assert _registry_calls(operator) > calls


def _wait_until_quiet(kube: KubeClient) -> None:
    """Wait until two snapshots some seconds apart are the same: controllers have settled."""
    seen: list[dict[str, str]] = []

    def is_quiet() -> bool:
        seen.append(_snapshot(kube))
        return len(seen) > 1 and seen[-1] == seen[-2]

    eventually(is_quiet, deadline_seconds=30, interval=3.0, describe="controllers have settled")


def _registry_calls(operator: RunningOperator) -> float:
    name = "regisseur_operator_registry_calls_total"
    return operator.sample(name, model_registry="default", outcome="answered")
