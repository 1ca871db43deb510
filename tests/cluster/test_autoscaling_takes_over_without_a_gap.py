"""The real autoscaler controller takes over and gives back; its metrics are told by the test."""

from collections.abc import Callable
from typing import Any

import pytest

from regisseur_contract.names import API_GROUP_VERSION, KIND
from support.eventually import eventually
from support.kube_client import Json, KubeClient
from support.modeldeployments import Subject
from support.running_operator import RunningOperator

REQUESTS = {"resources": {"requests": {"cpu": "50m"}}}
REPLICAS = 3
LOOK_SECONDS = 40
"""The autoscaler looks for the first time fifteen seconds after it was made."""

pytestmark = pytest.mark.usefixtures("kubelet")


@pytest.fixture
def served(
    start_operator: Callable[..., RunningOperator], subject: Subject, promoted: str
) -> Subject:
    """Return a ModelDeployment with three pods."""
    start_operator()
    subject.create(promoted, replicas=REPLICAS, serving=REQUESTS)
    subject.wait_until_served(1)
    return subject


def switch_on(served: Subject, least: int = 1, most: int = 5) -> None:
    """Do what an apply does that has autoscaling now and no replicas any more."""
    autoscaling = {"minReplicas": least, "maxReplicas": most}
    change = {"spec": {"replicas": None, "autoscaling": autoscaling}}
    patched = served.kube.patch("modeldeployments", served.name, change)
    assert patched["spec"]["replicas"] == 1, "the API server fills in its default"


def switch_off(served: Subject) -> None:
    served.kube.patch("modeldeployments", served.name, {"spec": {"autoscaling": None}})


def find_autoscaler(served: Subject) -> Json | None:
    return served.kube.get("horizontalpodautoscalers", served.name)


def read_floor(served: Subject) -> int:
    found = find_autoscaler(served)
    return int(found["spec"]["minReplicas"]) if found else 0


def read_replicas(served: Subject) -> int:
    return int(served.manifest["spec"]["replicas"])


def tell_metrics(served: Subject) -> None:
    """Tell what the autoscaler tells once it has looked at the load."""
    active = {
        "type": "ScalingActive",
        "status": "True",
        "reason": "ValidMetricFound",
        "message": "the HPA was able to calculate a replica count",
    }
    current = {"averageUtilization": 70, "averageValue": "35m"}
    metric = {"type": "Resource", "resource": {"name": "cpu", "current": current}}
    status: dict[str, Any] = {
        "currentReplicas": REPLICAS,
        "desiredReplicas": REPLICAS,
        "conditions": [active],
        "currentMetrics": [metric],
    }
    change = {"status": status}
    served.kube.patch("horizontalpodautoscalers", served.name, change, subresource="status")


def scalings(kube: KubeClient) -> list[str]:
    """Return what the Deployment controller did to the number of pods."""
    events = kube.list("events")
    return [event["message"] for event in events if event["reason"] == "ScalingReplicaSet"]


def test_switching_on_and_off_drops_no_pod(served: Subject) -> None:
    switch_on(served)

    eventually(lambda: read_floor(served) == REPLICAS, deadline_seconds=10)
    eventually(
        lambda: read_replicas(served) == REPLICAS,
        deadline_seconds=LOOK_SECONDS,
        describe="the autoscaler asks for the pods that run",
    )
    told = served.wait_for_condition("Available", "True", "AutoscalingInactive")
    assert "nothing scales them" in told["message"]
    tell_metrics(served)
    eventually(
        lambda: read_floor(served) == 1,
        deadline_seconds=10,
        describe="an autoscaler that knows the load may go down to the floor of the spec",
    )
    switch_off(served)
    eventually(lambda: find_autoscaler(served) is None, deadline_seconds=10)
    served.wait_for_condition("Available", "True", "MinimumReplicasAvailable")
    assert read_replicas(served) == REPLICAS
    assert served.deployment is not None
    assert served.deployment["spec"]["replicas"] == REPLICAS
    assert not [message for message in scalings(served.kube) if "Scaled down" in message]


def test_the_autoscaler_scales_the_resource_and_belongs_to_it(served: Subject) -> None:
    switch_on(served, least=4)

    found = eventually(lambda: find_autoscaler(served), deadline_seconds=10)

    assert found is not None
    target = {"apiVersion": API_GROUP_VERSION, "kind": KIND, "name": served.name}
    assert found["spec"]["scaleTargetRef"] == target
    assert found["spec"]["maxReplicas"] == 5
    assert found["metadata"]["ownerReferences"][0]["uid"] == served.manifest["metadata"]["uid"]
    eventually(
        lambda: (served.deployment or {}).get("spec", {}).get("replicas") == 4,
        deadline_seconds=10,
        describe="the fewest that autoscaling allows do not wait for the autoscaler",
    )
