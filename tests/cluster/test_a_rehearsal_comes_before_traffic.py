"""A version is rehearsed before it touches the Deployment, whatever happens meanwhile."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from regisseur_contract.exits import STORE_UNAVAILABLE
from regisseur_contract.names import ANNOTATION_RETRY, LABEL_MODELDEPLOYMENT, LABEL_REHEARSAL
from regisseur_contract.rehearsal import Word
from regisseur_contract.runtime import ENV_ARTIFACT_URI, ENV_EXPECTED_DIGEST
from regisseur_contract.tags import STAGE_PRODUCTION
from support.eventually import eventually
from support.kube_client import Json
from support.kubelet_double import KubeletDouble, of_version, only
from support.mlflow_server import MlflowServer
from support.model_versions import create_model_version, transition
from support.modeldeployments import Subject
from support.pod_states import (
    Act,
    digest_of,
    evicted,
    hanging,
    judged,
    not_fetched,
    passed,
    read_environment,
    unschedulable,
)
from support.running_operator import RunningOperator

Start = Callable[..., RunningOperator]

REHEARSAL = "wine-rehearsal"
FAILED = judged(Word.LOAD_FAILED, "no module named vineyard")


@dataclass(frozen=True)
class Scene:
    """A ModelDeployment that serves version 1, and what surrounds it."""

    subject: Subject
    kubelet: KubeletDouble
    promote: Callable[[], int]

    def template(self) -> Json:
        """Return the Deployment's pod template."""
        return dict(self.subject.kube.read("deployments", self.subject.name)["spec"]["template"])

    def pods(self) -> list[Json]:
        """Return the pods that rehearse."""
        return self.subject.kube.list("pods", selector=LABEL_REHEARSAL)

    def wait_for_rehearsal(self, version: int, state: str, verdict: str = "") -> Json:
        """Wait until the status says how a rehearsal stands."""

        def is_there() -> Json | None:
            found: Json = self.subject.status.get("rehearsal", {})
            is_it = (found.get("version"), found.get("state")) == (version, state)
            return found if is_it and verdict in {"", found.get("verdict")} else None

        found = eventually(
            is_there,
            deadline_seconds=30,
            describe=lambda: f"{state} {verdict} of {version}; {self.subject.status}",
        )
        assert found is not None
        return found


@pytest.fixture
def scene(
    start_operator: Start,
    subject: Subject,
    kubelet: KubeletDouble,
    mlflow_server: MlflowServer,
    promoted: str,
) -> Scene:
    """Return a scene in which everything that led to version 1 is forgotten."""

    def promote() -> int:
        version = create_model_version(mlflow_server, promoted)
        transition(mlflow_server, promoted, version, STAGE_PRODUCTION)
        return version

    start_operator()
    subject.create(promoted)
    subject.wait_until_served(1)
    scene = Scene(subject, kubelet, promote)
    eventually(lambda: not scene.pods(), deadline_seconds=20)
    kubelet.seen.clear()
    return scene


@pytest.mark.parametrize(
    ("act", "state"), [(passed, "Passed"), (FAILED, "Failed")], ids=["passed", "failed"]
)
def test_the_verdict_is_in_the_status_before_the_pod_is_gone(
    scene: Scene, act: Act, state: str
) -> None:
    scene.kubelet.rehearsing = act
    since = scene.subject.kube.version()

    version = scene.promote()

    scene.wait_for_rehearsal(version, state)
    eventually(lambda: not scene.pods(), deadline_seconds=20)
    told = [
        event["object"]["metadata"]["resourceVersion"]
        for event in scene.subject.kube.history("modeldeployments", since)
        if event["object"].get("status", {}).get("rehearsal", {}).get("state") == state
        and event["object"]["status"]["rehearsal"]["version"] == version
    ]
    gone = [
        event["object"]["metadata"]["resourceVersion"]
        for event in scene.subject.kube.history("pods", since)
        if event["object"]["metadata"]["name"] == REHEARSAL and event["type"] == "DELETED"
    ]
    assert len(gone) == 1
    assert int(told[0]) < int(gone[0])


def test_the_digest_that_was_rehearsed_is_pinned(scene: Scene) -> None:
    resolved, stable = scene.subject.status["resolved"], scene.subject.status["stable"]

    digest = digest_of(resolved["source"])

    environment = read_environment({"spec": scene.template()["spec"]})
    assert environment[ENV_EXPECTED_DIGEST] == digest
    assert environment[ENV_ARTIFACT_URI] == resolved["source"]
    assert stable["digest"] == scene.subject.status["rehearsal"]["facts"]["digest"] == digest


