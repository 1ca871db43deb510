"""Whatever happens, in whatever order, and wherever the operator dies: it ends well.

A world is a list of steps: people and the registry do something, the workloads move, the operator
reconciles with faults and crashes at any write. After the last step everything outside is healed;
then the ModelDeployment must become Ready on the version that the registry names, and a further
reconcile must write nothing.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regisseur_operator.ports import Manifest
from regisseur_operator.resources import DEPLOYMENT, POD_DISRUPTION_BUDGET, SERVICE
from support.fake_cluster import FakeCluster, Fault
from support.worlds import KEY, START, World

Step = tuple[Any, ...]

FAULTS: st.SearchStrategy[Fault | None] = st.sampled_from(
    [None, None, "lost", "crash before", "crash after"]
)
VERSIONS = st.integers(min_value=1, max_value=3)

GENTLE_STEPS = st.one_of(
    st.tuples(st.just("promote"), VERSIONS, st.booleans()),
    st.tuples(st.just("archive"), VERSIONS),
    st.tuples(st.just("hide files"), VERSIONS),
    st.tuples(st.just("outage")),
    st.tuples(st.just("recover")),
    st.tuples(st.just("restart operator")),
    st.tuples(st.just("wipe status")),
    st.tuples(st.just("tick"), st.integers(1, 4)),
    st.tuples(st.just("wait"), st.sampled_from([5.0, 40.0, 400.0])),
    st.tuples(st.just("reconcile"), st.booleans(), st.lists(FAULTS, max_size=5)),
    st.tuples(st.just("spec"), st.sampled_from(["image", "default image", "memory", "suspend"])),
)
ROUGH_STEPS = st.one_of(
    GENTLE_STEPS,
    st.tuples(st.just("spec"), st.sampled_from(["replicas 1", "replicas 3", "port"])),
    st.tuples(st.just("delete"), st.sampled_from([DEPLOYMENT, SERVICE, POD_DISRUPTION_BUDGET])),
    st.tuples(st.just("edit"), st.sampled_from(["image", "replicas", "roll", "labels", "ports"])),
    st.tuples(st.just("break"), VERSIONS),
)
ENDED_BY_THE_OPERATOR = settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)


@pytest.mark.timeout(120)
@given(steps=st.lists(ROUGH_STEPS, max_size=25))
@ENDED_BY_THE_OPERATOR
def test_every_world_ends_ready_and_at_rest(steps: list[Step]) -> None:
    asyncio.run(_live_and_end(steps, check=lambda _: None))


@pytest.mark.timeout(120)
@given(steps=st.lists(GENTLE_STEPS, max_size=25))
@ENDED_BY_THE_OPERATOR
def test_ready_pods_never_fall_below_the_floor(steps: list[Step]) -> None:
    """As long as nobody else touches the pods: two replicas, none of them may be missing."""
    asyncio.run(_live_and_end(steps, check=_check_floor, is_serving=True))


async def _live_and_end(
    steps: list[Step], check: Callable[[World], None], *, is_serving: bool = False
) -> None:
    world = World()
    if is_serving:
        world.registry.promote(1)
        await world.settle()
    for step in steps:
        await _take(world, step)
        check(world)
    _heal(world)
    await world.settle()
    check(world)
    _check_end(world)
    outcome = await world.reconcile()
    assert outcome.writes == ()
    world.start_operator()
    outcome = await world.reconcile()
    assert outcome.writes == (), "a restart of the operator must not write"


def _heal(world: World) -> None:
    world.cluster.faults.clear()
    world.registry.recover()
    world.registry.hidden_files.clear()
    world.workloads.broken.clear()
    world.edit_spec(lambda spec: spec.pop("suspend", None))
    if not any(held.stage == "Production" for held in world.registry.versions.values()):
        world.registry.promote(1)


def _check_end(world: World) -> None:
    status = world.status
    assert world.condition("Ready")[0] == "True", world.condition("Ready")
    assert status.phase == "Healthy"
    assert status.candidate is None
    assert status.stable is not None
    assert status.resolved is not None
    assert status.stable.version == status.resolved.version
    holders = [v for (_, v), held in world.registry.versions.items() if held.stage == "Production"]
    assert status.resolved.version in holders
    replicas = world.edited_spec().get("replicas")
    assert world.deployment["spec"]["replicas"] == replicas
    assert world.ready_pods == replicas
    labels = world.deployment["spec"]["template"]["metadata"]["labels"]
    assert labels["regisseur.dev/model-version"] == str(status.stable.version)
    revisions = [entry.revision for entry in status.history]
    assert len(revisions) == len(set(revisions))


def _check_floor(world: World) -> None:
    assert world.ready_pods >= 2
    assert world.deployment["spec"]["replicas"] == 2


# ---- steps ---------------------------------------------------------------------------------------


async def _take(world: World, step: Step) -> None:
    match step:
        case ("reconcile", bool(sync), list(faults)):
            world.cluster.faults[:] = faults
            await world.survive_reconcile(sync=sync)
            world.cluster.faults.clear()
        case ("tick", int(count)):
            for _ in range(count):
                world.tick()
        case ("wait", float(seconds)):
            world.clock.advance(seconds)
        case ("spec", str(what)):
            world.change(what)
        case ("edit", str(what)):
            EDITS[what](world.cluster)
        case ("delete", kind):
            world.cluster.remove(kind, *KEY)
        case _:
            _change_surroundings(world, step)


def _change_surroundings(world: World, step: Step) -> None:
    match step:
        case ("promote", int(version), bool(archive)):
            world.registry.promote(version, archive=archive)
        case ("archive", int(version)):
            if ("wine", version) in world.registry.versions:
                world.registry.move(version, "Archived")
        case ("hide files", int(version)):
            world.registry.hidden_files ^= {version}
        case ("outage",):
            world.registry.fail(START)
        case ("recover",):
            world.registry.recover()
        case ("restart operator",):
            world.registry.restart_watcher()
            world.start_operator()
        case ("wipe status",):
            world.wipe_status()
        case ("break", int(version)):
            world.workloads.broken[str(version)] = "ValueError: wrong shape"
        case _:
            raise AssertionError(f"no such step: {step}")


def _edit_deployment(change: Callable[[Manifest], None]) -> Callable[[FakeCluster], None]:
    return lambda cluster: cluster.edit(DEPLOYMENT, KEY, change)


def _set_image(deployment: Manifest) -> None:
    deployment["spec"]["template"]["spec"]["containers"][0]["image"] = "evil:latest"


def _set_replicas(deployment: Manifest) -> None:
    deployment["spec"]["replicas"] = 5


def _spoil_roll(deployment: Manifest) -> None:
    deployment["metadata"]["annotations"]["regisseur.dev/roll"] = "{}"


def _take_label(deployment: Manifest) -> None:
    deployment["metadata"]["labels"].pop("regisseur.dev/modeldeployment", None)


def _set_port(service: Manifest) -> None:
    service["spec"]["ports"][0]["targetPort"] = 9


EDITS: dict[str, Callable[[FakeCluster], None]] = {
    "image": _edit_deployment(_set_image),
    "replicas": _edit_deployment(_set_replicas),
    "roll": _edit_deployment(_spoil_roll),
    "labels": _edit_deployment(_take_label),
    "ports": lambda cluster: cluster.edit(SERVICE, KEY, _set_port),
}
