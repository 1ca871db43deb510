"""What was served once comes back exactly as it was, by itself or when a person asks for it."""

import signal
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from regisseur_contract.exits import DIGEST_MISMATCH
from regisseur_contract.names import LABEL_MODEL_VERSION, LABEL_MODELDEPLOYMENT
from regisseur_contract.tags import STAGE_PRODUCTION
from regisseur_devcluster.controlplane import ControlPlane
from regisseur_operator.resources.pods import build_pod_template
from support.control_plane import apply_crds, create_namespace
from support.eventually import eventually
from support.kube_client import Json, KubeClient
from support.kubelet_double import KubeletDouble, of_version, only
from support.mlflow_server import MlflowServer
from support.model_versions import create_model_version, transition
from support.modeldeployments import Subject
from support.pod_states import (
    Act,
    crashing,
    leave_alone,
    not_fetched,
    out_of_memory,
    ready,
    unpullable,
    unschedulable,
)
from support.running_operator import RunningOperator, build_settings, connect, graveyard

Start = Callable[..., RunningOperator]


@dataclass(frozen=True)
class Scene:
    """A ModelDeployment that serves version 1, and what surrounds it."""

    subject: Subject
    kubelet: KubeletDouble
    promote: Callable[[], int]

    def template(self) -> Json:
        """Return the Deployment's pod template."""
        return dict(self.subject.kube.read("deployments", self.subject.name)["spec"]["template"])

    def revisions(self) -> list[int]:
        """Return the numbers of the revisions that are kept."""
        selector = f"{LABEL_MODELDEPLOYMENT}={self.subject.name}"
        found = self.subject.kube.list("controllerrevisions", selector=selector)
        return sorted(revision["revision"] for revision in found)

    def running(self) -> dict[str, str]:
        """Return the model version of each pod that is ready, by uid."""
        return {
            pod["metadata"]["uid"]: pod["metadata"]["labels"][LABEL_MODEL_VERSION]
            for pod in self.subject.kube.list("pods", selector=LABEL_MODELDEPLOYMENT)
            if pod["status"]["phase"] == "Running" and "deletionTimestamp" not in pod["metadata"]
        }

    def change(self, **spec: object) -> None:
        """Change the spec."""
        self.subject.kube.patch("modeldeployments", self.subject.name, {"spec": spec})

    def wait_for_template(self, wanted: Json) -> None:
        """Wait until the Deployment has exactly this pod template and is at rest."""
        eventually(
            lambda: self.template() == wanted and "candidate" not in self.subject.status,
            deadline_seconds=40,
            describe=lambda: f"the template is back; {self.subject.status}",
        )


@pytest.fixture
def promote(mlflow_server: MlflowServer, promoted: str) -> Callable[[], int]:
    """Return a function that puts a new version into Production."""

    def promote() -> int:
        version = create_model_version(mlflow_server, promoted)
        transition(mlflow_server, promoted, version, STAGE_PRODUCTION)
        return version

    return promote


@pytest.fixture
def scene(
    subject: Subject, kubelet: KubeletDouble, promoted: str, promote: Callable[[], int]
) -> Scene:
    """Return a scene in which nobody has started an operator yet."""
    subject.create(promoted, replicas=2, progressDeadlineSeconds=30)
    return Scene(subject, kubelet, promote)


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        pytest.param(crashing("no module named vineyard"), "ServerCrashed", id="it crashes"),
        pytest.param(out_of_memory(), "OutOfMemory", id="it takes too much memory"),
    ],
)
def test_a_version_that_dies_is_rejected_and_the_one_before_put_back(
    start_operator: Start, scene: Scene, act: Act, reason: str
) -> None:
    start_operator()
    scene.subject.wait_until_served(1)
    before, pods = scene.template(), scene.running()
    scene.kubelet.serving = only(of_version(2), act, ready)

    version = scene.promote()

    scene.subject.wait_for_condition("Ready", "False", "VersionRejected")
    scene.wait_for_template(before)
    status = scene.subject.status
    assert [(e["version"], e["reason"]) for e in status["rejected"]] == [(version, reason)]
    assert (status["stable"]["version"], status["stable"]["revision"]) == (1, 1)
    assert [e["outcome"] for e in status["history"]] == ["Failed", "Succeeded"]
    eventually(lambda: scene.running() == pods, deadline_seconds=20, describe="the same pods run")


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        pytest.param(unschedulable(), "Unschedulable", id="no node takes its pods"),
        pytest.param(unpullable(), "ImagePullFailed", id="their image cannot be pulled"),
    ],
)
def test_what_the_surroundings_do_is_waited_out(
    start_operator: Start, scene: Scene, act: Act, reason: str
) -> None:
    start_operator()
    scene.subject.wait_until_served(1)
    scene.kubelet.serving = only(of_version(2), act, ready)
    version = scene.promote()

    scene.subject.wait_for_condition("Progressing", "False", reason)
    assert sorted(scene.running().values()) == ["1", "1"]
    assert not scene.subject.status.get("rejected")
    scene.kubelet.serving = ready

    scene.subject.wait_until_served(version)


