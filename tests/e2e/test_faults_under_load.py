"""Pods that are deleted and processes that are killed while requests come in."""

from collections.abc import Callable

import pytest

from regisseur_devcluster.demo.chart import NAMESPACE as OPERATOR_NAMESPACE
from regisseur_devcluster.demo.chart import RELEASE
from support.eventually import eventually
from support.served import kill_server, wait_for_requests
from support.stage import Stage
from support.wine import Wine

REQUESTS_PER_SECOND = 150.0
BOUNDS = ("--count", "50000", "--seconds", "300")
HARM_SECONDS = 3.0
"""How long after a server was killed requests may fail."""


def test_deleting_a_server_pod_fails_no_request(
    wine: Wine, note_figure: Callable[[str], None]
) -> None:
    served = wine.served
    victim, pod = next(iter(served.pods.items()))

    with served.load(REQUESTS_PER_SECOND, *BOUNDS) as load:
        wait_for_requests(load, 150)
        served.kubectl("delete", "pod", pod.name, "-n", served.namespace, "--wait=false")
        eventually(
            lambda: victim not in served.pods,
            deadline_seconds=60,
            interval=0.5,
            describe=f"{pod.name} is gone",
        )
        served.wait_until_served(wine.now)
        wait_for_requests(load, 150)
        summary = load.stop()

    note_figure(f"server pod deleted: {summary.describe()}")
    assert summary.failed == 0, summary.failures


@pytest.mark.parametrize(
    "deployment",
    [
        pytest.param(f"{OPERATOR_NAMESPACE}/{RELEASE}", id="the operator"),
        pytest.param("mlops/mlflow", id="MLflow"),
    ],
)
def test_deleting_a_pod_that_serving_does_not_need_fails_no_request(
    wine: Wine, stage: Stage, deployment: str, note_figure: Callable[[str], None]
) -> None:
    served, new = wine.served, wine.other
    before = served.pods

    with served.load(REQUESTS_PER_SECOND, *BOUNDS) as load:
        wait_for_requests(load, 150)
        stage.delete_pods(deployment)
        wait_for_requests(load, 500)
        stage.wait_until_available(deployment)
        wait_for_requests(load, 150)
        assert set(served.pods) == set(before), "the server's pods are others now"
        served.promote(new)
        served.wait_until_served(new)
        summary = load.stop()

    note_figure(f"{deployment} pod deleted, then a promotion: {summary.describe()}")
    assert summary.failed == 0, summary.failures


def test_a_killed_server_fails_requests_for_a_moment_only(
    wine: Wine, note_figure: Callable[[str], None]
) -> None:
    served = wine.served

    with served.load(REQUESTS_PER_SECOND, *BOUNDS) as load:
        wait_for_requests(load, 150)
        killed = kill_server(next(iter(served.pods)))
        wait_for_requests(load, round(REQUESTS_PER_SECOND * HARM_SECONDS * 2))
        served.wait_until_served(wine.now)
        wait_for_requests(load, 150)
        summary = load.stop()

    harm = max((f.at + f.seconds - killed for f in summary.failures), default=0.0)
    note_figure(f"server killed: {summary.describe()}, the last one {harm:.2f} s after the kill")
    late = [failure for failure in summary.failures if failure.at > killed + HARM_SECONDS]
    assert not late
    assert summary.failed == len(summary.failures)