def test_its_pod_is_nobody_elses(scene: Scene) -> None:
    scene.kubelet.rehearsing = hanging
    scene.promote()

    pod = eventually(scene.pods, deadline_seconds=20)[0]

    labels = pod["metadata"]["labels"]
    assert LABEL_MODELDEPLOYMENT not in labels
    for plural in ("services", "deployments"):
        selector = scene.subject.kube.read(plural, scene.subject.name)["spec"]["selector"]
        assert not (selector.get("matchLabels") or selector).items() <= labels.items()
    assert pod["metadata"]["ownerReferences"][0]["uid"] == scene.subject.manifest["metadata"]["uid"]
    assert scene.subject.condition("Ready")["reason"] == "RehearsalRunning"
    assert scene.subject.status["phase"] == "Rehearsing"


def test_a_version_that_fails_is_not_tried_again_until_it_is_asked_for(scene: Scene) -> None:
    before = scene.template()
    scene.kubelet.rehearsing = FAILED
    version = scene.promote()
    scene.subject.wait_for_condition("Ready", "False", "VersionRejected")
    assert [entry["version"] for entry in scene.subject.status["rejected"]] == [version]
    assert "vineyard" in scene.subject.status["rejected"][0]["message"]

    scene.subject.kube.patch("modeldeployments", scene.subject.name, {"spec": {"replicas": 2}})
    eventually(lambda: len(scene.subject.kube.list("pods")) == 2, deadline_seconds=20)

    assert len(scene.kubelet.seen) == 1
    assert scene.template() == before
    assert scene.subject.status["stable"]["version"] == 1

    scene.kubelet.rehearsing = passed
    retry = {"metadata": {"annotations": {ANNOTATION_RETRY: "1"}}}
    scene.subject.kube.patch("modeldeployments", scene.subject.name, retry)

    scene.subject.wait_until_served(version)
    assert len(scene.kubelet.seen) == 2
    assert scene.subject.status["handled"]["retry"] == "1"
    assert not scene.subject.status.get("rejected")


def test_more_memory_is_another_try(scene: Scene) -> None:
    scene.kubelet.rehearsing = FAILED
    version = scene.promote()
    scene.subject.wait_for_condition("Ready", "False", "VersionRejected")
    scene.kubelet.rehearsing = passed
    limits = {"serving": {"resources": {"limits": {"memory": "2Gi"}}}}

    scene.subject.kube.patch("modeldeployments", scene.subject.name, {"spec": limits})

    scene.subject.wait_until_served(version)


def test_a_newer_version_ends_the_rehearsal_of_an_older_one(scene: Scene) -> None:
    since = scene.subject.kube.version()
    scene.kubelet.rehearsing = only(of_version(2), hanging, passed)
    scene.promote()
    eventually(
        lambda: [pod for pod in scene.pods() if pod["status"]["phase"] == "Running"],
        deadline_seconds=20,
    )

    newest = scene.promote()

    scene.subject.wait_until_served(newest)
    assert len(scene.kubelet.seen) == 2
    alive: set[str] = set()
    for event in scene.subject.kube.history("pods", since):
        metadata = event["object"]["metadata"]
        if metadata["name"] == REHEARSAL:
            alive |= {metadata["uid"]}
            assert len(alive) == 1
            alive -= {metadata["uid"]} if event["type"] == "DELETED" else set()
    assert [entry["version"] for entry in scene.subject.status["history"]] == [newest, 1]


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        pytest.param(unschedulable(), "Unschedulable", id="no node takes it"),
        pytest.param(evicted, "Evicted", id="its node was short of memory"),
        pytest.param(
            not_fetched(STORE_UNAVAILABLE, "the store does not answer"),
            "StoreUnavailable",
            id="the store is down",
        ),
    ],
)
def test_what_its_surroundings_do_is_waited_out(scene: Scene, act: Act, reason: str) -> None:
    scene.kubelet.rehearsing = act
    version = scene.promote()
    held = scene.wait_for_rehearsal(version, "Held", reason)
    assert held["message"]
    assert scene.subject.condition("Ready")["reason"] == "RehearsalHeld"
    assert scene.subject.condition("Available")["status"] == "True"

    scene.kubelet.rehearsing = passed

    scene.subject.wait_until_served(version)
    assert not scene.subject.status.get("rejected")


def test_a_quota_holds_the_rehearsal_up_and_not_what_is_served(scene: Scene) -> None:
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "full"}}
    scene.subject.kube.create("resourcequotas", {**quota, "spec": {"hard": {"pods": "1"}}})
    version = scene.promote()

    def is_told() -> bool:
        told = [entry.get("message", "") for entry in scene.subject.status["conditions"]]
        return any("exceeded quota" in message for message in told)

    eventually(
        is_told, deadline_seconds=30, describe=lambda: str(scene.subject.status["conditions"])
    )
    assert scene.subject.condition("Available")["status"] == "True"
    assert scene.subject.status["stable"]["version"] == 1

    scene.subject.kube.delete("resourcequotas", "full")

    scene.subject.wait_until_served(version, deadline_seconds=50)
