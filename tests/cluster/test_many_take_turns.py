"""No more is under way at once than the operator allows, and everybody gets there."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from regisseur_contract.names import LABEL_REHEARSAL
from regisseur_contract.tags import STAGE_PRODUCTION
from support.eventually import eventually
from support.kube_client import KubeClient
from support.kubelet_double import FINISHED, KubeletDouble
from support.mlflow_server import MlflowServer
from support.model_versions import create_model_version, transition
from support.modeldeployments import Subject
from support.pod_states import leave_alone
from support.running_operator import RunningOperator

Start = Callable[..., RunningOperator]

NAMES = ("beer", "port", "wine")
ONE_AT_ONCE = {"rehearsals_at_once": 1, "rollouts_at_once": 1}
LOOK_SECONDS = 0.05


@contextmanager
def most_at_once(kube: KubeClient) -> Iterator[dict[str, int]]:
    """Count, again and again, what is under way at one moment; the dictionary has the most."""
    most = {"rehearsals": 0, "rollouts": 0}
    stop = threading.Event()

    def look() -> None:
        while not stop.wait(LOOK_SECONDS):
            pods = kube.list("pods", selector=LABEL_REHEARSAL)
            running = [pod for pod in pods if pod["status"].get("phase") not in FINISHED]
            most["rehearsals"] = max(most["rehearsals"], len(running))
            found = kube.list("modeldeployments")
            rolling = [m for m in found if "candidate" in m.get("status", {})]
            most["rollouts"] = max(most["rollouts"], len(rolling))

    thread = threading.Thread(target=look, name="most at once")
    thread.start()
    try:
        yield most
    finally:
        stop.set()
        thread.join()


@pytest.mark.usefixtures("kubelet")
def test_all_who_follow_one_model_go_one_after_another(
    kube: KubeClient, start_operator: Start, mlflow_server: MlflowServer, promoted: str
) -> None:
    subjects = [Subject(kube, name) for name in NAMES]
    with most_at_once(kube) as most:
        start_operator(changes=ONE_AT_ONCE)
        for subject in subjects:
            subject.create(promoted)
        for subject in subjects:
            subject.wait_until_served(1)
        version = create_model_version(mlflow_server, promoted)
        transition(mlflow_server, promoted, version, STAGE_PRODUCTION)
        for subject in subjects:
            subject.wait_until_served(int(version))

    assert most == {"rehearsals": 1, "rollouts": 1}
    told = [e for e in kube.list("events") if e["reason"] == "Queued"]
    assert {event["involvedObject"]["name"] for event in told} <= set(NAMES)
    assert len(told) >= len(NAMES) - 1


def test_an_operator_that_comes_back_begins_nothing_beside_what_is_under_way(
    kube: KubeClient, start_operator: Start, kubelet: KubeletDouble, promoted: str
) -> None:
    first, second = Subject(kube, "beer"), Subject(kube, "wine")
    kubelet.rehearsing = leave_alone
    operator = start_operator(changes=ONE_AT_ONCE)
    first.create(promoted)
    first.wait_for_condition("Rehearsed", "Unknown", "RehearsalRunning")
    operator.kill()
    second.create(promoted)

    again = start_operator(identity="operator-2", changes=ONE_AT_ONCE)

    second.wait_for_condition("Rehearsed", "Unknown", "Queued")
    assert len(kube.list("pods", selector=LABEL_REHEARSAL)) == 1
    eventually(
        lambda: again.sample("regisseur_operator_waiting_for_turn", turn="rehearsal") == 1.0,
        deadline_seconds=5,
        describe="one waits",
    )
