"""What a real API server does to the operator's children: applies, fixed objects and deletes."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from regisseur_devcluster.controlplane import ControlPlane
from regisseur_operator.adapters.kubernetes_api import KubernetesApi
from regisseur_operator.adapters.kubernetes_cluster import KubernetesCluster
from regisseur_operator.adapters.kubernetes_session import load_connection
from regisseur_operator.api.reasons import Reason
from regisseur_operator.core.drift import find_drift
from regisseur_operator.errors import ConflictError, TerminalError
from regisseur_operator.ports import Kind, Manifest
from regisseur_operator.resources import (
    AUTOSCALER,
    CONTROLLER_REVISION,
    DEPLOYMENT,
    MODELDEPLOYMENT,
    POD,
)
from support.kube_client import KubeClient

LABELS = {"app": "wine"}
CONTAINER = {
    "name": "server",
    "image": "regisseur/serving:test",
    "resources": {"requests": {"cpu": "100m"}},
}
ROLLING = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
RECREATE = {"type": "Recreate"}


@pytest_asyncio.fixture
async def cluster(control_plane: ControlPlane) -> AsyncIterator[KubernetesCluster]:
    async with KubernetesApi(load_connection(str(control_plane.kubeconfig))) as api:
        yield KubernetesCluster(api, MODELDEPLOYMENT)


@pytest.fixture
def kube(control_plane: ControlPlane, namespace: str) -> KubeClient:
    return KubeClient(control_plane, namespace)


def build(kind: Kind, namespace: str, **parts: Any) -> Manifest:
    metadata = {"name": "wine", "namespace": namespace, "labels": LABELS}
    return {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata, **parts}


def build_deployment(namespace: str, strategy: Manifest, **pod: Any) -> Manifest:
    template = {"metadata": {"labels": LABELS}, "spec": {"containers": [CONTAINER], **pod}}
    spec = {
        "replicas": 0,
        "selector": {"matchLabels": LABELS},
        "strategy": strategy,
        "template": template,
    }
    return build(DEPLOYMENT, namespace, spec=spec)


def build_revision(namespace: str, **data: Any) -> Manifest:
    return build(CONTROLLER_REVISION, namespace, revision=7, data=data)


# ---- deletes -------------------------------------------------------------------------------------


async def test_only_the_very_object_is_deleted(cluster: KubernetesCluster, namespace: str) -> None:
    created = await cluster.create(CONTROLLER_REVISION, build_revision(namespace, a="b"))
    uid = created["metadata"]["uid"]

    with pytest.raises(ConflictError):
        await cluster.delete(CONTROLLER_REVISION, namespace, "wine", "of-another-one")
    assert await cluster.read(CONTROLLER_REVISION, namespace, "wine") is not None

    await cluster.delete(CONTROLLER_REVISION, namespace, "wine", uid)
    assert await cluster.read(CONTROLLER_REVISION, namespace, "wine") is None


async def test_deleting_what_is_gone_is_fine(cluster: KubernetesCluster, namespace: str) -> None:
    await cluster.delete(POD, namespace, "wine", "any")


async def test_a_pod_that_no_node_has_goes_at_once(
    cluster: KubernetesCluster, namespace: str
) -> None:
    pod = build(POD, namespace, spec={"containers": [CONTAINER]})
    created = await cluster.create(POD, pod)

    await cluster.delete(POD, namespace, "wine", created["metadata"]["uid"])

    assert await cluster.read(POD, namespace, "wine") is None


# ---- fixed objects -------------------------------------------------------------------------------


async def test_a_revision_comes_back_word_for_word(
    cluster: KubernetesCluster, namespace: str
) -> None:
    data = {"template": {"spec": {"cpu": "1000m", "empty": {}, "none": None, "list": []}}, "n": 1}

    await cluster.create(CONTROLLER_REVISION, build_revision(namespace, **data))
    found = await cluster.read(CONTROLLER_REVISION, namespace, "wine")

    assert found is not None
    assert (found["data"], found["revision"]) == (data, 7)


async def test_the_data_of_a_revision_cannot_be_changed(
    cluster: KubernetesCluster, namespace: str
) -> None:
    await cluster.create(CONTROLLER_REVISION, build_revision(namespace, a="b"))

    with pytest.raises(TerminalError, match="immutable"):
        await cluster.apply(CONTROLLER_REVISION, build_revision(namespace, a="c"))


async def test_a_pod_is_created_once(cluster: KubernetesCluster, namespace: str) -> None:
    pod = build(POD, namespace, spec={"containers": [CONTAINER], "restartPolicy": "Never"})
    created = await cluster.create(POD, pod)

    with pytest.raises(ConflictError):
        await cluster.create(POD, pod)

    found = await cluster.read(POD, namespace, "wine")
    assert found is not None
    assert found["metadata"]["uid"] == created["metadata"]["uid"]


# ---- applies -------------------------------------------------------------------------------------


async def test_the_strategy_is_changed_there_and_back(
    cluster: KubernetesCluster, namespace: str
) -> None:
    await cluster.create(DEPLOYMENT, build_deployment(namespace, ROLLING))

    for strategy in (RECREATE, ROLLING):
        desired = build_deployment(namespace, strategy)
        applied = await cluster.apply(DEPLOYMENT, desired)
        assert applied["spec"]["strategy"] == strategy
        assert find_drift(applied, desired) == []


async def test_scheduling_is_applied_as_it_was_said_and_taken_away(
    cluster: KubernetesCluster, namespace: str
) -> None:
    spread = [
        {
            "maxSkew": skew,
            "topologyKey": "kubernetes.io/hostname",
            "whenUnsatisfiable": what,
            "labelSelector": {"matchLabels": LABELS},
        }
        for skew, what in ((1, "ScheduleAnyway"), (2, "DoNotSchedule"))
    ]
    term = {
        "labelSelector": {"matchLabels": LABELS},
        "topologyKey": "kubernetes.io/hostname",
    }
    node = {"matchExpressions": [{"key": "gpu", "operator": "In", "values": ["a", "b"]}]}
    scheduling: Manifest = {
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [
            {"key": "gpu", "operator": "Exists", "effect": "NoSchedule"},
            {"key": "gone", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 30},
        ],
        "affinity": {
            "podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term, term]},
            "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [node]}
            },
        },
        "topologySpreadConstraints": spread,
        "priorityClassName": "high",
        "imagePullSecrets": [{"name": "first"}, {"name": "second"}],
    }
    desired = build_deployment(namespace, ROLLING, **scheduling)
    await cluster.create(DEPLOYMENT, build_deployment(namespace, ROLLING))

    applied = await cluster.apply(DEPLOYMENT, desired)
    assert find_drift(applied, desired) == []

    applied = await cluster.apply(DEPLOYMENT, build_deployment(namespace, ROLLING))
    assert not scheduling.keys() & applied["spec"]["template"]["spec"].keys()


@pytest.mark.parametrize("kind", [DEPLOYMENT, POD], ids=lambda kind: f"of a {kind.kind}")
async def test_a_field_that_no_pod_has_asks_for_a_person(
    cluster: KubernetesCluster, namespace: str, kind: Kind
) -> None:
    scheduling: dict[str, Any] = {"affinity": {"podAffinityy": {}}}
    desired = build_deployment(namespace, ROLLING, **scheduling)
    if kind == POD:
        desired = build(POD, namespace, spec={"containers": [CONTAINER], **scheduling})

    with pytest.raises(TerminalError, match="podAffinityy") as caught:
        await cluster.create(kind, desired)

    assert caught.value.reason == Reason.INVALID_SPEC


async def test_an_autoscaler_is_applied_as_it_was_said(
    cluster: KubernetesCluster, namespace: str
) -> None:
    def build_autoscaler(least: int) -> Manifest:
        target = {"type": "Utilization", "averageUtilization": 70}
        spec = {
            "scaleTargetRef": {
                "apiVersion": "regisseur.dev/v1alpha1",
                "kind": "ModelDeployment",
                "name": "wine",
            },
            "minReplicas": least,
            "maxReplicas": 5,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
        }
        return build(AUTOSCALER, namespace, spec=spec)

    for least in (2, 1):
        desired = build_autoscaler(least)
        applied = await cluster.apply(AUTOSCALER, desired)
        assert find_drift(applied, desired) == []


async def test_a_quota_refuses_a_pod_in_words(
    cluster: KubernetesCluster, kube: KubeClient, namespace: str
) -> None:
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"}}
    kube.create("resourcequotas", {**quota, "spec": {"hard": {"pods": "0"}}})

    with pytest.raises(TerminalError, match="exceeded quota: none") as caught:
        await cluster.create(POD, build(POD, namespace, spec={"containers": [CONTAINER]}))

    assert caught.value.reason == Reason.FORBIDDEN
