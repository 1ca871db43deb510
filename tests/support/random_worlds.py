"""Steps of random worlds: what people, the registry, the cluster and the operator may do.

A step is an event and how things go on from there, both tuples of plain values, so that a world
that fails can be read, shortened and kept.
Gentle events touch neither the pods nor the Deployment behind the operator's back, and no pod that
runs ends by itself: through all of them no ready pod may be missing.
"""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from regisseur_contract.exits import STORE_DENIED, STORE_UNAVAILABLE
from regisseur_contract.rehearsal import Word
from regisseur_contract.tags import TAG_DIGEST
from regisseur_operator.api.v1alpha1 import parse_spec
from regisseur_operator.errors import TerminalError
from regisseur_operator.ports import Kind, Manifest, Turn
from regisseur_operator.resources import (
    CONTROLLER_REVISION,
    DEPLOYMENT,
    MODELDEPLOYMENT,
    POD,
    POD_DISRUPTION_BUDGET,
    REPLICA_SET,
    SERVICE,
)
from support.fake_cluster import FakeCluster, Fault
from support.fake_kubelet import OVERWRITTEN
from support.worlds import KEY, World

Event = tuple[Any, ...]
Step = tuple[Event, Event]
Events = st.SearchStrategy[Event]

FAULTS: st.SearchStrategy[Fault | None] = st.sampled_from(
    [None, None, None, "lost", "crash before", "crash after"]
)
VERSIONS = st.integers(min_value=1, max_value=3)
SYNCS: dict[str, tuple[Kind, ...] | None] = {
    "all": None,
    "none": (),
    "no pods": (MODELDEPLOYMENT, DEPLOYMENT, CONTROLLER_REVISION, REPLICA_SET),
    "no resource": (DEPLOYMENT, POD, CONTROLLER_REVISION, REPLICA_SET),
    "no revisions": (MODELDEPLOYMENT, DEPLOYMENT, POD),
}
FAULTS_OF_VERSIONS: dict[str, dict[str, Any]] = {
    "crash": {"crash": "ValueError: wrong shape"},
    "never ready": {"never_ready": True},
    "memory": {"memory": 600},
    "serving memory": {"serving_memory": 1500},
    "load failed": {"word": Word.LOAD_FAILED},
    "rehearsal hangs": {"rehearsal": "hangs"},
    "rehearsal crashes": {"rehearsal": "crashes"},
    "unfetchable": {"unfetchable": "KeyError: 'flavors'"},
}
TROUBLES = ("store", "denied", "unschedulable", "image", "quota", "refused", "none")


def _just(name: str, *values: st.SearchStrategy[Any]) -> Events:
    return st.tuples(st.just(name), *values)


GENTLE_EVENTS: Events = st.one_of(
    _just("promote", VERSIONS, st.booleans()),
    _just("archive", VERSIONS),
    _just("hide files", VERSIONS),
    _just("create the model again", VERSIONS),
    _just("tag", VERSIONS, st.sampled_from(["approve", "wrong digest", "right digest"])),
    _just("measure", VERSIONS, st.sampled_from([0.5, 0.95])),
    _just("registry", st.sampled_from(["down", "denied", "up"])),
    _just("restart operator"),
    _just("wipe status"),
    _just("nothing"),
    _just("wait", st.sampled_from([5.0, 40.0, 400.0])),
    _just(
        "spec",
        st.sampled_from(
            [
                *("image", "default image", "memory", "more memory", "env", "no serving"),
                *("suspend", "rehearsal off", "rehearsal on"),
                *("approval gate", "metric gate", "no gates"),
            ]
        ),
    ),
    _just("rollback", st.sampled_from([None, None, 1, 2, 3, 99])),
    _just("verb", st.sampled_from(["retry", "restart"]), st.sampled_from("abc")),
    _just("fault", VERSIONS, st.sampled_from(sorted(FAULTS_OF_VERSIONS))),
    _just("trouble", st.sampled_from(TROUBLES)),
    _just("evict rehearsal"),
    _just("turns", st.lists(st.sampled_from(Turn), unique=True)),
    _just("sleeping controllers", st.integers(1, 5)),
)
ROUGH_EVENTS: Events = st.one_of(
    GENTLE_EVENTS,
    _just("spec", st.sampled_from(["replicas 0", "replicas 1", "replicas 3", "port"])),
    _just("spec", st.sampled_from(["recreate", "rolling", "autoscaling", "no autoscaling"])),
    _just("load", st.sampled_from([None, 1.0, 3.0, 9.0])),
    _just("files", VERSIONS, st.sampled_from([OVERWRITTEN, "missing", "invalid"])),
    _just("fault", VERSIONS, st.just("dies")),
    _just("delete", st.sampled_from([DEPLOYMENT, SERVICE, POD_DISRUPTION_BUDGET])),
    _just("delete revision", st.integers(0, 3)),
    _just("delete pod", st.integers(0, 3)),
    _just("delete rehearsal"),
    _just("orphan"),
    _just("edit", st.sampled_from(["image", "replicas", "roll", "labels", "ports", "paused"])),
)


