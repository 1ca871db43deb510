"""Nothing is hidden by something else that is also told: what is down, what is not written yet."""

import pytest

from regisseur_contract.exits import STORE_UNAVAILABLE
from regisseur_contract.rehearsal import Word
from regisseur_operator.resources import DEPLOYMENT, POD
from support.worlds import KEY, World, start


async def wait_at_the_gates() -> World:
    """Return a world that serves version 1 while version 2 waits for an approval."""
    world = await start()
    world.change("approval gate")
    world.registry.promote(2)
    await world.settle()
    world.events.published.clear()
    return world


async def test_an_outage_of_the_served_version_is_told_while_another_one_waits() -> None:
    world = await wait_at_the_gates()
    world.kubelet.behave(1, dies_after=1.0)

    await world.settle(patience=300)

    assert world.ready_pods == 0
    assert world.condition("Available")[:2] == ("False", "ServerCrashed")
    assert "segmentation fault" in world.condition("Available")[2]
    assert world.condition("Ready")[1] == "GateUnmet"
    assert world.status.phase == "Degraded"
    assert "ServerCrashed" in world.events.reasons


async def test_a_return_that_is_stuck_says_what_it_waits_for() -> None:
    world = await start(strategy={"recreate": {}})
    world.kubelet.behave(2, crash="ValueError: shapes")
    world.registry.promote(2)
    await world.until(lambda: bool(world.status.rejected))
    world.kubelet.store = (STORE_UNAVAILABLE, "connection refused")

    await world.settle(patience=300)

    assert world.ready_pods == 0
    assert "connection refused" in world.condition("Available")[2]


async def test_a_version_on_its_way_back_is_not_called_complete() -> None:
    world = await start(strategy={"recreate": {}})
    world.registry.promote(2)
    await world.until(lambda: world.runs(2))
    world.kubelet.store = (STORE_UNAVAILABLE, "connection refused")
    world.registry.promote(1)

    await world.settle(patience=120)

    assert world.ready_pods == 0
    assert world.condition("Progressing")[:2] == ("False", "StoreUnavailable")
    assert "is being put back" in world.condition("Progressing")[2]
    world.kubelet.heal()
    await world.settle()
    assert world.condition("Progressing")[:2] == ("True", "RolloutComplete")


async def test_a_change_that_is_not_written_yet_is_not_called_ready() -> None:
    world = await start(rehearsal={"enabled": False})
    world.change("env")
    world.cluster.faults[:] = [None, "lost"]

    await world.survive_reconcile()

    assert world.status.observed_generation == 2
    assert world.condition("Ready")[:2] == ("False", "RolloutProgressing")
    assert world.condition("Reconciling")[0] == "True"


async def test_a_deployment_that_is_made_again_is_not_called_complete() -> None:
    world = await start()
    world.cluster.remove(DEPLOYMENT, *KEY)
    await world.reconcile()
    await world.reconcile()

    assert world.condition("Progressing")[:2] == ("True", "RolloutProgressing")


async def test_a_served_pod_that_never_becomes_ready_is_called_so() -> None:
    world = await start()
    world.kubelet.behave(1, never_ready=True)
    name = world.workloads.pods(KEY)[0]["metadata"]["name"]
    world.cluster.terminate(POD, KEY.namespace, name)

    await world.settle(patience=5000)

    assert world.condition("Ready")[:2] == ("False", "NeverReady")
    assert world.status.rejected == []


async def test_a_version_that_cannot_be_read_is_not_hidden_by_the_one_before() -> None:
    world = await start()
    world.registry.promote(2)
    world.registry.hidden_runs.add(2)
    world.registry.fail(world.clock.now(), "run run-2: 403", denied=True)
    await world.reconcile()
    assert world.condition("Ready")[0] == "True", "one bad moment is no news"
    world.tick(60)

    await world.settle()

    assert world.served_versions == ["1", "1"]
    assert world.condition("Resolved")[:2] == ("Unknown", "RegistryDenied")
    assert "version 2" in world.condition("Resolved")[2]
    assert world.condition("Ready")[:2] == ("False", "RegistryDenied")


async def test_a_suspended_resource_does_not_say_that_it_goes_on() -> None:
    world = await start()
    world.kubelet.behave(2, word=Word.LOAD_FAILED)
    world.registry.promote(2)
    await world.settle()
    world.change("suspend")

    await world.settle()

    assert world.condition("Ready")[:2] == ("False", "Suspended")


@pytest.mark.parametrize("is_restarted", [False, True], ids=["one operator", "another one"])
async def test_a_promotion_that_is_taken_back_leaves_no_rehearsal(is_restarted: bool) -> None:
    world = await start()
    world.registry.promote(2)
    await world.until(lambda: bool(world.rehearsal_pods))
    world.registry.move(2, "Archived")
    if is_restarted:
        world.start_operator()

    await world.settle()

    assert world.rehearsal_pods == []
    assert world.status.rehearsal is None
    assert world.condition("Resolved")[1] == "ReferenceNotFound"
    assert world.served_versions == ["1", "1"]
