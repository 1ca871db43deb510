"""What the status says, and when it says it."""

from regisseur_contract.tags import TAG_DIGEST
from regisseur_operator.api.status import HISTORY_LIMIT
from regisseur_operator.ports import Manifest
from regisseur_operator.resources import DEPLOYMENT, MODELDEPLOYMENT, SERVICE
from support.random_worlds import create_again
from support.worlds import KEY, START, World, start


def transition_times(world: World) -> dict[str, object]:
    return {entry.type: entry.last_transition_time for entry in world.status.conditions}


async def test_a_reconcile_at_rest_writes_nothing() -> None:
    world = await start()
    world.clock.advance(3600)

    outcome = await world.reconcile()

    assert outcome.writes == ()
    assert outcome.notes == ()
    assert outcome.requeue_after_seconds is None
    assert world.cluster.writes == []


async def test_a_spec_of_zeros_is_at_rest_too() -> None:
    world = await start(minReadySeconds=0)

    assert (await world.reconcile()).writes == ()
    assert "ChildContested" not in world.events.reasons


async def test_a_transition_has_its_time_only_when_the_status_flips() -> None:
    world = await start()
    before = transition_times(world)
    world.clock.advance(100)
    world.registry.promote(2)
    await world.settle()

    after = transition_times(world)
    assert after["Ready"] != before["Ready"]
    assert after["Resolved"] == before["Resolved"]
    assert after["Available"] == before["Available"]


async def test_every_condition_speaks_of_the_present_generation() -> None:
    world = await start()
    world.change("replicas 3")
    await world.settle()

    generation = world.cluster.get(MODELDEPLOYMENT, KEY)["metadata"]["generation"]
    assert world.status.observed_generation == generation
    assert {entry.observed_generation for entry in world.status.conditions} == {generation}


async def test_a_stale_deployment_status_is_not_believed() -> None:
    world = await start()
    world.workloads.asleep = 1000
    world.registry.promote(2)
    await world.until(lambda: "apply Deployment wine" in world.cluster.writes)
    await world.reconcile()

    assert (
        world.deployment["status"]["observedGeneration"]
        < (world.deployment["metadata"]["generation"])
    )
    assert world.status.candidate is not None
    assert world.status.stable is not None
    assert world.status.stable.version == 1
    assert world.condition("Ready")[:2] == ("False", "RolloutProgressing")


async def test_a_finished_rollout_enters_the_history() -> None:
    world = await start()
    world.registry.promote(2)
    await world.settle()

    entry = world.status.history[0]
    assert (entry.revision, entry.version, entry.from_version) == (2, 2, 1)
    assert (entry.outcome, entry.reason) == ("Succeeded", "RolloutComplete")
    assert entry.started_at is not None
    assert entry.finished_at is not None
    assert entry.finished_at > entry.started_at > START
    assert world.events.reasons == [
        *("VersionResolved", "RehearsalRunning", "RehearsalPassed"),
        *("RolloutStarted", "RolloutComplete"),
    ]


async def test_the_history_keeps_the_last_ones() -> None:
    world = await start(replicas=1)
    entry = world.status.to_manifest()["history"][0]

    def fill(manifest: Manifest) -> None:
        numbers = range(HISTORY_LIMIT, 0, -1)
        manifest["status"]["history"] = [{**entry, "revision": number} for number in numbers]

    world.cluster.edit(MODELDEPLOYMENT, KEY, fill)
    world.registry.promote(2)
    await world.settle()

    found = [entry.revision for entry in world.status.history]
    assert found == list(range(HISTORY_LIMIT + 1, 1, -1))


async def test_a_superseded_rollout_enters_the_history_as_such() -> None:
    world = await start()
    world.registry.promote(2)
    await world.until(lambda: world.runs(2))
    world.registry.promote(3)
    await world.settle()

    told = [(entry.version, entry.from_version, entry.outcome) for entry in world.status.history]
    assert told == [(3, 1, "Succeeded"), (2, 1, "Superseded"), (1, None, "Succeeded")]