GOING_ON: Events = st.one_of(
    _just("nothing"),
    _just("reconcile", st.sampled_from(sorted(SYNCS)), st.lists(FAULTS, min_size=1, max_size=4)),
    _just("reconcile", st.just("all"), st.just([])),
    _just("rounds", st.integers(2, 6)),
    _just("settle", st.sampled_from([10.0, 30.0, 60.0, 700.0])),
)
"""What happens after an event: nothing yet, one reconcile with its faults, a few, or a while."""

GENTLE_STEPS = st.tuples(GENTLE_EVENTS, GOING_ON)
ROUGH_STEPS = st.tuples(ROUGH_EVENTS, GOING_ON)


async def take(world: World, step: Step) -> None:
    """Take one step."""
    event, going_on = step
    act(world, event)
    match going_on:
        case ("reconcile", str(sync), list(faults)):
            world.cluster.faults[:] = faults
            await world.survive_reconcile(kinds=SYNCS[sync])
            world.cluster.faults.clear()
            world.tick()
        case ("rounds", int(count)):
            for _ in range(count):
                await world.survive_reconcile()
                world.tick()
        case ("settle", float(seconds)):
            await world.settle(patience=seconds)


def act(world: World, event: Event) -> None:
    """Let an event happen."""
    actions: dict[str, Callable[..., None]] = {
        "promote": lambda version, archive: world.registry.promote(version, archive=archive),
        "archive": lambda version: _archive(world, version),
        "hide files": lambda version: _hide(world, version),
        "create the model again": lambda version: create_again(world, version),
        "tag": lambda version, what: _tag(world, version, what),
        "measure": lambda version, value: _measure(world, version, value),
        "registry": lambda what: _move_registry(world, what),
        "nothing": lambda: None,
        "wait": world.clock.advance,
        "restart operator": lambda: _restart(world),
        "wipe status": world.wipe_status,
        "spec": lambda what: _change_spec(world, what),
        "rollback": world.rollback_to,
        "verb": lambda verb, token: getattr(world, verb)(token),
        "fault": lambda version, what: _spoil(world, version, what),
        "trouble": lambda what: _trouble(world, what),
        "turns": world.take_turns,
        "evict rehearsal": lambda: _evict(world),
        "sleeping controllers": lambda count: setattr(world.workloads, "asleep", count),
        "load": lambda load: setattr(world, "load", load),
        "files": lambda version, found: _replace_files(world, version, found),
        "delete": lambda kind: world.cluster.remove(kind, *KEY),
        "delete revision": lambda index: _delete_revision(world, index),
        "delete pod": lambda index: _delete_pod(world, index),
        "delete rehearsal": lambda: _delete_rehearsal(world),
        "orphan": lambda: _orphan(world),
        "edit": lambda what: EDITS[what](world.cluster),
    }
    actions[event[0]](*event[1:])


# ---- the registry and what is in it --------------------------------------------------------------


def _is_known(world: World, version: int) -> bool:
    return ("wine", version) in world.registry.versions


def _archive(world: World, version: int) -> None:
    if _is_known(world, version):
        world.registry.move(version, "Archived")


def _hide(world: World, version: int) -> None:
    world.registry.hidden_files ^= {version}


def create_again(world: World, version: int) -> None:
    """Delete the model with all its versions, and register one of that number anew."""
    world.registry.delete_model()
    world.models_made += 1
    world.registry.register(version, model_id=f"m-{version}-{world.models_made}")
    world.registry.promote(version)


def _tag(world: World, version: int, what: str) -> None:
    if not _is_known(world, version):
        return
    if what == "approve":
        world.approve(version)
    elif what == "wrong digest":
        world.registry.set_tag(version, TAG_DIGEST, "sha256:0")
    else:
        right = world.kubelet.digest_of(world.files_of(version))
        world.registry.set_tag(version, TAG_DIGEST, right)


