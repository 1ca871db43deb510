"""Whatever happens, in whatever order, and wherever the operator dies: it ends well.

A world is a list of steps: people and the registry do something, the workloads move, the operator
reconciles with faults and crashes at any write. A witness looks at each write for what must never
happen. After the last step everything outside is healed; then the ModelDeployment must become Ready
on the version that the registry names, the history must tell who served when, and a further
reconcile must write nothing.
"""

import asyncio
import copy
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from regisseur_operator.resources import CONTROLLER_REVISION
from support.random_worlds import GENTLE_STEPS, ROUGH_STEPS, Step, heal, take
from support.witness import Witness
from support.worlds import KEY, World

FLOOR = 2
WORLDS = {"rough": 540, "gentle": 480, "missed": 90}
"""How many of each kind every run plays; the deep run plays ten times as many, and longer ones."""

ROUGH = st.lists(ROUGH_STEPS, max_size=10)
GENTLE = st.lists(GENTLE_STEPS, max_size=10)
SHORT = st.lists(GENTLE_STEPS, min_size=1, max_size=3)
LONG_ROUGH = st.lists(ROUGH_STEPS, min_size=2, max_size=20)
LONG_GENTLE = st.lists(GENTLE_STEPS, min_size=2, max_size=20)


def play(count: int) -> settings:
    return settings(
        max_examples=count,
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


@pytest.mark.timeout(900)
@play(WORLDS["rough"])
@given(steps=ROUGH)
def test_every_world_ends_ready_and_at_rest(steps: list[Step]) -> None:
    asyncio.run(_live_and_end(steps, check=lambda _: None))


@pytest.mark.timeout(900)
@play(WORLDS["gentle"])
@given(steps=GENTLE)
def test_ready_pods_never_fall_below_the_floor(steps: list[Step]) -> None:
    """As long as nobody else touches the pods: two replicas, none of them may be missing."""
    asyncio.run(_live_and_end(steps, check=_check_floor, is_serving=True))


@pytest.mark.timeout(900)
@play(WORLDS["missed"])
@given(seconds=st.sampled_from([5, 20, 60]), steps=SHORT)
def test_history_tells_who_served_while_nobody_looked(seconds: int, steps: list[Step]) -> None:
    """A rollout is under way when the operator goes, and may be complete when it comes back."""
    asyncio.run(_miss_and_end(seconds, steps))


@pytest.mark.deep
@pytest.mark.timeout(3600)
@play(10 * WORLDS["missed"])
@given(seconds=st.sampled_from([5, 20, 60]), steps=GENTLE)
def test_history_tells_who_served_in_long_worlds(seconds: int, steps: list[Step]) -> None:
    asyncio.run(_miss_and_end(seconds, steps))


@pytest.mark.deep
@pytest.mark.timeout(3600)
@play(10 * WORLDS["rough"])
@given(steps=LONG_ROUGH)
def test_every_long_world_ends_ready_and_at_rest(steps: list[Step]) -> None:
    asyncio.run(_live_and_end(steps, check=lambda _: None))


@pytest.mark.deep
@pytest.mark.timeout(3600)
@play(10 * WORLDS["gentle"])
@given(steps=LONG_GENTLE)
def test_ready_pods_never_fall_below_the_floor_for_long(steps: list[Step]) -> None:
    asyncio.run(_live_and_end(steps, check=_check_floor, is_serving=True))


async def _live_and_end(
    steps: list[Step], check: Callable[[World], None], *, is_serving: bool = False
) -> None:
    world = copy.deepcopy(await _serving_world()) if is_serving else World()
    Witness(world)
    await _go_on_and_end(world, steps, check)


async def _miss_and_end(seconds: int, steps: list[Step]) -> None:
    world = copy.deepcopy(await _serving_world())
    Witness(world)
    world.registry.promote(2)
    await world.until(lambda: world.runs(2))
    for _ in range(seconds):
        world.tick()
    await _go_on_and_end(world, steps, lambda _: None)


async def _go_on_and_end(world: World, steps: list[Step], check: Callable[[World], None]) -> None:
    for step in steps:
        await take(world, step)
        check(world)
    heal(world)
    await world.settle(patience=3600.0)
    check(world)
    _check_end(world)
    world.chronicle.check(world.status.history)
    outcome = await world.reconcile()
    assert outcome.writes == ()
    world.start_operator()
    outcome = await world.reconcile()
    assert outcome.writes == (), "a restart of the operator must not write"


async def _serving_world() -> World:
    """Return a world that serves version 1 with two pods; it is brought up once."""
    if not _SERVING:
        world = World()
        world.registry.promote(1)
        await world.settle()
        world.ready_log.clear()
        _SERVING.append(world)
    return _SERVING[0]


_SERVING: list[World] = []


def _check_end(world: World) -> None:
    status = world.status
    assert world.condition("Ready")[0] == "True", world.condition("Ready")
    assert status.phase == "Healthy"
    replicas = world.edited_spec().get("replicas")
    assert status.resolved is not None
    assert status.candidate is None or replicas == 0
    brought = status.candidate or status.stable
    assert brought is not None
    assert brought.version == status.resolved.version
    holders = [v for (_, v), held in world.registry.versions.items() if held.stage == "Production"]
    assert status.resolved.version in holders
    assert world.deployment["spec"]["replicas"] == replicas
    assert world.ready_pods == replicas
    assert set(world.served_versions) <= {str(brought.version)}
    assert world.rehearsal_pods == []
    assert status.stray_pods == []
    _check_memory(world)


def _check_memory(world: World) -> None:
    status = world.status
    revisions = [entry.revision for entry in status.history]
    assert len(revisions) == len(set(revisions))
    brought = status.candidate or status.stable
    assert brought is not None
    kept = [name for kind, _, name in world.cluster.objects if kind == CONTROLLER_REVISION.kind]
    assert f"{KEY.name}-{brought.revision}" in kept
    assert len(kept) <= 12


def _check_floor(world: World) -> None:
    for at, ready in world.ready_log:
        assert sum(ready.values()) >= FLOOR, f"{ready} at {at}"
    world.ready_log.clear()
    assert world.ready_pods >= FLOOR
    assert world.deployment["spec"]["replicas"] == FLOOR
