"""What people may say of the pods reaches them on a real node, each part where it belongs.

What is missing in the surroundings holds a version up and says so; it goes on by itself as soon as
it is there.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from regisseur_contract.names import LABEL_MODELDEPLOYMENT
from regisseur_contract.tags import TAG_IMAGE
from regisseur_devcluster.cluster import Cluster
from regisseur_devcluster.demo.kubectl import Kubectl
from support.container_insides import read_insides
from support.eventually import eventually
from support.model_versions import set_version_tag
from support.served import Served
from support.stage import Stage
from support.wine import register_linear

LIMITS = {"limits": {"memory": "512Mi"}}
ENV: list[dict[str, Any]] = [
    {"name": "GREETING", "value": "hello"},
    {"name": "EMPTY", "value": ""},
    {"name": "LEVEL", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "level"}}},
    {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "tokens", "key": "token"}}},
]
CREDENTIALS = {"MLFLOW_TRACKING_TOKEN": "example-token", "REGISSEUR_MODEL_DIR": "/elsewhere"}
NODE_LABEL = "example.com/pool"


def write_object(served: Served, kind: str, name: str, **data: str) -> None:
    content = {"stringData" if kind == "Secret" else "data": data} if data else {}
    metadata = {"name": name, "namespace": served.namespace}
    manifest = {"apiVersion": "v1", "kind": kind, "metadata": metadata, **content}
    served.kubectl.apply(json.dumps(manifest))


def read_pod(served: Served) -> dict[str, Any]:
    selector = f"{LABEL_MODELDEPLOYMENT}={served.name}"
    found: list[dict[str, Any]] = served.kubectl.read(
        "pods", "-n", served.namespace, "-l", selector
    )["items"]
    assert len(found) == 1, served.describe()
    return found[0]


def running_pods(served: Served) -> dict[str, dict[str, Any]]:
    """Return the status of the pods by uid; one that has ended is there for a moment longer."""
    selector = f"{LABEL_MODELDEPLOYMENT}={served.name}"
    found = served.kubectl.read("pods", "-n", served.namespace, "-l", selector)["items"]
    return {
        pod["metadata"]["uid"]: pod["status"]
        for pod in found
        if pod["status"]["phase"] not in {"Succeeded", "Failed"}
    }


@pytest.fixture
def served(stage: Stage) -> Served:
    """Return a ModelDeployment that is not applied yet, whose model has one promoted version."""
    served = stage.create_served("options")
    served.promote(register_linear(served.registry, served.model))
    return served


@pytest.fixture
def unlabelled(stage: Stage) -> Iterator[Kubectl]:
    """Return the cluster, whose nodes have no label of the test before it and after it."""
    stage.kubectl("label", "nodes", "--all", f"{NODE_LABEL}-")
    yield stage.kubectl
    stage.kubectl("label", "nodes", "--all", f"{NODE_LABEL}-")


def test_each_container_gets_what_is_for_it_and_a_missing_secret_is_waited_for(
    node_cluster: Cluster, served: Served
) -> None:
    write_object(served, "ConfigMap", "settings", level="debug")
    write_object(served, "Secret", "credentials", **CREDENTIALS)
    write_object(served, "ServiceAccount", "reader")
    served.deploy(
        replicas=1,
        serving={
            "resources": LIMITS,
            "env": ENV,
            "modelAccess": {
                "serviceAccountName": "reader",
                "credentialsSecretRef": {"name": "credentials"},
            },
            "podTemplate": {"labels": {"team": "ml"}, "annotations": {"example.com/note": "x"}},
        },
    )

    held = served.wait_for_condition("Rehearsed", "Unknown", "RehearsalHeld")
    assert 'secret "tokens" not found' in held["message"]
    write_object(served, "Secret", "tokens", token="example-secret")
    served.wait_until_ready()

    pod = read_pod(served)
    fetch = read_insides(node_cluster, pod, "fetch")
    server = read_insides(node_cluster, pod, "server")
    assert (
        server.environment.items()
        >= {
            "GREETING": "hello",
            "EMPTY": "",
            "LEVEL": "debug",
            "TOKEN": "example-secret",
        }.items()
    )
    assert not server.environment.keys() & {"MLFLOW_TRACKING_TOKEN", "REGISSEUR_ARTIFACT_URI"}
    assert fetch.environment["MLFLOW_TRACKING_TOKEN"] == "example-token"
    assert fetch.environment["REGISSEUR_MODEL_DIR"] == "/model/current"
    assert not fetch.environment.keys() & {entry["name"] for entry in ENV}
    assert not [path for path in fetch.mounts + server.mounts if "serviceaccount" in path]
    assert pod["spec"]["serviceAccountName"] == "reader"
    assert pod["metadata"]["labels"]["team"] == "ml"
    assert pod["metadata"]["annotations"]["example.com/note"] == "x"
    digest = served.status["stable"]["digest"]
    assert fetch.environment["REGISSEUR_EXPECTED_DIGEST"] == digest
    assert pod["metadata"]["annotations"]["regisseur.dev/digest"] == digest


def test_a_version_that_no_node_may_take_goes_on_when_one_may(
    unlabelled: Kubectl, served: Served
) -> None:
    selector = {"nodeSelector": {NODE_LABEL: "models"}}
    served.deploy(replicas=1, serving={"resources": LIMITS, "podTemplate": selector})

    held = served.wait_for_condition("Rehearsed", "Unknown", "RehearsalHeld")
    assert "No node can take" in held["message"]
    assert served.status["rehearsal"]["verdict"] == "Unschedulable"
    assert served.condition("Ready")["reason"] == "RehearsalHeld"
    assert not served.status.get("rejected")
    unlabelled("label", "nodes", "--all", f"{NODE_LABEL}=models")

    served.wait_until_ready()
    assert read_pod(served)["spec"]["nodeSelector"] == {NODE_LABEL: "models"}


def test_a_version_without_an_image_goes_on_when_it_is_told_one(
    stage: Stage, served: Served
) -> None:
    image_from = {"modelVersionTag": TAG_IMAGE}
    served.deploy(replicas=1, serving={"resources": LIMITS, "imageFrom": image_from})

    def waits() -> bool:
        found = served.condition("Ready")
        return bool(found.get("reason") == "ImageUnknown" and TAG_IMAGE in found["message"])

    eventually(waits, deadline_seconds=60, interval=0.5, describe=served.describe)
    image = stage.images["serving"]
    set_version_tag(served.registry, served.model, 1, TAG_IMAGE, image)

    served.wait_until_ready()
    images = {entry["image"] for entry in read_pod(served)["spec"]["containers"]}
    assert images == {image}
    assert served.status["stable"]["image"] == image


def test_recreated_pods_never_run_beside_the_old_ones(served: Served) -> None:
    changed = {"resources": LIMITS, "env": [{"name": "NEW", "value": "1"}]}
    served.deploy(serving={"resources": LIMITS}, strategy={"recreate": {}})
    served.wait_until_ready()
    old, moments = running_pods(served).keys(), [running_pods(served)]

    def is_over() -> bool:
        moments.append(running_pods(served))
        return len(moments[-1]) == len(old) and old.isdisjoint(moments[-1])

    served.deploy(serving=changed, strategy={"recreate": {}})
    eventually(is_over, deadline_seconds=120, interval=0.3, describe=served.describe)

    served.wait_until_ready()
    mixed = [seen for seen in moments if not (seen.keys() <= old or old.isdisjoint(seen))]
    assert not mixed