def test_files_that_were_changed_are_refused_and_the_pods_that_run_go_on(
    start_operator: Start, scene: Scene
) -> None:
    start_operator()
    scene.subject.wait_until_served(1)
    running = scene.running()
    scene.kubelet.serving = only(
        lambda pod: pod["metadata"]["uid"] in running,
        ready,
        not_fetched(DIGEST_MISMATCH, "the files are not those that were rehearsed"),
    )

    scene.change(replicas=3)

    scene.subject.wait_for_condition("Stalled", "True", "ArtifactChanged")
    assert scene.running() == running
    assert scene.subject.status["stable"]["version"] == 1


def test_rollback_to_a_revision_and_back(start_operator: Start, scene: Scene) -> None:
    start_operator()
    scene.subject.wait_until_served(1)
    first = scene.template()
    version = scene.promote()
    scene.subject.wait_until_served(version)
    second, rehearsals = scene.template(), len(scene.kubelet.seen)

    scene.change(rollbackTo=1)

    scene.wait_for_template(first)
    eventually(
        lambda: scene.subject.status["stable"]["version"] == 1,
        deadline_seconds=30,
        describe=lambda: f"version 1 is served; {scene.subject.status}",
    )

    scene.change(rollbackTo=None)

    scene.wait_for_template(second)
    scene.subject.wait_until_served(version)
    assert len(scene.kubelet.seen) == rehearsals


def test_a_revision_that_there_is_not_is_told(start_operator: Start, scene: Scene) -> None:
    start_operator()
    scene.subject.wait_until_served(1)
    before = scene.template()

    scene.change(rollbackTo=7)

    scene.subject.wait_for_condition("Ready", "False", "RevisionNotFound")
    assert scene.template() == before


def test_as_many_revisions_are_kept_as_asked_for(start_operator: Start, scene: Scene) -> None:
    start_operator()
    scene.change(revisionHistoryLimit=1)
    scene.subject.wait_until_served(1)
    for _ in range(3):
        scene.subject.wait_until_served(scene.promote())

    eventually(
        # What serves, what it came from, and one more.
        lambda: scene.revisions() == [2, 3, 4],
        deadline_seconds=20,
        describe=lambda: f"the last three revisions are kept, not {scene.revisions()}",
    )
    assert [entry["revision"] for entry in scene.subject.status["history"]] == [4, 3, 2, 1]


def test_an_upgrade_of_the_operator_rolls_nothing(
    start_operator: Start, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = start_operator()
    scene.subject.wait_until_served(1)
    before, pods = scene.template(), scene.running()
    first.stop()

    def build_otherwise(*arguments: object) -> Json:
        template = build_pod_template(*arguments)  # type: ignore[arg-type]
        return {**template, "spec": {**template["spec"], "hostname": "of-a-newer-operator"}}

    where = "regisseur_operator.resources.children.build_pod_template"
    monkeypatch.setattr(where, build_otherwise)
    second = start_operator(serving_image="regisseur/serving:newer")
    second.wait_until_leading()
    scene.change(replicas=3)
    eventually(lambda: len(scene.running()) == 3, deadline_seconds=20)

    assert scene.template() == before
    assert pods.items() <= scene.running().items()

    scene.subject.wait_until_served(scene.promote())
    pod = scene.template()["spec"]
    assert (pod["hostname"], pod["containers"][0]["image"]) == (
        "of-a-newer-operator",
        "regisseur/serving:newer",
    )


# ---- a Deployment controller that is behind ------------------------------------------------------


@pytest.fixture
def own_plane(start_own_control_plane: Callable[[], ControlPlane]) -> KubeClient:
    """Return a namespace of a control plane whose controllers may be taken away."""
    plane = start_own_control_plane()
    apply_crds(plane)
    return KubeClient(plane, create_namespace(plane))


@pytest.mark.timeout(120)
def test_a_status_that_speaks_of_an_older_spec_is_not_believed(
    own_plane: KubeClient,
    mlflow_server: MlflowServer,
    promoted: str,
    promote: Callable[[], int],
) -> None:
    subject, plane = Subject(own_plane), own_plane.plane
    settings = build_settings(own_plane.namespace, mlflow_server.url)
    with graveyard() as operators, KubeletDouble(own_plane) as kubelet:
        operators.append(RunningOperator(settings, connect(plane.kubeconfig)).start())
        subject.create(promoted, replicas=2)
        subject.wait_until_served(1)
        scene = Scene(subject, kubelet, promote)
        kubelet.serving = only(of_version(1), ready, leave_alone)
        plane.controllers.stop(signal.SIGKILL)

        version = promote()

        eventually(
            lambda: scene.template()["metadata"]["labels"][LABEL_MODEL_VERSION] == str(version),
            deadline_seconds=30,
        )
        eventually(lambda: subject.status.get("candidate"), deadline_seconds=20)
        deployment = own_plane.read("deployments", subject.name)
        behind = deployment["status"]["observedGeneration"]
        assert behind < deployment["metadata"]["generation"]
        assert deployment["status"]["availableReplicas"] == 2
        assert subject.status["stable"]["version"] == 1
        assert subject.condition("Ready")["status"] == "False"

        kubelet.serving = ready
        plane.start_controllers()

        subject.wait_until_served(version)
