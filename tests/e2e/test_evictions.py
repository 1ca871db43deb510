"""Pods that are evicted, as by a drain of their node: one at a time, and no request is lost.

The one exception is a ModelDeployment with a single pod: its budget lets that pod go, as it would
block every drain for ever otherwise, and requests may fail until the next one is ready.
"""

import json
from collections.abc import Callable, Iterator

import pytest

from regisseur_devcluster.demo.loadprocess import LoadProcess
from regisseur_devcluster.errors import DevclusterError
from support.eventually import eventually
from support.ready_pods import ReadyPods
from support.served import Served, stopped_server
from support.wine import Wine

REQUESTS_PER_SECOND = 100.0
BOUNDS = ("--count", "50000", "--seconds", "290")
RECOVERY_SECONDS = 60


@pytest.fixture
def served(wine: Wine) -> Iterator[Served]:
    """Return what pods are evicted of; afterwards it has two of them again, as other tests do."""
    yield wine.served
    scale(wine.served, 2)


def evict(served: Served, uid: str) -> bool:
    """Ask for the eviction of a pod as `kubectl drain` does; return whether it was granted."""
    name = served.pods[uid].name
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": name, "namespace": served.namespace},
    }
    path = f"/api/v1/namespaces/{served.namespace}/pods/{name}/eviction"
    try:
        served.kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(eviction))
    except DevclusterError as error:
        if "disruption budget" not in str(error):
            raise
        return False
    return True


def evict_once_allowed(served: Served, uid: str) -> None:
    eventually(lambda: evict(served, uid), deadline_seconds=RECOVERY_SECONDS, interval=0.2)


def scale(served: Served, replicas: int) -> list[str]:
    """Bring a ModelDeployment to a number of pods and return their uids."""
    served.deploy(replicas=replicas)
    eventually(
        lambda: len(ready(served)) == len(served.pods) == replicas,
        deadline_seconds=120,
        interval=0.5,
        describe=lambda: f"{replicas} pods; {served.describe()}",
    )
    served.wait_until_ready()
    eventually(
        lambda: read_budget(served)["currentHealthy"] == replicas, deadline_seconds=30, interval=0.5
    )
    return ready(served)


def ready(served: Served) -> list[str]:
    return [uid for uid, pod in served.pods.items() if pod.is_ready and not pod.is_ending]


def read_budget(served: Served) -> dict[str, int]:
    found = served.kubectl.read("pdb", served.name, "-n", served.namespace)
    return dict(found["status"])


def wait_for_requests(load: LoadProcess, more: int) -> None:
    wanted = load.so_far.total + more
    eventually(lambda: load.so_far.total >= wanted, deadline_seconds=60)


@pytest.mark.parametrize("replicas", [2, 3])
def test_several_pods_go_one_at_a_time_and_no_request_fails(
    served: Served, replicas: int, note_figure: Callable[[str], None]
) -> None:
    first, second, *others = scale(served, replicas)

    with (
        ReadyPods(served.kubectl, served.namespace, served.name) as pods,
        served.load(REQUESTS_PER_SECOND, *BOUNDS) as load,
    ):
        wait_for_requests(load, 100)
        assert evict(served, first)
        assert not evict(served, second), "a second pod goes while one is missing"
        for uid in (second, *others):
            evict_once_allowed(served, uid)
        eventually(lambda: pods.now == replicas, deadline_seconds=RECOVERY_SECONDS)
        wait_for_requests(load, 100)
        summary = load.stop()

    note_figure(f"{replicas} pods evicted one after the other: {summary.describe()}")
    assert pods.fewest == replicas - 1
    assert summary.failed == 0, summary.failures


def test_a_single_pod_may_go_and_is_replaced(
    served: Served, note_figure: Callable[[str], None]
) -> None:
    (only,) = scale(served, 1)

    with (
        ReadyPods(served.kubectl, served.namespace, served.name) as pods,
        served.load(REQUESTS_PER_SECOND, *BOUNDS) as load,
    ):
        wait_for_requests(load, 100)
        assert evict(served, only)
        eventually(lambda: pods.fewest == 0 and pods.now == 1, deadline_seconds=RECOVERY_SECONDS)
        wait_for_requests(load, 200)
        summary = load.stop()

    times = sorted(failure.at for failure in summary.failures)
    gap = times[-1] - times[0] if times else 0.0
    note_figure(f"the only pod evicted: {summary.describe()}, all within {gap:.1f} s")
    assert summary.failed < summary.total


def test_an_unhealthy_pod_is_evicted_although_the_budget_is_spent(served: Served) -> None:
    sick, healthy = scale(served, 2)

    with stopped_server(sick):
        eventually(
            lambda: read_budget(served)["currentHealthy"] == 1,
            deadline_seconds=30,
            describe="the pod that hangs is not counted",
        )
        assert not evict(served, healthy)
        assert evict(served, sick)
    eventually(lambda: sick not in served.pods, deadline_seconds=90, interval=0.5)
    eventually(lambda: len(ready(served)) == 2, deadline_seconds=RECOVERY_SECONDS, interval=0.5)


def test_an_eviction_in_the_middle_of_a_rollout_fails_no_request(
    wine: Wine, served: Served, note_figure: Callable[[str], None]
) -> None:
    old, new = wine.now, wine.other
    victim, _ = scale(served, 2)

    with (
        ReadyPods(served.kubectl, served.namespace, served.name) as pods,
        served.load(REQUESTS_PER_SECOND, *BOUNDS) as load,
    ):
        wait_for_requests(load, 100)
        served.promote(new)
        eventually(
            lambda: str(new) in served.counts,
            deadline_seconds=120,
            describe=lambda: f"a pod of version {new} is there; {served.describe()}",
        )
        evict_once_allowed(served, victim)
        served.wait_until_served(new)
        served.wait_until_ready()
        wait_for_requests(load, 100)
        summary = load.stop()

    note_figure(f"evicted while v{old} → v{new}: {summary.describe()}")
    assert pods.fewest >= 1
    assert summary.failed == 0, summary.failures
