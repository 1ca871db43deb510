"""While as much is under way as the operator allows, what is new waits, and nothing else."""

import pytest

from regisseur_operator.api.status import parse_status
from regisseur_operator.core.turns import ALL_TURNS
from regisseur_operator.ports import Turn
from regisseur_operator.resources import MODELDEPLOYMENT
from support.worlds import KEY, World, start


async def test_a_rehearsal_waits_for_its_turn_and_says_so_once() -> None:
    world = await start()
    world.take_turns([Turn.REHEARSAL])
    world.registry.promote(2)

    await world.settle()

    assert world.rehearsal_pods == []
    assert world.served_versions == ["1", "1"]
    assert world.condition("Ready")[:2] == ("False", "Queued")
    assert world.condition("Progressing")[:2] == ("True", "Queued")
    assert world.condition("Rehearsed")[:2] == ("Unknown", "Queued")
    assert world.condition("Reconciling")[:2] == ("True", "Queued")
    assert world.status.phase == "Waiting"
    assert world.events.reasons.count("Queued") == 1
    assert world.turns.count_waiting(Turn.REHEARSAL) == 1


async def test_it_goes_on_by_itself_when_its_turn_comes() -> None:
    world = await start()
    world.take_turns([Turn.REHEARSAL])
    world.registry.promote(2)
    await world.settle()

    world.take_turns([])
    await world.settle()

    assert world.served_versions == ["2", "2"]
    assert world.turns.count_waiting(Turn.REHEARSAL) == 0
    world.turns.forget(KEY)
    assert world.turns.offer(KEY) == frozenset(Turn)


async def test_a_rehearsed_version_waits_for_its_rollout() -> None:
    world = await start()
    world.take_turns([Turn.ROLLOUT])
    world.registry.promote(2)

    await world.settle()

    assert world.served_versions == ["1", "1"]
    assert world.condition("Progressing")[1] == "Queued"
    assert world.condition("Rehearsed")[:2] == ("True", "RehearsalPassed")
    assert world.rehearsal_pods == [], "it has done its part"
    world.take_turns([])
    await world.settle()
    assert world.served_versions == ["2", "2"]


async def test_without_a_rehearsal_the_rollout_waits() -> None:
    world = await start(rehearsal={"enabled": False})
    world.take_turns([Turn.ROLLOUT])
    world.registry.promote(2)

    await world.settle()

    assert world.condition("Ready")[1] == "Queued"
    assert world.served_versions == ["1", "1"]


async def test_the_first_version_waits_as_well() -> None:
    world = World()
    world.take_turns(ALL_TURNS)
    world.registry.promote(1)

    await world.settle()

    assert world.condition("Ready")[:2] == ("False", "Queued")
    world.take_turns([])
    await world.settle()
    assert world.served_versions == ["1", "1"]


async def test_a_return_to_what_was_complete_waits_for_nobody() -> None:
    world = await start()
    world.registry.promote(2)
    await world.settle()
    world.take_turns(ALL_TURNS)

    world.registry.promote(1)
    await world.settle()

    assert world.served_versions == ["1", "1"]
    assert "Queued" not in world.events.reasons


async def test_a_failed_rollout_is_put_back_without_a_turn() -> None:
    world = await start()
    world.kubelet.behave(2, crash="ValueError: shapes")
    world.registry.promote(2)
    await world.until(lambda: world.runs(2))
    world.take_turns(ALL_TURNS)

    await world.settle()

    assert world.served_versions == ["1", "1"]
    assert world.condition("Ready")[1] == "VersionRejected"


@pytest.mark.parametrize("act", ["restart", "rollback"])
async def test_what_a_person_asks_for_waits_for_nobody(act: str) -> None:
    world = await start()
    world.registry.promote(2)
    await world.settle()
    world.take_turns(ALL_TURNS)

    if act == "restart":
        world.restart("now")
    else:
        world.rollback_to(1)
    await world.settle()

    assert world.status.stable is not None
    assert world.status.stable.revision == 3, "it is a rollout of its own"
    assert "Queued" not in world.events.reasons


async def test_a_rollout_under_way_goes_on_while_its_successor_waits() -> None:
    world = await start()
    world.registry.promote(2)
    await world.until(lambda: world.runs(2))
    world.take_turns([Turn.REHEARSAL])
    world.registry.promote(3)

    await world.settle()

    assert world.served_versions == ["2", "2"]
    assert world.condition("Ready")[1] == "Queued"


async def test_a_rollout_that_stands_still_gives_its_turn_away() -> None:
    world = await start()
    world.kubelet.unschedulable = "0/1 nodes are available"
    world.change("rehearsal off")
    world.registry.promote(2)

    await world.until(lambda: world.condition("Progressing")[1] == "Unschedulable")
    await world.survive_reconcile()

    assert Turn.ROLLOUT in world.turns.offer(KEY._replace(name="another"))
    world.take_turns([Turn.ROLLOUT])
    world.kubelet.unschedulable = ""
    await world.settle()
    assert world.served_versions == ["2", "2"], "it goes on by itself"


async def test_a_new_operator_knows_what_is_under_way() -> None:
    world = await start()
    world.registry.promote(2)
    await world.until(lambda: bool(world.rehearsal_pods))

    world.start_operator()

    another = KEY._replace(name="another")
    assert Turn.REHEARSAL not in world.turns.offer(another)
    assert Turn.REHEARSAL in world.turns.offer(KEY)
    await world.until(lambda: world.runs(2))
    world.start_operator()
    assert Turn.ROLLOUT not in world.turns.offer(another)
    assert parse_status(world.cluster.get(MODELDEPLOYMENT, KEY)).candidate is not None


async def test_a_deleted_resource_gives_its_turn_back() -> None:
    world = await start()
    world.registry.promote(2)
    await world.until(lambda: bool(world.rehearsal_pods))
    world.cluster.remove(MODELDEPLOYMENT, *KEY)

    await world.reconcile()

    assert world.turns.offer(KEY._replace(name="another")) == frozenset(Turn)
