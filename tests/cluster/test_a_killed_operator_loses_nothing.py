"""The operator may die between any two writes: the next one goes on to the same end."""

from collections.abc import Callable

import pytest

from regisseur_contract.names import LABEL_MODEL_VERSION, LABEL_MODELDEPLOYMENT
from regisseur_contract.tags import STAGE_PRODUCTION
from regisseur_operator.ports import Cluster
from support.eventually import eventually
from support.kube_client import Json, KubeClient
from support.kubelet_double import KubeletDouble, of_version, only
from support.mlflow_server import MlflowServer
from support.model_versions import create_model_version, transition
from support.modeldeployments import CHILDREN, Subject
from support.pod_states import crashing, ready
from support.recording_cluster import DeadlyCluster
from support.running_operator import RunningOperator

Start = Callable[..., RunningOperator]

MOST_WRITES = 30
MOMENTS = [
    pytest.param(False, id="just before a write", marks=pytest.mark.deep),
    pytest.param(True, id="just after a write"),
]

pytestmark = [pytest.mark.usefixtures("kubelet"), pytest.mark.timeout(240)]


def _live_until_write(start: Start, namespace: str, *, at: int, after: bool) -> "_Life":
    deadly: list[DeadlyCluster] = []

    def wrap(cluster: Cluster) -> Cluster:
        deadly.append(DeadlyCluster(cluster, namespace, at=at, after=after))
        return deadly[-1]

    operator = start(wrap_cluster=wrap)
    eventually(lambda: deadly, deadline_seconds=10)
    return _Life(operator, deadly[0])


class _Life:
    """One operator that dies at a chosen write, if it ever comes to that."""

    def __init__(self, operator: RunningOperator, cluster: DeadlyCluster) -> None:
        self._operator = operator
        self._cluster = cluster

    def dies_before(self, subject: Subject, version: int) -> bool:
        """Wait for its death and return True, or False when its work was done before."""
        return self._dies_before(subject, lambda: _is_done(subject, version))

    def dies_before_rejecting(self, subject: Subject, version: int) -> bool:
        """Wait for its death and return True, or False when the version was rejected before."""
        return self._dies_before(subject, lambda: _is_rejected(subject, version))

    def _dies_before(self, subject: Subject, is_done: Callable[[], bool]) -> bool:
        eventually(
            lambda: self._cluster.has_struck.is_set() or is_done(),
            deadline_seconds=40,
            describe=lambda: f"death or the end of the work; {subject.status}",
        )
        self._operator.kill()
        return self._cluster.has_struck.is_set()


def _is_done(subject: Subject, version: int) -> bool:
    status = subject.status
    return (
        status.get("stable", {}).get("version") == version
        and subject.condition("Ready").get("status") == "True"
    )


def _check(subject: Subject) -> None:
    """Check that there is exactly what there should be, owned by the resource."""
    uid = subject.manifest["metadata"]["uid"]
    children = subject.children()
    assert set(children) == set(CHILDREN)
    revisions = _revisions(subject)
    for child in (*children.values(), *revisions):
        assert [owner["uid"] for owner in child["metadata"]["ownerReferences"]] == [uid]
    rolled = {entry["revision"] for entry in subject.status["history"]}
    assert {revision["revision"] for revision in revisions} == rolled


def _revisions(subject: Subject) -> list[Json]:
    selector = f"{LABEL_MODELDEPLOYMENT}={subject.name}"
    return subject.kube.list("controllerrevisions", selector=selector)


def _count_rehearsals(kubelet: KubeletDouble, subject: Subject, version: int) -> int:
    name = f"{subject.name}-rehearsal"
    is_of = of_version(version)
    return sum(pod["metadata"]["name"] == name and is_of(pod) for pod in kubelet.seen.values())


def _wait_until_tidy(subject: Subject) -> None:
    eventually(
        lambda: not subject.kube.get("pods", f"{subject.name}-rehearsal"),
        deadline_seconds=20,
        describe="the pod of the rehearsal is taken away",
    )


