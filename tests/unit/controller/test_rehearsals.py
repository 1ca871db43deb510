"""A version is rehearsed before it meets traffic, and what comes of it."""

from typing import Any

import pytest

from regisseur_contract.names import LABEL_MODELDEPLOYMENT
from regisseur_contract.rehearsal import Word
from regisseur_contract.runtime import ENV_EXPECTED_DIGEST
from regisseur_contract.tags import TAG_DIGEST
from regisseur_operator.ports import Manifest
from support.fake_cluster import Fault
from support.witness import Witness
from support.worlds import World, start

BAD_WORDS = [word for word in Word if word != Word.PASSED]


def fetch_environment(world: World) -> dict[str, str]:
    """Return the environment of the fetch container of the serving pods."""
    fetch: Manifest = world.deployment["spec"]["template"]["spec"]["initContainers"][0]
    return {entry["name"]: entry.get("value", "") for entry in fetch["env"]}


def count_rehearsals(world: World) -> int:
    return world.cluster.writes.count("create Pod wine-rehearsal")


async def promote_and_reject(world: World, **behaviour: Any) -> None:
    world.kubelet.behave(2, **behaviour)
    world.registry.promote(2)
    await world.settle()


# ---- what passes ---------------------------------------------------------------------------------


async def test_what_passed_is_served_with_the_files_that_were_rehearsed() -> None:
    world = await start()
    world.registry.promote(2)

    await world.settle()

    found = world.kubelet.digest_of(world.files_of(2))
    assert fetch_environment(world)[ENV_EXPECTED_DIGEST] == found
    rehearsal = world.status.rehearsal
    assert rehearsal is not None
    assert (rehearsal.version, rehearsal.state, rehearsal.attempts) == (2, "Passed", 1)
    assert rehearsal.facts is not None
    assert (rehearsal.facts.digest, rehearsal.facts.bytes) == (found, 4096)
    assert world.status.stable is not None
    assert world.status.stable.digest == found
    assert world.rehearsal_pods == []
    assert count_rehearsals(world) == 1


async def test_a_rehearsal_touches_nothing_that_serves() -> None:
    world = await start()
    world.registry.promote(2)
    await world.until(lambda: bool(world.rehearsal_pods))

    labels = world.rehearsal_pods[0]["metadata"]["labels"]
    assert LABEL_MODELDEPLOYMENT not in labels
    assert "apply Deployment wine" not in world.cluster.writes
    assert world.status.phase == "Rehearsing"
    assert world.condition("Ready")[0] == "False"
    assert world.condition("Available")[0] == "True"


async def test_the_first_version_is_rehearsed_too() -> None:
    world = World()
    world.registry.promote(1)

    await world.settle()

    assert count_rehearsals(world) == 1
    assert world.condition("Rehearsed")[:2] == ("True", "RehearsalPassed")


async def test_other_resources_are_another_try() -> None:
    world = await start()
    world.change("memory")

    await world.settle()

    assert count_rehearsals(world) == 1
    assert world.status.phase == "Healthy"


async def test_without_rehearsals_nothing_is_pinned_and_that_is_said() -> None:
    world = await start(rehearsal={"enabled": False})
    world.registry.promote(2)

    await world.settle()

    assert count_rehearsals(world) == 0
    assert world.served_versions == ["2", "2"]
    assert fetch_environment(world).get(ENV_EXPECTED_DIGEST, "") == ""
    assert world.condition("Rehearsed")[1] == "RehearsalDisabled"
    assert "spec.model.gates.signature" in world.condition("Rehearsed")[2]


async def test_a_version_that_served_before_comes_back_without_a_rehearsal() -> None:
    world = await start()
    first = world.deployment["spec"]["template"]
    world.registry.promote(2)
    await world.settle()
    world.cluster.writes.clear()
    world.registry.promote(1)

    await world.settle()

    assert count_rehearsals(world) == 0
    assert world.deployment["spec"]["template"] == first
    assert world.status.stable is not None
    assert (world.status.stable.version, world.status.stable.revision) == (1, 3)


# ---- what the version itself does wrong ----------------------------------------------------------


@pytest.mark.parametrize("word", BAD_WORDS)
async def test_a_version_that_fails_is_rejected_and_not_tried_again(word: Word) -> None:
    world = await start()
    await promote_and_reject(world, word=word)

    rehearsal = world.status.rehearsal
    assert rehearsal is not None
    assert (rehearsal.state, rehearsal.verdict) == ("Failed", word)
    rejection = world.status.rejected[0]
    assert (rejection.version, rejection.reason, rejection.key) == (2, word, rehearsal.key)
    assert "the model says" in rejection.message
    assert world.condition("Rehearsed")[:2] == ("False", word)
    assert world.condition("Ready")[:2] == ("False", "VersionRejected")
    assert world.status.phase == "Degraded"
    assert world.served_versions == ["1", "1"]

    world.kubelet.heal()
    world.start_operator()
    world.clock.advance(100_000)
    await world.settle()

    assert count_rehearsals(world) == 1
    assert world.served_versions == ["1", "1"]


