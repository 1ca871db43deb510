"""What makes a rejected version a new try: whatever decides how it will do, and nothing else."""

from collections.abc import Callable
from typing import Any

import pytest

from regisseur_contract.rehearsal import Word
from regisseur_contract.tags import TAG_DIGEST
from support.fake_kubelet import OVERWRITTEN
from support.worlds import KEY, World, start

LONGER = {"progressDeadlineSeconds": 900}

CURES: list[Any] = [
    pytest.param(
        {"rehearsal": "hangs"}, {"rehearsal": {"timeout": "20m"}}, id="more time to rehearse"
    ),
    pytest.param({"never_ready": True}, LONGER, id="more time to become ready"),
    pytest.param(
        {"word": Word.REQUIREMENTS_MISMATCH},
        {"rehearsal": {"requirements": "Ignore"}},
        id="other rules",
    ),
]


async def reject(**behaviour: Any) -> World:
    """Return a world whose version 2 was rejected."""
    world = await start()
    world.kubelet.behave(2, **behaviour)
    world.registry.promote(2)
    await world.settle()
    assert [entry.version for entry in world.status.rejected] == [2]
    world.kubelet.heal()
    return world


@pytest.mark.parametrize(("behaviour", "change"), CURES)
async def test_what_the_message_asks_for_is_a_new_try(
    behaviour: dict[str, Any], change: dict[str, Any]
) -> None:
    world = await reject(**behaviour)
    world.edit_spec(lambda spec: spec.update(change))

    await world.settle()

    assert world.served_versions == ["2", "2"]
    assert world.condition("Ready")[0] == "True"


async def test_without_a_rehearsal_it_is_another_try() -> None:
    world = await reject(word=Word.LOAD_FAILED)
    world.change("rehearsal off")

    await world.settle()

    assert world.served_versions == ["2", "2"]


UNRELATED: list[Any] = [
    pytest.param(lambda spec: spec.update(replicas=3), id="more pods"),
    pytest.param(lambda spec: spec.update(service={"port": 8080}), id="another port"),
    pytest.param(lambda spec: spec.update(minReadySeconds=5), id="a shorter look"),
    pytest.param(lambda spec: spec.update(revisionHistoryLimit=3), id="fewer revisions"),
]


@pytest.mark.parametrize("change", UNRELATED)
async def test_what_has_no_part_in_it_is_no_new_try(
    change: Callable[[dict[str, Any]], None],
) -> None:
    world = await reject(word=Word.LOAD_FAILED)
    world.cluster.writes.clear()
    world.edit_spec(change)

    await world.settle()

    assert "create Pod wine-rehearsal" not in world.cluster.writes
    assert set(world.served_versions) == {"1"}
    assert world.condition("Ready")[1] == "VersionRejected"


async def test_a_corrected_digest_is_seen_and_is_a_new_try() -> None:
    world = await start()
    world.registry.register(2, tags={TAG_DIGEST: "sha256:0"})
    world.registry.promote(2)
    await world.settle()
    assert world.condition("Rehearsed")[:2] == ("False", "DigestMismatch")
    assert KEY in world.registry.closely_watched, "a tag moves no time stamp"

    world.registry.set_tag(2, TAG_DIGEST, world.kubelet.digest_of(world.files_of(2)))
    await world.settle()

    assert world.served_versions == ["2", "2"]
    assert world.condition("Ready")[0] == "True"
    assert KEY not in world.registry.closely_watched


async def test_tags_are_read_on_after_a_restart_of_the_operator() -> None:
    world = await start()
    world.registry.register(2, tags={TAG_DIGEST: "sha256:0"})
    world.registry.promote(2)
    await world.settle()
    world.registry.closely_watched.clear()
    world.start_operator()

    await world.settle()

    assert KEY in world.registry.closely_watched


@pytest.mark.parametrize("is_restarted", [False, True], ids=["one operator", "another one"])
async def test_why_a_version_is_not_served_is_told_on_in_an_outage(is_restarted: bool) -> None:
    world = await reject(word=Word.LOAD_FAILED)
    before = world.status.conditions
    world.registry.fail(world.clock.now())
    if is_restarted:
        world.registry.restart_watcher()
        world.start_operator()
    world.cluster.writes.clear()

    await world.reconcile()

    assert world.status.conditions == before
    assert world.cluster.writes == []


async def test_a_gate_is_told_on_in_an_outage() -> None:
    world = await start(model={"name": "wine", "stage": "Production"})
    world.change("approval gate")
    world.registry.promote(2)
    await world.settle()
    assert world.condition("Ready")[:2] == ("False", "GateUnmet")
    world.registry.fail(world.clock.now())
    world.registry.restart_watcher()
    world.start_operator()
    world.cluster.writes.clear()

    await world.reconcile()

    assert world.cluster.writes == []
    assert world.status.phase == "Waiting"


async def test_another_promotion_in_between_makes_it_a_new_try_also_of_what_is_served() -> None:
    world = await reject(word=Word.LOAD_FAILED)
    world.registry.promote(1)
    await world.settle()
    assert world.status.rejected == []
    world.registry.promote(2)

    await world.settle()

    assert world.served_versions == ["2", "2"]


async def test_a_version_that_comes_again_is_looked_at_again() -> None:
    world = await reject(crash="ValueError: shapes")
    world.registry.promote(1)
    await world.settle()
    world.replace_files(2, OVERWRITTEN)
    world.registry.promote(2)

    await world.settle()

    assert world.served_versions == ["2", "2"], "with the files that were rehearsed just now"