@pytest.mark.parametrize("after", MOMENTS)
def test_killed_at_each_write_of_a_new_resource(
    start_operator: Start, kube: KubeClient, kubelet: KubeletDouble, promoted: str, after: bool
) -> None:
    for at in range(1, MOST_WRITES):
        subject = Subject(kube, f"wine-{at}")
        subject.create(promoted)

        died = _live_until_write(start_operator, kube.namespace, at=at, after=after).dies_before(
            subject, 1
        )

        survivor = start_operator()
        subject.wait_until_served(1)
        _wait_until_tidy(subject)
        survivor.kill()
        _check(subject)
        assert _count_rehearsals(kubelet, subject, 1) == 1
        history = [(e["version"], e["outcome"]) for e in subject.status["history"]]
        assert history == [(1, "Succeeded")]
        kube.delete("modeldeployments", subject.name)
        if not died:
            assert at > len(CHILDREN)
            return
    raise AssertionError(f"a new resource takes {MOST_WRITES} writes or more")


@pytest.fixture
def promote(subject: Subject, mlflow_server: MlflowServer, promoted: str) -> Callable[[], int]:
    """Create the resource, and return a function that puts a new version into Production."""
    subject.create(promoted, revisionHistoryLimit=50)

    def promote() -> int:
        version = create_model_version(mlflow_server, promoted)
        transition(mlflow_server, promoted, version, STAGE_PRODUCTION)
        return version

    return promote


@pytest.mark.parametrize("after", MOMENTS)
def test_killed_at_each_write_of_a_rollout(
    start_operator: Start,
    kubelet: KubeletDouble,
    subject: Subject,
    promote: Callable[[], int],
    after: bool,
) -> None:
    kube = subject.kube
    first = start_operator()
    subject.wait_until_served(1)
    first.kill()
    for at in range(1, MOST_WRITES):
        version = promote()

        died = _live_until_write(start_operator, kube.namespace, at=at, after=after).dies_before(
            subject, version
        )

        survivor = start_operator()
        subject.wait_until_served(version)
        _wait_until_tidy(subject)
        survivor.kill()
        _check(subject)
        assert _count_rehearsals(kubelet, subject, version) == 1
        newest = subject.status["history"][0]
        assert (newest["version"], newest["from"], newest["outcome"]) == (
            version,
            version - 1,
            "Succeeded",
        )
        if not died:
            return
    raise AssertionError(f"a rollout takes {MOST_WRITES} writes or more")


@pytest.mark.parametrize("after", MOMENTS)
def test_killed_at_each_write_of_a_rollout_that_fails(
    start_operator: Start,
    kubelet: KubeletDouble,
    subject: Subject,
    promote: Callable[[], int],
    after: bool,
) -> None:
    kubelet.serving = only(of_version(1), ready, crashing("no module named vineyard"))
    first = start_operator()
    subject.wait_until_served(1)
    first.kill()
    for at in range(1, MOST_WRITES):
        version = promote()

        life = _live_until_write(start_operator, subject.kube.namespace, at=at, after=after)
        died = life.dies_before_rejecting(subject, version)

        survivor = start_operator()
        eventually(
            lambda: _is_rejected(subject, version),  # noqa: B023  # asked within this round only
            deadline_seconds=40,
            describe=lambda: f"version 1 is put back; {subject.status}",
        )
        _wait_until_tidy(subject)
        survivor.kill()
        assert _count_rehearsals(kubelet, subject, version) == 1
        newest = subject.status["history"][0]
        assert (newest["version"], newest["outcome"]) == (version, "Failed")
        assert subject.status["stable"]["revision"] == 1
        if not died:
            return
    raise AssertionError(f"a rollout that fails takes {MOST_WRITES} writes or more")


def _is_rejected(subject: Subject, version: int) -> bool:
    """Whether a version has failed and version 1 serves again."""
    status = subject.status
    deployment = subject.deployment
    assert deployment is not None
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    return (
        [entry["version"] for entry in status.get("rejected", ())][:1] == [version]
        and "candidate" not in status
        and labels[LABEL_MODEL_VERSION] == "1"
        and subject.condition("Available").get("status") == "True"
        and subject.condition("Ready").get("reason") == "VersionRejected"
    )


def test_lives_of_one_write_each_come_to_the_same_end(
    start_operator: Start, kube: KubeClient, promoted: str
) -> None:
    subject = Subject(kube)
    subject.create(promoted)

    lives = 0
    while _live_until_write(start_operator, kube.namespace, at=1, after=True).dies_before(
        subject, 1
    ):
        lives += 1
        assert lives < MOST_WRITES, subject.status

    subject.wait_until_served(1)
    _check(subject)
