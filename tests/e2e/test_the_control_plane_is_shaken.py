"""The operator is killed in the middle of a rollout, and so is what it stands on.

Whoever is served does not notice, and afterwards the ModelDeployment tells the truth: the promoted
version is served, by one rollout, and nothing was rejected.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from regisseur_devcluster.cluster import Cluster
from regisseur_devcluster.controlplane import ControlPlane
from regisseur_devcluster.demo.chart import NAMESPACE, RELEASE
from regisseur_devcluster.demo.loadprocess import LoadProcess
from regisseur_devcluster.errors import DevclusterError
from support.eventually import eventually
from support.served import Served, find_process, wait_for_requests
from support.stage import Stage
from support.wine import register_linear, start_wine

OPERATOR = f"{NAMESPACE}/{RELEASE}"
PROCESS = b"regisseur_operator"
REQUESTS_PER_SECOND = 150.0
BOUNDS = ("--count", "100000", "--seconds", "600")
MOMENTS = (0.3, 1.0, 2.0, 4.0, 6.0, 9.0, 12.0, 16.0, 21.0, 27.0)
"""Seconds after a promotion: in the resolution, the rehearsal, the surge, the drain, at the end."""

ONE_MOMENT = 9.0
OUTAGE_SECONDS = 20.0

Note = Callable[[str], None]
Wait = Callable[[float], None]


class Operators:
    """The operator's pods, and their processes on this machine."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    @property
    def pods(self) -> dict[str, int]:
        """How often each pod's container was started again, by uid."""
        selector = f"app.kubernetes.io/name={RELEASE}"
        found = self._stage.kubectl.read("pods", "-n", NAMESPACE, "-l", selector)["items"]
        return {
            pod["metadata"]["uid"]: sum(
                entry["restartCount"] for entry in pod["status"].get("containerStatuses", ())
            )
            for pod in found
        }

    @property
    def restarts(self) -> int:
        """How often they were started again, all together."""
        return sum(self.pods.values())

    def kill(self) -> int:
        """End all of them as the kernel would; return how many that were."""
        processes = [find_process(uid, PROCESS) for uid in self.pods]
        for process in processes:
            os.kill(process, signal.SIGKILL)
        return len(processes)

    @contextmanager
    def scaled(self, replicas: int) -> Iterator[None]:
        """Have so many of them for the time of a `with` block."""
        self._stage.scale(OPERATOR, replicas)
        self._stage.wait_until_available(OPERATOR)
        try:
            yield
        finally:
            self._stage.scale(OPERATOR, 1)
            self._stage.wait_until_available(OPERATOR)


@pytest.fixture
def operators(stage: Stage) -> Iterator[Operators]:
    """Return the operator's pods; in the end they are others, which no kubelet holds back."""
    yield Operators(stage)
    stage.delete_pods(OPERATOR)
    stage.wait_until_available(OPERATOR)


@pytest.fixture(scope="module")
def served(stage: Stage) -> Iterator[Served]:
    """Return a ModelDeployment of these tests alone."""
    served = start_wine(stage.create_served("shaken")).served
    yield served
    served.kubectl("delete", "modeldeployment", served.name, "-n", served.namespace)


@contextmanager
def promotion(served: Served, note: Note, what: str) -> Iterator[Wait]:
    """Promote a version that never served, under load; the block is what happens meanwhile.

    It gets a function that lets some seconds pass, as the clients count them.

    In the end that version is served, by one rollout that the history tells of, and no request of
    any kind of client has failed.
    """
    served.wait_until_ready()
    new = register_linear(served.registry, served.model)
    revision = int(served.status["stable"]["revision"])
    with served.load(REQUESTS_PER_SECOND, *BOUNDS, by="node") as load:
        go_on = partial(pass_time, load)
        go_on(1)
        began = served.promote(new)
        yield go_on
        patient(lambda: served.wait_until_served(new, deadline_seconds=180))
        ended = time.time()
        summary = load.stop()
    note(f"{what}: {ended - began:.1f} s, {summary.describe()}")
    assert summary.failed == 0, summary.failures
    served.wait_until_ready()
    status = served.status
    assert status["stable"]["version"] == new
    assert status["stable"]["revision"] == revision + 1, "it took one rollout"
    assert "candidate" not in status
    assert status.get("rejected", []) == []
    assert (status["history"][0]["version"], status["history"][0]["outcome"]) == (new, "Succeeded")


def pass_time(load: LoadProcess, seconds: float) -> None:
    """Wait until as many requests were answered as come in so many seconds."""
    wait_for_requests(load, REQUESTS_PER_SECOND * seconds, deadline_seconds=60 + seconds)


def patient(wait: Callable[[], object]) -> None:
    """Wait for something although the API server may not answer."""

    def holds() -> bool:
        try:
            wait()
        except DevclusterError:
            return False
        return True

    eventually(holds, deadline_seconds=200, interval=1.0)


@pytest.mark.parametrize(
    "seconds",
    [
        pytest.param(s, marks=() if s == ONE_MOMENT else pytest.mark.deep, id=f"after {s:g} s")
        for s in MOMENTS
    ],
)
def test_an_operator_that_is_killed_in_a_rollout_goes_on_with_it(
    served: Served, operators: Operators, note_figure: Note, seconds: float
) -> None:
    with promotion(served, note_figure, f"operator killed after {seconds:g} s") as go_on:
        go_on(seconds)
        assert operators.kill() == 1


@pytest.mark.deep
def test_both_of_two_operators_can_be_killed(
    served: Served, operators: Operators, note_figure: Note
) -> None:
    with operators.scaled(2), promotion(served, note_figure, "both operators killed") as go_on:
        go_on(ONE_MOMENT)
        assert operators.kill() == 2


@pytest.fixture
def plane(node_cluster: Cluster) -> Iterator[ControlPlane]:
    """Return the control plane of the node; in the end all of it runs."""
    yield node_cluster.plane
    node_cluster.plane.start()


@pytest.mark.deep
def test_an_api_server_that_restarts_in_a_rollout_is_no_trouble(
    served: Served, operators: Operators, plane: ControlPlane, note_figure: Note
) -> None:
    before = operators.restarts
    with promotion(served, note_figure, "API server restarted") as go_on:
        go_on(ONE_MOMENT)
        plane.restart_apiserver()

    assert operators.restarts == before, "the operator ended"


@pytest.mark.deep
def test_an_etcd_that_is_killed_in_a_rollout_is_no_trouble(
    served: Served, plane: ControlPlane, note_figure: Note
) -> None:
    with promotion(served, note_figure, "etcd killed") as go_on:
        go_on(ONE_MOMENT)
        plane.etcd.stop(signal.SIGKILL)
        plane.start_etcd()


def test_an_api_server_that_is_away_in_a_rollout_makes_no_crash_loop(
    served: Served, operators: Operators, plane: ControlPlane, note_figure: Note
) -> None:
    """A leader that cannot renew ends, once, and comes back as a candidate that waits."""
    before = operators.restarts
    with promotion(served, note_figure, f"API server away for {OUTAGE_SECONDS:g} s") as go_on:
        go_on(ONE_MOMENT)
        plane.kill_apiserver()
        go_on(OUTAGE_SECONDS)
        plane.start_apiserver()

    assert operators.restarts <= before + 1
