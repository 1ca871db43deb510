"""Each reason of the manual is what somebody sees in some world, as condition or Event."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from regisseur_contract.exits import STORE_DENIED, STORE_UNAVAILABLE
from regisseur_contract.rehearsal import Word
from regisseur_contract.tags import TAG_IMAGE
from regisseur_operator.api.reasons import Reason
from regisseur_operator.core.policy import RegistryPolicy
from regisseur_operator.core.turns import ALL_TURNS
from regisseur_operator.errors import TerminalError
from regisseur_operator.ports import Kind, Manifest
from regisseur_operator.resources import DEPLOYMENT, POD, SERVICE
from support.fake_kubelet import OVERWRITTEN
from support.worlds import KEY, World

Act = Callable[[World], Any]

MEMORY: Final = {"serving": {"resources": {"limits": {"memory": "512Mi"}}}}
AUTOSCALING: Final = {
    "autoscaling": {"minReplicas": 2, "maxReplicas": 4},
    "serving": {"resources": {"requests": {"cpu": "500m"}}},
}
LONG_DOWN: Final = timedelta(minutes=5)


def promote(version: int = 2) -> Act:
    return lambda world: world.registry.promote(version)


def both(first: Act, second: Act) -> Act:
    def act(world: World) -> None:
        first(world)
        second(world)

    return act


def behave(**how: Any) -> Act:
    def act(world: World) -> None:
        world.kubelet.behave(2, **how)
        world.registry.promote(2)

    return act


def trouble(**what: Any) -> Act:
    """Something around the pods goes wrong, and a pod is to be made."""

    def act(world: World) -> None:
        for name, value in what.items():
            setattr(world.kubelet, name, value)
        world.change("rehearsal off")
        world.registry.promote(2)

    return act


def fail_registry(*, denied: bool) -> Act:
    return lambda world: world.registry.fail(world.clock.now() - LONG_DOWN, denied=denied)


def take_name(world: World) -> None:
    """Give the Service's name to somebody else."""
    world.cluster.remove(SERVICE, *KEY)
    world.cluster.put(SERVICE, {"metadata": {"name": KEY.name, "namespace": KEY.namespace}})


def refuse(reason: Reason) -> Act:
    def act(world: World) -> None:
        async def apply(kind: Kind, manifest: Manifest) -> Manifest:
            raise TerminalError(reason, f"{kind.kind} {manifest['metadata']['name']}: no")

        world.cluster.apply = apply  # type: ignore[method-assign]
        world.change("port")

    return act


def orphan(world: World) -> None:
    world.cluster.is_collecting = False
    world.cluster.remove(DEPLOYMENT, *KEY)


def contest(world: World) -> None:
    """Let a webhook take a label away from whatever is applied."""
    world.cluster.after_apply = lambda manifest: manifest["spec"].update(type="NodePort")
    world.change("port")


async def break_served_files(world: World) -> None:
    world.replace_files(1, OVERWRITTEN)
    world.cluster.terminate(POD, KEY.namespace, world.workloads.pods(KEY)[0]["metadata"]["name"])


async def fly_away(world: World) -> None:
    """Lose the pods without a word of why."""
    world.kubelet.behave(1, never_ready=True)
    for pod in world.workloads.pods(KEY):
        world.cluster.terminate(POD, KEY.namespace, pod["metadata"]["name"])
    world.tick()
    world.tick()
    await world.reconcile()


async def lose_rehearsal(world: World) -> None:
    world.registry.promote(2)
    await world.until(lambda: bool(world.rehearsal_pods))
    world.kubelet.evict(world.rehearsal_pods[0])
    await world.reconcile()


async def supersede(world: World) -> None:
    world.registry.promote(2)
    await world.until(lambda: world.runs(2))
    world.registry.promote(3)


async def come_back(world: World) -> None:
    fail_registry(denied=False)(world)
    await world.settle()
    world.registry.recover()


async def stand_still(world: World) -> None:
    """Let no new pod come up, and nobody say why."""
    world.registry.promote(2)
    await world.until(lambda: "apply Deployment wine" in world.cluster.writes)
    world.workloads.kubelet.run = lambda now: None  # type: ignore[method-assign]  # noqa: ARG005


def exceed_quota(world: World) -> None:
    world.cluster.pod_refusal = "exceeded quota: team"


def forbid_models(world: World) -> None:
    policies = {"default": RegistryPolicy(models=("beer",))}
    world.configuration = replace(world.configuration, policies=policies)
    world.start_operator()


def nothing(_world: World) -> None:
    """Leave it at rest."""


