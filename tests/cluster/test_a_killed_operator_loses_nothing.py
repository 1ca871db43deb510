"""The operator may die between any two writes: the next one goes on to the same end."""

from collections.abc import Callable

import pytest

from regisseur_contract.tags import STAGE_PRODUCTION
from regisseur_operator.ports import Cluster
from support.eventually import eventually
from support.kube_client import KubeClient
from support.mlflow_server import MlflowServer
from support.model_versions import create_model_version, transition
from support.modeldeployments import CHILDREN, Subject
from support.recording_cluster import DeadlyCluster
from support.running_operator import RunningOperator

Start = Callable[..., RunningOperator]

MOST_WRITES = 30
MOMENTS = [
    pytest.param(False, id="just before a write"),
    pytest.param(True, id="just after a write"),
]

pytestmark = [pytest.mark.usefixtures("kubelet"), pytest.mark.timeout(150)]


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
        eventually(
            lambda: self._cluster.has_struck.is_set() or _is_done(subject, version),
            deadline_seconds=40,
            describe=lambda: f"death or success; {subject.status}",
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
    for child in children.values():
        assert [owner["uid"] for owner in child["metadata"]["ownerReferences"]] == [uid]


@pytest.mark.parametrize("after", MOMENTS)
def test_killed_at_each_write_of_a_new_resource(
    start_operator: Start, kube: KubeClient, promoted: str, after: bool
) -> None:
    for at in range(1, MOST_WRITES):
        subject = Subject(kube, f"wine-{at}")
        subject.create(promoted)

        died = _live_until_write(start_operator, kube.namespace, at=at, after=after).dies_before(
            subject, 1
        )

        survivor = start_operator()
        subject.wait_until_served(1)
        survivor.kill()
        _check(subject)
        history = [(e["version"], e["outcome"]) for e in subject.status["history"]]
        assert history == [(1, "Succeeded")]
        kube.delete("modeldeployments", subject.name)
        if not died:
            assert at > len(CHILDREN)
            return
    raise AssertionError(f"a new resource takes {MOST_WRITES} writes or more")


@pytest.mark.parametrize("after", MOMENTS)
def test_killed_at_each_write_of_a_rollout(
    start_operator: Start,
    kube: KubeClient,
    mlflow_server: MlflowServer,
    promoted: str,
    after: bool,
) -> None:
    subject = Subject(kube)
    subject.create(promoted)
    first = start_operator()
    subject.wait_until_served(1)
    first.kill()
    for at in range(1, MOST_WRITES):
        version = create_model_version(mlflow_server, promoted)
        transition(mlflow_server, promoted, version, STAGE_PRODUCTION)

        died = _live_until_write(start_operator, kube.namespace, at=at, after=after).dies_before(
            subject, version
        )

        survivor = start_operator()
        subject.wait_until_served(version)
        survivor.kill()
        _check(subject)
        newest = subject.status["history"][0]
        assert (newest["version"], newest["from"], newest["outcome"]) == (
            version,
            version - 1,
            "Succeeded",
        )
        if not died:
            return
    raise AssertionError(f"a rollout takes {MOST_WRITES} writes or more")


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
