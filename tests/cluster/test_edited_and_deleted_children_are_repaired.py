"""What people or programs do to the children is undone, and only that."""

from collections.abc import Callable

import pytest

from regisseur_contract.names import LABEL_MODELDEPLOYMENT
from support.eventually import eventually
from support.kube_client import Json
from support.modeldeployments import CHILDREN, Subject
from support.running_operator import RunningOperator

Start = Callable[..., RunningOperator]
Change = Callable[[Json], None]

pytestmark = pytest.mark.usefixtures("kubelet")


@pytest.fixture
def served(start_operator: Start, subject: Subject, promoted: str) -> Subject:
    """Return a ModelDeployment that is served."""
    start_operator()
    subject.create(promoted, replicas=2)
    subject.wait_until_served(1)
    return subject


def _change_image(deployment: Json) -> None:
    containers = deployment["spec"]["template"]["spec"]["containers"]
    containers[0]["image"] = "somebody/else:latest"


def _change_replicas(deployment: Json) -> None:
    deployment["spec"]["replicas"] = 7


def _pause(deployment: Json) -> None:
    deployment["spec"]["paused"] = True


def _remove_labels(manifest: Json) -> None:
    manifest["metadata"]["labels"] = {}


def _remove_owner(manifest: Json) -> None:
    manifest["metadata"]["ownerReferences"][0]["blockOwnerDeletion"] = False


def _change_selector(service: Json) -> None:
    service["spec"]["selector"] = {"app": "somebody-else"}


def _add_to_selector(service: Json) -> None:
    service["spec"]["selector"]["app"] = "somebody-else"


def _change_port(service: Json) -> None:
    service["spec"]["ports"][0]["port"] = 81


def _change_budget(budget: Json) -> None:
    budget["spec"]["maxUnavailable"] = 0


def _image(deployment: Json) -> object:
    return deployment["spec"]["template"]["spec"]["containers"][0]["image"]


def _replicas(deployment: Json) -> object:
    return deployment["spec"]["replicas"]


def _paused(deployment: Json) -> object:
    return deployment["spec"].get("paused", False)


def _label(manifest: Json) -> object:
    return manifest["metadata"].get("labels", {}).get(LABEL_MODELDEPLOYMENT)


def _blocks(manifest: Json) -> object:
    return manifest["metadata"]["ownerReferences"][0]["blockOwnerDeletion"]


def _ports(service: Json) -> object:
    return [port["port"] for port in service["spec"]["ports"]]


def _selector(service: Json) -> object:
    return service["spec"]["selector"]


def _budget(budget: Json) -> object:
    return budget["spec"]["maxUnavailable"]


@pytest.mark.parametrize(
    ("plural", "change", "look"),
    [
        pytest.param("deployments", _change_image, _image, id="the image of the Deployment"),
        pytest.param("deployments", _change_replicas, _replicas, id="its replicas"),
        pytest.param("deployments", _pause, _paused, id="a pause of its rollouts"),
        pytest.param("deployments", _remove_labels, _label, id="the labels of the Deployment"),
        pytest.param("deployments", _remove_owner, _blocks, id="its owner reference"),
        pytest.param("services", _change_selector, _selector, id="the selector of the Service"),
        pytest.param("services", _change_port, _ports, id="the number of the Service's port"),
        pytest.param("services", _add_to_selector, _selector, id="a label added to its selector"),
        pytest.param("services", _remove_labels, _label, id="the labels of the Service"),
        pytest.param("poddisruptionbudgets", _change_budget, _budget, id="the disruption budget"),
    ],
)
def test_an_edit_is_undone(
    served: Subject, plural: str, change: Change, look: Callable[[Json], object]
) -> None:
    before = served.kube.read(plural, served.name)

    served.kube.edit(plural, served.name, change)

    eventually(
        lambda: look(served.kube.read(plural, served.name)) == look(before),
        deadline_seconds=20,
        describe=lambda: f"{look(before)} instead of {look(served.kube.read(plural, served.name))}",
    )
    assert served.kube.read(plural, served.name)["metadata"]["uid"] == before["metadata"]["uid"]


@pytest.mark.parametrize("plural", CHILDREN)
def test_a_deleted_child_comes_back(served: Subject, plural: str) -> None:
    before = served.kube.read(plural, served.name)["metadata"]["uid"]

    served.kube.delete(plural, served.name)

    def is_back() -> bool:
        found = served.kube.get(plural, served.name)
        return found is not None and found["metadata"]["uid"] != before

    eventually(is_back, deadline_seconds=20, describe=f"{plural} are back")
    served.wait_until_served(1)


def test_what_others_add_is_left_alone(served: Subject) -> None:
    def annotate(service: Json) -> None:
        service["metadata"].setdefault("annotations", {})["example.com/note"] = "mine"

    served.kube.edit("services", served.name, annotate)
    served.kube.edit("services", served.name, _change_selector)

    def is_repaired() -> bool:
        return (
            LABEL_MODELDEPLOYMENT in served.kube.read("services", served.name)["spec"]["selector"]
        )

    eventually(is_repaired, deadline_seconds=20)
    service = served.kube.read("services", served.name)
    assert service["metadata"]["annotations"]["example.com/note"] == "mine"
    assert service["spec"]["selector"].get("app") is None


def test_a_port_that_was_put_back_can_still_be_changed(served: Subject) -> None:
    served.kube.edit("services", served.name, _change_port)
    eventually(
        lambda: _ports(served.kube.read("services", served.name)) == [80], deadline_seconds=20
    )

    served.kube.patch("modeldeployments", served.name, {"spec": {"service": {"port": 8080}}})

    eventually(
        lambda: _ports(served.kube.read("services", served.name)) == [8080], deadline_seconds=20
    )
