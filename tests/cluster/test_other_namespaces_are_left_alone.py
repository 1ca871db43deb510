"""What a ModelDeployment says of its namespace reaches no other one."""

from collections.abc import Callable, Iterator

import pytest

from regisseur_contract.names import LABEL_MODELDEPLOYMENT
from regisseur_contract.tags import STAGE_PRODUCTION
from regisseur_devcluster.controlplane import ControlPlane
from support.control_plane import create_namespace
from support.eventually import eventually
from support.kube_client import Json, KubeClient
from support.mlflow_server import MlflowServer
from support.model_versions import create_model_version, transition
from support.modeldeployments import Subject
from support.running_operator import RunningOperator

Start = Callable[..., RunningOperator]

PODS = {"app": "somebody-else", LABEL_MODELDEPLOYMENT: "wine"}


@pytest.fixture
def neighbour(control_plane: ControlPlane) -> Iterator[KubeClient]:
    """Return another team's namespace."""
    client = KubeClient(control_plane, create_namespace(control_plane))
    yield client
    for found in client.list("modeldeployments"):
        client.delete("modeldeployments", found["metadata"]["name"])
    control_plane.kubectl("delete", "namespace", client.namespace, "--wait=false")


def build_lookalikes(owner: Json) -> dict[str, Json]:
    """Return objects that pretend to be children of a ModelDeployment of another namespace."""
    labels = {LABEL_MODELDEPLOYMENT: owner["metadata"]["name"]}
    metadata = {"name": owner["metadata"]["name"], "labels": labels}
    return {
        "deployments": {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata,
            "spec": {
                "replicas": 0,
                "selector": {"matchLabels": PODS},
                "template": {
                    "metadata": {"labels": PODS},
                    "spec": {"containers": [{"name": "web", "image": "web:1"}]},
                },
            },
        },
        "services": {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata,
            "spec": {"selector": PODS, "ports": [{"port": 8000}]},
        },
        "poddisruptionbudgets": {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": metadata,
            "spec": {"selector": {"matchLabels": PODS}, "minAvailable": 1},
        },
        "controllerrevisions": {
            "apiVersion": "apps/v1",
            "kind": "ControllerRevision",
            "metadata": {**metadata, "name": f"{metadata['name']}-1"},
            "revision": 1,
            "data": {"of": "somebody else"},
        },
    }


def read_specs(kube: KubeClient, objects: dict[str, Json]) -> dict[str, Json]:
    """Return what the owner of objects said of them; controllers write the rest."""
    found = {p: kube.read(p, manifest["metadata"]["name"]) for p, manifest in objects.items()}
    return {
        plural: {k: v for k, v in live.items() if k not in {"status", "metadata"}}
        | {k: live["metadata"].get(k) for k in ("uid", "labels", "ownerReferences")}
        for plural, live in found.items()
    }


@pytest.mark.usefixtures("kubelet")
def test_lookalikes_next_door_are_not_touched(
    start_operator: Start,
    subject: Subject,
    neighbour: KubeClient,
    mlflow_server: MlflowServer,
    promoted: str,
) -> None:
    owner = subject.create(promoted)
    objects = build_lookalikes(owner)
    for plural, manifest in objects.items():
        neighbour.create(plural, manifest)
    before = read_specs(neighbour, objects)
    start_operator()
    subject.wait_until_served(1)
    version = create_model_version(mlflow_server, promoted)
    transition(mlflow_server, promoted, version, STAGE_PRODUCTION)
    subject.wait_until_served(int(version))
    subject.kube.delete("modeldeployments", subject.name)
    eventually(lambda: not subject.children(), deadline_seconds=20, describe="its children go")

    assert read_specs(neighbour, objects) == before
    assert neighbour.list("pods") == []


@pytest.mark.usefixtures("kubelet")
def test_two_of_one_name_know_nothing_of_each_other(
    start_operator: Start, subject: Subject, neighbour: KubeClient, promoted: str
) -> None:
    start_operator()
    subject.create(promoted)
    subject.wait_until_served(1)
    other = Subject(neighbour)
    other.create("no-such-model")
    other.wait_for_condition("Resolved", "False", "ReferenceNotFound")

    assert other.children() == {}
    subject.wait_until_served(1)


@pytest.mark.usefixtures("kubelet")
def test_an_operator_of_one_namespace_looks_at_no_other(
    start_operator: Start, subject: Subject, neighbour: KubeClient, promoted: str
) -> None:
    operator = start_operator(changes={"namespaces": (subject.kube.namespace,)})
    Subject(neighbour).create(promoted)
    subject.create(promoted)

    subject.wait_until_served(1)

    assert "status" not in Subject(neighbour).manifest
    assert operator.sample("regisseur_operator_modeldeployments") == 1.0
    subject.kube.delete("poddisruptionbudgets", subject.name)
    eventually(
        lambda: subject.kube.get("poddisruptionbudgets", subject.name),
        deadline_seconds=20,
        describe="it is seen that a child is gone",
    )
    subject.kube.delete("modeldeployments", subject.name)
    eventually(
        lambda: operator.sample("regisseur_operator_modeldeployments") == 0.0,
        deadline_seconds=20,
        describe="it is seen that the resource is gone",
    )


@pytest.mark.usefixtures("kubelet")
def test_an_operator_of_two_namespaces_serves_both(
    start_operator: Start, subject: Subject, neighbour: KubeClient, promoted: str
) -> None:
    """Also one that was cut off: what goes in one must not make the other look empty."""
    namespaces = (subject.kube.namespace, neighbour.namespace)
    first = start_operator(changes={"namespaces": namespaces})
    other = Subject(neighbour, "beer")
    for each in (subject, other):
        each.create(promoted, replicas=0, rehearsal={"enabled": False})
    for each in (subject, other):
        each.wait_for_condition("Progressing", "True", "ScaledToZero")
    first.stop()
    before = [subject.versions(), other.versions()]

    second = start_operator(identity="operator-2", changes={"namespaces": namespaces})
    eventually(
        lambda: second.sample("regisseur_operator_reconciles_total", outcome="nothing_to_do") >= 2,
        deadline_seconds=30,
        describe="both were looked at",
    )

    assert [subject.versions(), other.versions()] == before
