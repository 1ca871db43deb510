"""Trouble around a rehearsal is no fault of the version: it is waited out and tried again."""

from typing import Any

import pytest

from regisseur_contract.exits import STORE_DENIED, STORE_UNAVAILABLE
from regisseur_operator.ports import Key, Manifest
from regisseur_operator.resources import POD
from support.worlds import KEY, World, start


def count_rehearsals(world: World) -> int:
    return world.cluster.writes.count("create Pod wine-rehearsal")


HOLDING: list[Any] = [
    pytest.param({"store": (STORE_UNAVAILABLE, "refused")}, "StoreUnavailable", id="store down"),
    pytest.param({"store": (STORE_DENIED, "403")}, "StoreDenied", id="store denies"),
    pytest.param({"unschedulable": "0/1 nodes"}, "Unschedulable", id="no room"),
    pytest.param({"unpullable": {"serving:v1": "not found"}}, "ImagePullFailed", id="no image"),
    pytest.param({"refused": "no secret"}, "ContainerRefused", id="a Secret is missing"),
]


@pytest.mark.parametrize(("trouble", "reason"), HOLDING)
async def test_trouble_around_it_is_waited_out(trouble: dict[str, Any], reason: str) -> None:
    world = await start()
    for name, value in trouble.items():
        setattr(world.kubelet, name, value)
    world.registry.promote(2)

    await world.settle(patience=1500)

    rehearsal = world.status.rehearsal
    assert rehearsal is not None
    assert (rehearsal.state, rehearsal.verdict) == ("Held", reason)
    for about in ("Ready", "Rehearsed"):
        assert world.condition(about)[1] == "RehearsalHeld"
        assert rehearsal.message in world.condition(about)[2]
    assert world.status.rejected == []
    assert world.served_versions == ["1", "1"]
    assert "RehearsalHeld" in world.events.reasons

    world.kubelet.heal()
    await world.settle()

    assert world.served_versions == ["2", "2"]


async def test_a_node_that_is_lost_is_no_fault_of_the_version() -> None:
    world = await start()
    world.kubelet.behave(2, rehearsal="lost")
    world.registry.promote(2)

    await world.settle(patience=100)

    assert world.condition("Ready")[1] == "RehearsalHeld"
    assert world.status.rejected == []
    world.kubelet.heal()
    await world.settle()
    assert world.served_versions == ["2", "2"]


async def test_a_quota_is_waited_out() -> None:
    world = await start()
    world.cluster.pod_refusal = "pods is forbidden: exceeded quota: team"
    world.registry.promote(2)
    await world.settle()
    assert "exceeded quota" in world.condition("Ready")[2]
    assert world.status.rejected == []
    rehearsal = world.status.rehearsal
    assert rehearsal is not None
    assert (rehearsal.state, rehearsal.verdict) == ("Held", "ReplicaFailure")
    assert world.condition("Rehearsed")[1] == "RehearsalHeld"
    assert "exceeded quota" in world.condition("Rehearsed")[2]

    world.cluster.writes.clear()
    for _ in range(3):
        world.tick(60)
        await world.reconcile()
    assert world.cluster.writes == [], "the same refusal is told once"

    world.cluster.pod_refusal = ""
    await world.settle()

    assert world.served_versions == ["2", "2"]


async def test_clocks_that_differ_do_not_matter() -> None:
    """The API server dates a pod, the operator a verdict: its clock may be hours behind."""
    world = await start()
    world.cluster.faults[:] = [None, None, "lost"]
    world.registry.promote(2)
    await world.until(lambda: bool(world.rehearsal_pods))

    def make_later(pod: Manifest) -> None:
        pod["metadata"]["creationTimestamp"] = "2026-01-01T20:00:00Z"

    name = world.rehearsal_pods[0]["metadata"]["name"]
    world.cluster.edit(POD, Key(KEY.namespace, name), make_later)
    world.cluster.writes.clear()

    await world.settle()

    assert world.served_versions == ["2", "2"]
    assert world.cluster.writes.count("status") < 12


async def test_an_evicted_rehearsal_begins_again() -> None:
    world = await start()
    world.registry.promote(2)
    await world.until(lambda: bool(world.rehearsal_pods))
    world.kubelet.evict(world.rehearsal_pods[0])
    await world.reconcile()
    rehearsal = world.status.rehearsal
    assert rehearsal is not None
    assert (rehearsal.state, rehearsal.verdict, rehearsal.attempts) == ("Held", "Evicted", 1)

    await world.settle()

    assert count_rehearsals(world) == 2
    assert world.served_versions == ["2", "2"]


async def test_pauses_between_attempts_grow() -> None:
    world = await start()
    world.kubelet.store = (STORE_UNAVAILABLE, "connection refused")
    world.registry.promote(2)

    await world.settle(patience=3600)

    assert 8 <= count_rehearsals(world) <= 20
