"""From a ModelDeployment to ready pods, on a real API server and a real registry."""

from collections.abc import Callable

import pytest

from regisseur_contract.names import FIELD_MANAGER
from support.eventually import eventually
from support.modeldeployments import CHILDREN, Subject
from support.running_operator import RunningOperator

Start = Callable[..., RunningOperator]

pytestmark = pytest.mark.usefixtures("kubelet")


def test_children_appear_and_it_becomes_ready(
    start_operator: Start, subject: Subject, promoted: str
) -> None:
    start_operator()

    subject.create(promoted, replicas=2)

    subject.wait_until_served(1)
    assert set(subject.children()) == set(CHILDREN)
    assert subject.status["readyReplicas"] == 2
    assert subject.status["resolved"]["version"] == 1
    assert subject.condition("Resolved")["status"] == "True"
    assert subject.condition("RegistryReachable")["status"] == "True"


def test_the_resource_itself_is_left_alone_but_for_its_status(
    start_operator: Start, subject: Subject, promoted: str
) -> None:
    before = subject.create(promoted)["metadata"]
    start_operator()

    subject.wait_until_served(1)

    after = subject.manifest["metadata"]
    assert "finalizers" not in after
    assert "annotations" not in after
    assert after["generation"] == before["generation"]
    managers = {entry["manager"]: entry.get("subresource") for entry in after["managedFields"]}
    assert managers.pop(FIELD_MANAGER) == "status"
    assert "status" not in managers.values()


def test_deleting_it_deletes_its_children(
    start_operator: Start, subject: Subject, promoted: str
) -> None:
    start_operator()
    subject.create(promoted)
    subject.wait_until_served(1)

    subject.kube.delete("modeldeployments", subject.name)

    eventually(lambda: not subject.children(), deadline_seconds=30, describe="no child is left")