REJECTING: list[Any] = [
    pytest.param({"rehearsal": "hangs"}, "RehearsalTimedOut", id="it takes too long"),
    pytest.param({"rehearsal": "crashes"}, "RehearsalCrashed", id="it ends without a verdict"),
]


@pytest.mark.parametrize(("behaviour", "reason"), REJECTING)
async def test_a_rehearsal_without_a_verdict_rejects(
    behaviour: dict[str, Any], reason: str
) -> None:
    world = await start()
    await promote_and_reject(world, **behaviour)

    assert [entry.reason for entry in world.status.rejected] == [reason]
    assert world.served_versions == ["1", "1"]


async def test_a_rehearsal_out_of_memory_is_tried_again_with_more() -> None:
    world = await start(serving={"resources": {"limits": {"memory": "512Mi"}}})
    await promote_and_reject(world, memory=600)
    assert [entry.reason for entry in world.status.rejected] == ["OutOfMemory"]
    assert "limits.memory" in world.condition("Ready")[2]

    world.change("memory")
    await world.settle()

    assert world.served_versions == ["2", "2"]
    assert world.status.phase == "Healthy"


async def test_files_that_are_not_those_of_training_are_refused() -> None:
    world = await start()
    world.registry.register(2)
    world.registry.set_tag(2, TAG_DIGEST, "sha256:0")
    world.registry.promote(2)

    await world.settle()

    assert [entry.reason for entry in world.status.rejected] == ["DigestMismatch"]
    assert world.served_versions == ["1", "1"]


@pytest.mark.parametrize(
    ("found", "reason"), [("missing", "ArtifactMissing"), ("invalid", "ArtifactInvalid")]
)
async def test_a_version_that_points_nowhere_is_rejected(found: str, reason: str) -> None:
    world = await start()
    world.registry.register(2)
    world.replace_files(2, found)
    world.registry.promote(2)

    await world.settle()

    assert [entry.reason for entry in world.status.rejected] == [reason]


async def test_a_rejection_goes_when_the_reference_moves() -> None:
    world = await start()
    await promote_and_reject(world, word=Word.LOAD_FAILED)
    world.registry.promote(3)
    await world.settle()
    assert world.status.rejected == []
    assert world.served_versions == ["3", "3"]

    world.kubelet.heal()
    world.registry.promote(2)
    await world.settle()

    assert world.served_versions == ["2", "2"]
    assert count_rehearsals(world) == 3


# ---- changes while it runs -----------------------------------------------------------------------


async def test_a_newer_promotion_takes_the_place_of_a_rehearsal() -> None:
    world = await start()
    world.kubelet.behave(2, rehearsal="hangs")
    world.registry.promote(2)
    await world.until(lambda: bool(world.rehearsal_pods))
    world.registry.promote(3)

    await world.settle()

    assert world.served_versions == ["3", "3"]
    assert "2" not in {version for _, ready in world.ready_log for version in ready}
    assert world.status.rejected == []


async def test_a_promotion_that_is_taken_back_ends_its_rehearsal() -> None:
    world = await start()
    world.kubelet.behave(2, rehearsal="hangs")
    world.registry.promote(2)
    await world.until(lambda: bool(world.rehearsal_pods))
    world.registry.promote(1)

    await world.settle()

    assert world.rehearsal_pods == []
    assert world.status.phase == "Healthy"
    assert world.status.candidate is None
    assert "apply Deployment wine" not in world.cluster.writes


@pytest.mark.parametrize("fault", ["lost", "crash before", "crash after"])
@pytest.mark.parametrize("number", range(12))
@pytest.mark.parametrize("word", [Word.PASSED, Word.LOAD_FAILED])
async def test_a_fault_at_any_write_changes_nothing_of_the_end(
    word: Word, number: int, fault: Fault
) -> None:
    world = await start()
    witness = Witness(world)
    world.kubelet.behave(2, word=word)
    world.registry.promote(2)
    world.cluster.faults[:] = [*[None] * number, fault]

    await world.settle()

    assert len(witness.rehearsed) == 1
    assert world.rehearsal_pods == []
    expected = "2" if word == Word.PASSED else "1"
    assert world.served_versions == [expected, expected]
    assert bool(world.status.rejected) is (word != Word.PASSED)


async def test_a_status_that_is_lost_during_a_rehearsal_loses_nothing() -> None:
    world = await start()
    world.registry.promote(2)
    await world.until(lambda: bool(world.rehearsal_pods))
    world.wipe_status()
    world.start_operator()

    await world.settle()

    assert count_rehearsals(world) == 1
    assert world.served_versions == ["2", "2"]


async def test_an_unmet_gate_comes_before_the_rehearsal() -> None:
    world = await start()
    world.change("approval gate")
    world.registry.promote(2)

    await world.settle()

    assert count_rehearsals(world) == 0
    assert world.status.phase == "Waiting"
    assert world.condition("Ready")[1] == "GateUnmet"
    assert "approved" in world.condition("Ready")[2]
    assert world.registry.closely_watched

    world.approve(2)
    await world.settle()

    assert world.served_versions == ["2", "2"]
    assert not world.registry.closely_watched
