"""Autoscaling by the use of CPU, on the real node: up under load, and handed over without a gap."""

import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from regisseur_devcluster.cluster import Cluster
from support.eventually import eventually
from support.ready_pods import ReadyPods
from support.served import Served
from support.stage import Stage
from support.wine import start_wine

REQUESTS = {"resources": {"requests": {"cpu": "50m"}}}
"""So little that a light load is too much for it."""

UP_SECONDS = 150
LOOK_SECONDS = 90
"""The autoscaler looks every fifteen seconds, at figures that are up to twenty seconds old."""

BOUNDS = ("--count", "100000", "--seconds", "520")


@pytest.fixture(scope="module")
def scaled(stage: Stage, node_cluster: Cluster) -> Served:
    """Return a ModelDeployment that serves, on a node that is measured."""
    node_cluster.start_metrics()
    return start_wine(stage.create_served("scaled"), replicas=1, serving=REQUESTS).served


def build_autoscaling(least: int, most: int, percent: int) -> dict[str, int]:
    return {"minReplicas": least, "maxReplicas": most, "targetCPUUtilizationPercentage": percent}


def read_autoscaler(served: Served) -> dict[str, Any]:
    return served.kubectl.read("hpa", served.name, "-n", served.namespace)


def read_replicas(served: Served) -> int:
    found = served.kubectl.read("modeldeployment", served.name, "-n", served.namespace)
    return int(found["spec"]["replicas"])


def is_handed_over(served: Served, *, least: int) -> bool:
    """Return whether the autoscaler has looked at the load and has the floor of the spec."""
    found = read_autoscaler(served)
    return bool(found["spec"]["minReplicas"] == least and found["status"].get("currentMetrics"))


def test_load_brings_more_pods_and_fails_no_request(
    scaled: Served, note_figure: Callable[[str], None]
) -> None:
    scaled.deploy(replicas=None, serving=REQUESTS, autoscaling=build_autoscaling(1, 3, 60))
    with (
        ReadyPods(scaled.kubectl, scaled.namespace, scaled.name) as pods,
        scaled.load(150.0, *BOUNDS) as load,
    ):
        started = time.monotonic()
        eventually(
            lambda: pods.now >= 2,
            deadline_seconds=UP_SECONDS,
            interval=0.5,
            describe=lambda: f"two pods are ready; {read_autoscaler(scaled)['status']}",
        )
        took = time.monotonic() - started
        row = scaled.kubectl("get", "hpa", "-n", scaled.namespace).splitlines()[1]
        before = load.so_far.total
        eventually(lambda: load.so_far.total > before + 300, deadline_seconds=60)
        summary = load.stop()

    note_figure(f"two ready pods {took:.0f} s after the load began; {row.strip()}")
    note_figure(summary.describe())
    assert re.search(rf"ModelDeployment/{scaled.name} +cpu: [0-9]+%/60% +1 +3 ", row)
    assert read_replicas(scaled) >= 2
    assert pods.fewest >= 1
    assert summary.failed == 0, summary.failures


@pytest.mark.timeout(500, func_only=True)
def test_switching_autoscaling_on_and_off_drops_no_pod(
    scaled: Served, note_figure: Callable[[str], None]
) -> None:
    """An apply that leaves replicas out, with nobody else to own it, resets it to 1."""
    scaled.deploy(replicas=3, serving=REQUESTS)
    scaled.wait_until_ready()
    with (
        ReadyPods(scaled.kubectl, scaled.namespace, scaled.name) as pods,
        scaled.load(40.0, *BOUNDS) as load,
    ):
        eventually(lambda: pods.now == 3, deadline_seconds=60)
        # So eager that three pods are never too many for it.
        scaled.deploy(replicas=None, serving=REQUESTS, autoscaling=build_autoscaling(1, 3, 1))
        reset = read_replicas(scaled)
        started = time.monotonic()
        eventually(
            lambda: is_handed_over(scaled, least=1) and read_replicas(scaled) == 3,
            deadline_seconds=LOOK_SECONDS,
            interval=0.5,
            describe=lambda: f"the autoscaler has taken over; {read_autoscaler(scaled)}",
        )
        note_figure(f"replicas {reset} after the apply, 3 after {time.monotonic() - started:.0f} s")
        scaled.deploy(replicas=3, serving=REQUESTS)
        eventually(
            lambda: not scaled.kubectl("get", "hpa", "-n", scaled.namespace, "-o", "name"),
            deadline_seconds=30,
            describe="the autoscaler is gone",
        )
        scaled.deploy(replicas=3, serving=REQUESTS, autoscaling=build_autoscaling(2, 3, 1))
        eventually(
            lambda: is_handed_over(scaled, least=2), deadline_seconds=LOOK_SECONDS, interval=0.5
        )
        scaled.deploy(replicas=None, serving=REQUESTS, autoscaling=build_autoscaling(2, 3, 1))
        before = load.so_far.total
        eventually(lambda: load.so_far.total > before + 800, deadline_seconds=60)
        eventually(lambda: read_replicas(scaled) == 3, deadline_seconds=LOOK_SECONDS)
        scaled.deploy(replicas=3, serving=REQUESTS)
        scaled.wait_until_ready()
        summary = load.stop()

    note_figure(f"replicas → autoscaling → replicas, twice: at least {pods.fewest} ready pods")
    note_figure(summary.describe())
    assert pods.fewest == pods.most == 3
    assert summary.failed == 0, summary.failures
