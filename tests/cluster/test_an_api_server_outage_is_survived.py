"""The API server goes and comes back; what happened meanwhile is caught up with, exactly."""

from collections import Counter
from collections.abc import Iterator

import pytest
import yaml

from regisseur_contract.tags import STAGE_PRODUCTION
from regisseur_devcluster.controlplane import ControlPlane
from regisseur_operator.adapters.kubernetes_session import load_connection
from regisseur_operator.ports import Cluster
from support.control_plane import trust
from support.cuttable_proxy import CuttableProxy
from support.eventually import eventually
from support.kube_client import Json, KubeClient
from support.mlflow_server import MlflowServer
from support.model_versions import create_model_version, transition
from support.modeldeployments import Subject
from support.recording_cluster import RecordingCluster
from support.running_operator import RunningOperator, build_settings, connect, graveyard

PATIENT = (60.0, 50.0, 0.5)
"""A lease that outlives the outage, so that the operator stays the same process."""


@pytest.fixture
def proxy(control_plane: ControlPlane) -> Iterator[CuttableProxy]:
    """Return a network to the API server that can be cut."""
    with CuttableProxy(control_plane.endpoints.api_port) as proxy:
        yield proxy


@pytest.fixture
def kubeconfig(control_plane: ControlPlane, proxy: CuttableProxy, kube: KubeClient) -> str:
    """Return the path of a kubeconfig that leads through that network."""
    document = yaml.safe_load(control_plane.kubeconfig.read_text())
    url = f"https://127.0.0.1:{proxy.port}"
    document["clusters"][0]["cluster"]["server"] = url
    trust(url)
    path = control_plane.folder / f"{kube.namespace}.kubeconfig"
    path.write_text(yaml.safe_dump(document))
    return str(path)


class Fleet:
    """Operators of one test behind the network that can be cut."""

    def __init__(
        self,
        namespace: str,
        registry_url: str,
        kubeconfig: str,
        operators: list[RunningOperator],
    ) -> None:
        self._namespace = namespace
        self._registry_url = registry_url
        self._kubeconfig = kubeconfig
        self.operators = operators
        self.recordings: list[RecordingCluster] = []

    def start(
        self,
        identity: str = "operator-1",
        lease: tuple[float, float, float] = PATIENT,
        kubeconfig: str = "",
    ) -> RunningOperator:
        """Start an operator."""
        settings = build_settings(
            self._namespace, self._registry_url, identity=identity, lease=lease
        )
        connection = load_connection(kubeconfig or self._kubeconfig)

        def wrap(cluster: Cluster) -> RecordingCluster:
            self.recordings.append(RecordingCluster(cluster, self._namespace))
            return self.recordings[-1]

        operator = RunningOperator(settings, connection, wrap_cluster=wrap)
        self.operators.append(operator)
        return operator.start()


@pytest.fixture
def fleet(kube: KubeClient, mlflow_server: MlflowServer, kubeconfig: str) -> Iterator[Fleet]:
    """Return what starts operators behind the network that can be cut."""
    with graveyard() as operators:
        yield Fleet(kube.namespace, mlflow_server.url, kubeconfig, operators)


@pytest.mark.usefixtures("kubelet")
@pytest.mark.timeout(150)
def test_what_was_deleted_edited_and_promoted_meanwhile_is_caught_up_with(
    fleet: Fleet,
    proxy: CuttableProxy,
    kube: KubeClient,
    mlflow_server: MlflowServer,
    promoted: str,
) -> None:
    subjects = {name: Subject(kube, name) for name in ("gone", "bereft", "edited", "still")}
    for subject in subjects.values():
        subject.create(promoted)
    operator = fleet.start()
    for subject in subjects.values():
        subject.wait_until_served(1)
    before = _count_creates(fleet.recordings[0])

    proxy.cut()
    kube.delete("modeldeployments", "gone")
    kube.delete("deployments", "bereft")
    kube.delete("services", "bereft")
    kube.edit("services", "edited", _steal)
    eventually(lambda: not subjects["gone"].children(), deadline_seconds=30)
    # Its memory of what happened is gone with it: watches cannot go on where they were.
    kube.plane.restart_apiserver()
    version = create_model_version(mlflow_server, promoted)
    transition(mlflow_server, promoted, version, STAGE_PRODUCTION)
    proxy.mend()

    for name in ("bereft", "edited", "still"):
        subjects[name].wait_until_served(2, deadline_seconds=60)
    eventually(
        lambda: "app" not in kube.read("services", "edited")["spec"]["selector"],
        deadline_seconds=20,
        describe="the edit is undone",
    )
    eventually(lambda: kube.get("services", "bereft"), deadline_seconds=20)
    eventually(
        lambda: operator.sample("regisseur_operator_modeldeployments") == _number_of_all(kube),
        deadline_seconds=20,
        describe="the deleted one is forgotten",
    )
    assert kube.get("deployments", "gone") is None
    # What was deleted, and for each of the three a rehearsal and a revision of the new version.
    due = {"Deployment": 1, "Service": 1, "Pod": 3, "ControllerRevision": 3}
    assert _count_creates(fleet.recordings[0]) - before == due
    assert operator.is_alive
    assert len(fleet.recordings) == 1