async def test_pods_that_cannot_be_made_say_why() -> None:
    world = World()
    world.registry.promote(1)
    await world.until(lambda: bool(world.rehearsal_pods))
    world.cluster.pod_refusal = 'violates PodSecurity "restricted:latest"'
    await world.settle()

    assert world.condition("Progressing")[:2] == ("False", "ReplicaFailure")
    assert "violates PodSecurity" in world.condition("Progressing")[2]
    assert world.condition("Available")[0] == "False"
    assert world.events.reasons.count("ReplicaFailure") == 1


async def test_suspend_stops_following_and_acting() -> None:
    world = await start()
    world.change("suspend")
    world.registry.promote(2)
    world.cluster.remove(SERVICE, *KEY)
    await world.settle()

    assert set(world.cluster.writes) == {"status"}
    assert world.registry.followed == {}
    assert world.status.phase == "Suspended"
    assert world.condition("Progressing")[:2] == ("Unknown", "Suspended")
    assert world.condition("Resolved")[0] == "True"
    assert world.status.resolved is not None
    assert world.status.resolved.version == 1

    world.change("suspend")
    await world.settle()
    assert world.status.stable is not None
    assert world.status.stable.version == 2
    assert world.cluster.find(SERVICE, KEY) is not None


async def test_a_spec_that_cannot_be_read_says_so_and_changes_nothing() -> None:
    world = await start()
    world.edit_spec(lambda spec: spec.update(minReadySeconds=400))

    await world.settle()

    assert world.cluster.writes == ["status"]
    for about in ("Ready", "Progressing"):
        status, reason, message = world.condition(about)
        assert (status, reason) == ("False", "InvalidSpec")
        assert "progressDeadlineSeconds must be greater than minReadySeconds" in message
    assert world.condition("Available")[0] == "True"
    assert world.status.phase == "Degraded"
    assert world.ready_pods == 2

    world.edit_spec(lambda spec: spec.pop("minReadySeconds"))
    await world.settle()
    assert world.status.phase == "Healthy"


async def test_nothing_to_roll_out_and_nothing_to_rehearse_are_told() -> None:
    world = World()

    await world.settle()

    assert world.condition("Progressing")[:2] == ("False", "NothingResolved")
    assert world.condition("Rehearsed")[:2] == ("Unknown", "RehearsalNotNeeded")
    assert world.status.phase == "Pending"


async def test_the_digest_told_is_of_the_version_told() -> None:
    world = World()
    world.registry.register(1)
    right = world.kubelet.digest_of(world.files_of(1))
    world.registry.set_tag(1, TAG_DIGEST, right)
    world.registry.promote(1)
    await world.settle()
    assert world.status.resolved is not None
    assert world.status.resolved.digest == right
    world.change("approval gate")
    create_again(world, 1)

    await world.settle()

    resolved, stable = world.status.resolved, world.status.stable
    assert resolved is not None
    assert stable is not None
    assert (resolved.version, resolved.model_id) == (1, "m-1-1")
    assert resolved.digest == "", "nobody has noted the new files yet"
    assert stable.digest == right


async def test_a_deleted_deployment_is_not_called_available() -> None:
    world = await start()
    world.cluster.remove(DEPLOYMENT, *KEY)

    await world.reconcile()

    assert world.condition("Available")[0] == "False"
    assert world.condition("Ready")[0] == "False"
    assert world.events.reasons == ["ChildRestored"]


async def test_an_outage_is_told_once_and_its_end_too() -> None:
    world = await start()
    world.registry.fail(START)
    world.clock.advance(60)
    await world.settle()
    await world.settle()
    world.registry.recover()
    await world.settle()

    assert world.events.reasons == ["RegistryUnreachable", "RegistryRestored"]