def _measure(world: World, version: int, value: float) -> None:
    if _is_known(world, version):
        world.registry.set_metric(version, "accuracy", value)


def _replace_files(world: World, version: int, found: str) -> None:
    if _is_known(world, version):
        world.replace_files(version, found)


def _move_registry(world: World, what: str) -> None:
    if what == "up":
        world.registry.recover()
    else:
        world.registry.fail(world.clock.now(), denied=what == "denied")


# ---- the operator and the cluster ----------------------------------------------------------------


def _change_spec(world: World, what: str) -> None:
    """Change the spec, unless the API server would refuse the change."""
    before = world.cluster.get(MODELDEPLOYMENT, KEY)
    world.change(what)
    try:
        parse_spec(world.cluster.get(MODELDEPLOYMENT, KEY))
    except TerminalError:
        world.cluster.edit(MODELDEPLOYMENT, KEY, lambda live: live.update(spec=before["spec"]))


def _restart(world: World) -> None:
    world.registry.restart_watcher()
    world.start_operator()


def _spoil(world: World, version: int, what: str) -> None:
    how = {"dies_after": 20.0} if what == "dies" else FAULTS_OF_VERSIONS[what]
    world.kubelet.behave(version, **how)


def _trouble(world: World, what: str) -> None:
    """One trouble takes the other's place."""
    kubelet = world.kubelet
    world.cluster.pod_refusal = "exceeded quota: team" if what == "quota" else ""
    stores = {"store": STORE_UNAVAILABLE, "denied": STORE_DENIED}
    kubelet.store = (stores[what], "connection refused") if what in stores else None
    kubelet.unschedulable = "0/1 nodes are available" if what == "unschedulable" else ""
    kubelet.refused = 'secret "models" not found' if what == "refused" else ""
    kubelet.unpullable.clear()
    if what == "image":
        kubelet.unpullable.update({"own:v1": "not found", "serving:v2": "not found"})


def _evict(world: World) -> None:
    for pod in world.rehearsal_pods:
        world.kubelet.evict(pod)


def _delete_revision(world: World, index: int) -> None:
    names = [name for kind, _, name in world.cluster.objects if kind == CONTROLLER_REVISION.kind]
    if index < len(names):
        world.cluster.remove(CONTROLLER_REVISION, KEY.namespace, names[index])


def _delete_pod(world: World, index: int) -> None:
    pods = world.workloads.pods(KEY)
    if index < len(pods):
        world.cluster.terminate(POD, KEY.namespace, pods[index]["metadata"]["name"])


def _delete_rehearsal(world: World) -> None:
    for pod in world.rehearsal_pods:
        world.cluster.terminate(POD, KEY.namespace, pod["metadata"]["name"])


def _orphan(world: World) -> None:
    """Delete the Deployment while the garbage collector is away: its pods stay."""
    world.cluster.is_collecting = False
    world.cluster.remove(DEPLOYMENT, *KEY)


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


def _pause(deployment: Manifest) -> None:
    deployment["spec"]["paused"] = True


def _set_port(service: Manifest) -> None:
    service["spec"]["ports"][0]["targetPort"] = 9


EDITS: dict[str, Callable[[FakeCluster], None]] = {
    "image": _edit_deployment(_set_image),
    "replicas": _edit_deployment(_set_replicas),
    "roll": _edit_deployment(_spoil_roll),
    "labels": _edit_deployment(_take_label),
    "paused": _edit_deployment(_pause),
    "ports": lambda cluster: cluster.edit(SERVICE, KEY, _set_port),
}


# ---- the end of a world --------------------------------------------------------------------------


def heal(world: World) -> None:
    """Put everything outside right, and ask for another try of what was rejected."""
    world.cluster.faults.clear()
    world.cluster.pod_refusal = ""
    world.cluster.is_collecting = True
    world.workloads.asleep = 0
    world.kubelet.heal()
    world.registry.recover()
    world.registry.hidden_files.clear()
    world.load = 2.0
    world.take_turns(())
    world.change("no gates")
    world.rollback_to(None)
    world.edit_spec(lambda spec: spec.pop("suspend", None))
    world.retry("the end")
    if world.kubelet.artifacts:
        # Nothing brings overwritten files back: only another version helps.
        world.registry.promote(9)
    held = [v for (_, v), found in world.registry.versions.items() if found.stage == "Production"]
    if not held:
        world.registry.promote(1)
    for version in held or [1]:
        _tag(world, version, "right digest")