R = Reason
SCENES: Final[dict[Reason, tuple[dict[str, Any], Act]]] = {
    R.VERSION_RESOLVED: ({}, nothing),
    R.SEVERAL_HOLDERS: ({}, lambda world: world.registry.promote(2, archive=False)),
    R.REFERENCE_NOT_FOUND: ({}, lambda world: world.registry.move(1, "Archived")),
    R.WAITING_FOR_REGISTRY: ({"model": {"name": "beer", "stage": "Production"}}, nothing),
    R.REGISTRY_ANSWERS: ({}, nothing),
    R.REGISTRY_UNKNOWN: (
        {"model": {"name": "wine", "stage": "Production", "registry": "other"}},
        nothing,
    ),
    R.REGISTRY_UNREACHABLE: ({}, fail_registry(denied=False)),
    R.REGISTRY_DENIED: ({}, fail_registry(denied=True)),
    R.GATE_UNMET: (
        {},
        both(lambda world: world.change("approval gate"), promote()),
    ),
    R.IMAGE_UNKNOWN: ({"serving": {"imageFrom": {"modelVersionTag": TAG_IMAGE}}}, nothing),
    R.NOT_ALLOWED: ({}, forbid_models),
    R.QUEUED: ({}, both(lambda world: world.take_turns(ALL_TURNS), promote())),
    R.VERSION_REJECTED: ({}, behave(word=Word.LOAD_FAILED)),
    R.REHEARSAL_RUNNING: ({}, promote()),
    R.REHEARSAL_PASSED: ({}, promote()),
    R.REHEARSAL_HELD: ({}, lose_rehearsal),
    R.REHEARSAL_DISABLED: ({"rehearsal": {"enabled": False}}, nothing),
    R.REHEARSAL_NOT_NEEDED: ({"model": {"name": "beer", "stage": "Production"}}, nothing),
    R.DIGEST_MISMATCH: ({}, behave(word=Word.DIGEST_MISMATCH)),
    R.ARTIFACT_MISSING: (
        {},
        both(promote(), lambda world: world.replace_files(2, "missing")),
    ),
    R.ARTIFACT_INVALID: ({}, behave(word=Word.ARTIFACT_INVALID)),
    R.REQUIREMENTS_MISMATCH: ({}, behave(word=Word.REQUIREMENTS_MISMATCH)),
    R.SIGNATURE_INCOMPATIBLE: ({}, behave(word=Word.SIGNATURE_INCOMPATIBLE)),
    R.LOAD_FAILED: ({}, behave(word=Word.LOAD_FAILED)),
    R.PREDICTION_FAILED: ({}, behave(word=Word.PREDICTION_FAILED)),
    R.REHEARSAL_TIMED_OUT: ({}, behave(rehearsal="hangs")),
    R.REHEARSAL_CRASHED: ({}, behave(rehearsal="crashes")),
    R.OUT_OF_MEMORY: (MEMORY, behave(memory=600)),
    R.SERVER_CRASHED: ({}, behave(crash="ValueError: shapes")),
    R.NEVER_READY: ({}, behave(never_ready=True)),
    R.UNSCHEDULABLE: ({}, trouble(unschedulable="0/1 nodes")),
    R.IMAGE_PULL_FAILED: ({}, trouble(unpullable={"serving:v1": "not found"})),
    R.CONTAINER_REFUSED: ({}, trouble(refused="no secret")),
    R.FETCH_FAILED: ({"rehearsal": {"enabled": False}}, behave(unfetchable="KeyError: 'x'")),
    R.STORE_UNAVAILABLE: ({}, trouble(store=(STORE_UNAVAILABLE, "connection refused"))),
    R.STORE_DENIED: ({}, trouble(store=(STORE_DENIED, "403"))),
    R.EVICTED: ({}, lose_rehearsal),
    R.REPLICA_FAILURE: (
        {},
        both(exceed_quota, promote()),
    ),
    R.ROLLOUT_STARTED: ({}, promote()),
    R.ROLLOUT_PROGRESSING: ({}, promote()),
    R.ROLLOUT_COMPLETE: ({}, nothing),
    R.ROLLOUT_SUPERSEDED: ({}, supersede),
    R.ROLLOUT_FAILED: ({}, behave(crash="ValueError: shapes")),
    R.PROGRESS_DEADLINE_EXCEEDED: ({}, stand_still),
    R.NOTHING_RESOLVED: ({"model": {"name": "beer", "stage": "Production"}}, nothing),
    R.SERVING_RESOLVED_VERSION: ({}, nothing),
    R.ROLLED_BACK: ({}, lambda world: world.rollback_to(1)),
    R.SCALED_TO_ZERO: ({"replicas": 0}, nothing),
    R.MINIMUM_REPLICAS_AVAILABLE: ({}, nothing),
    R.MINIMUM_REPLICAS_UNAVAILABLE: ({}, fly_away),
    R.AUTOSCALING_INACTIVE: (AUTOSCALING, nothing),
    R.STRAY_PODS: ({}, orphan),
    R.SUSPENDED: ({"suspend": True}, nothing),
    R.NAME_CONFLICT: ({}, take_name),
    R.INVALID_SPEC: ({}, refuse(Reason.INVALID_SPEC)),
    R.ARTIFACT_CHANGED: ({}, break_served_files),
    R.REVISION_NOT_FOUND: ({}, lambda world: world.rollback_to(99)),
    R.FORBIDDEN: ({}, refuse(Reason.FORBIDDEN)),
    R.CHILD_CREATED: ({}, nothing),
    R.CHILD_RESTORED: ({}, lambda world: world.cluster.remove(SERVICE, *KEY)),
    R.CHILD_CONTESTED: ({}, contest),
    R.REGISTRY_RESTORED: ({}, come_back),
    R.RETRY_REQUESTED: ({}, lambda world: world.retry("1")),
    R.RESTART_REQUESTED: ({}, lambda world: world.restart("1")),
}


def test_there_is_a_scene_for_every_reason() -> None:
    assert set(SCENES) == set(Reason)


@pytest.mark.parametrize("reason", Reason)
async def test_a_reason_is_seen(reason: Reason) -> None:
    spec, act = SCENES[reason]
    world = World(**spec)
    seen: set[str] = set()
    world.after_reconcile = lambda: seen.update(_look(world))
    if reason == Reason.WAITING_FOR_REGISTRY:
        world.registry.restart_watcher()
    world.registry.promote(1)
    await world.settle()
    happening = act(world)
    if happening is not None and hasattr(happening, "__await__"):
        await happening

    await world.settle()

    assert reason in seen | set(world.events.reasons)


def _look(world: World) -> set[str]:
    status = world.status
    told = {condition.reason for condition in status.conditions}
    told |= {entry.reason for entry in status.rejected}
    if status.rehearsal is not None:
        told.add(status.rehearsal.verdict)
    return told
