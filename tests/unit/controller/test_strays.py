"""Pods that take requests and that nobody of ours counts."""

from typing import Any

import pytest

from regisseur_operator.core.pods import PodFacts
from regisseur_operator.core.strays import find_strays

DEPLOYMENT = "deployment-2"
OWNERS = {"set-now": DEPLOYMENT, "set-before": DEPLOYMENT, "set-orphaned": "deployment-1"}


def pod(name: str, controller_uid: str, **facts: Any) -> PodFacts:
    usual = {"is_ready": True, "is_terminating": False, "is_finished": False}
    identity = {"uid": f"uid-{name}", "name": name, "version": "1", "inputs": "x"}
    return PodFacts(**{**identity, **usual, **facts}, controller_uid=controller_uid)


CASES: list[Any] = [
    pytest.param(pod("a", "set-now"), (), id="a pod of the live Deployment"),
    pytest.param(pod("a", "set-before"), (), id="a pod that the rollout replaces"),
    pytest.param(pod("a", "set-orphaned"), ("a",), id="a pod of a Deployment that is gone"),
    pytest.param(pod("a", "set-unknown"), ("a",), id="a pod of a ReplicaSet that is not known"),
    pytest.param(pod("a", DEPLOYMENT), ("a",), id="a pod that no ReplicaSet made"),
    pytest.param(pod("a", ""), ("a",), id="a pod that stands alone"),
    pytest.param(pod("a", "", is_ready=False), (), id="a pod that takes no requests"),
    pytest.param(pod("a", "", is_terminating=True), (), id="a pod on its way out"),
    pytest.param(pod("a", "", is_finished=True), (), id="a pod that has ended"),
]


@pytest.mark.parametrize(("found", "strays"), CASES)
def test_strays(found: PodFacts, strays: tuple[str, ...]) -> None:
    assert find_strays([found], OWNERS, DEPLOYMENT) == strays


def test_they_are_named_in_order_among_others() -> None:
    pods = [pod("c", ""), pod("b", "set-now"), pod("a", "set-orphaned")]

    assert find_strays(pods, OWNERS, DEPLOYMENT) == ("a", "c")


def test_without_a_deployment_nothing_is_a_stray_yet() -> None:
    assert find_strays([pod("a", "set-orphaned"), pod("b", "")], OWNERS, None) == ()