@pytest.mark.usefixtures("kubelet")
@pytest.mark.timeout(120)
def test_it_starts_before_the_api_server_and_waits(
    fleet: Fleet, proxy: CuttableProxy, subject: Subject, promoted: str
) -> None:
    subject.create(promoted)
    proxy.cut()

    operator = fleet.start()
    eventually(lambda: operator.operator is not None, deadline_seconds=10)
    proxy.mend()

    subject.wait_until_served(1)
    assert operator.error is None


@pytest.mark.usefixtures("kubelet")
@pytest.mark.timeout(120)
def test_a_leader_that_cannot_renew_ends_and_the_other_one_takes_over(
    fleet: Fleet,
    proxy: CuttableProxy,
    control_plane: ControlPlane,
    subject: Subject,
    promoted: str,
) -> None:
    connect(control_plane.kubeconfig)
    quick = (4.0, 3.0, 0.5)
    first = fleet.start("operator-1", quick)
    first.wait_until_leading()
    second = fleet.start("operator-2", quick, kubeconfig=str(control_plane.kubeconfig))
    subject.create(promoted)
    subject.wait_until_served(1)
    assert not second.is_leader

    proxy.black_hole()

    second.wait_until_leading()
    eventually(lambda: not first.is_alive, deadline_seconds=20, describe="the first one has ended")
    assert "could not be renewed" in str(first.error)
    written = len(fleet.recordings[0].written)
    subject.kube.delete("services", subject.name)
    eventually(lambda: subject.kube.get("services", subject.name), deadline_seconds=20)
    assert len(fleet.recordings[0].written) == written


@pytest.mark.timeout(60)
def test_a_leader_that_stops_gives_the_lease_back(fleet: Fleet, kube: KubeClient) -> None:
    first = fleet.start("operator-1", (30.0, 20.0, 0.5))
    first.wait_until_leading()
    second = fleet.start("operator-2", (30.0, 20.0, 0.5))
    assert not second.is_leader

    first.stop()

    # Long before the thirty seconds of the lease are over.
    eventually(lambda: second.is_leader, deadline_seconds=10, describe="the second one leads")
    assert kube.read("leases", "operator")["spec"]["holderIdentity"] == "operator-2"
    assert first.error is None


@pytest.mark.timeout(60)
def test_who_stands_by_stays_a_candidate_through_an_outage(
    fleet: Fleet, proxy: CuttableProxy, kube: KubeClient, control_plane: ControlPlane
) -> None:
    quick = (2.0, 1.5, 0.3)
    leader = fleet.start("operator-1", quick, kubeconfig=str(control_plane.kubeconfig))
    leader.wait_until_leading()
    candidate = fleet.start("operator-2", quick)
    eventually(
        lambda: candidate.operator is not None and candidate.operator.web_port,
        deadline_seconds=10,
    )

    proxy.cut()
    leader.stop()
    eventually(
        lambda: kube.read("leases", "operator")["spec"]["holderIdentity"] == "",
        deadline_seconds=10,
    )
    assert candidate.is_alive
    proxy.mend()

    candidate.wait_until_leading()


def _steal(service: Json) -> None:
    service["spec"]["selector"] = {"app": "somebody-else"}


def _count_creates(recording: RecordingCluster) -> Counter[str]:
    return Counter(write.kind for write in recording.written if write.verb == "create")


def _number_of_all(kube: KubeClient) -> int:
    return len(kube.call("GET", "apis/regisseur.dev/v1alpha1/modeldeployments")["items"])
