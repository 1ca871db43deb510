"""Which version the reference names."""

from datetime import timedelta

import pytest

from regisseur_operator.api.status import Resolved
from regisseur_operator.core.registry import ModelVersion
from regisseur_operator.core.resolution import MOST_HOLDERS, choose_holder
from regisseur_operator.resources import MODELDEPLOYMENT
from support.worlds import KEY, World


def build_version(number: int) -> ModelVersion:
    return ModelVersion("wine", number, "Production", "READY", f"run-{number}", f"models:/{number}")


def build_memory(version: int, holders: list[int]) -> Resolved:
    return Resolved(
        registry="default", model="wine", reference="Production", version=version, holders=holders
    )


@pytest.mark.parametrize(
    ("holders", "memory", "chosen"),
    [
        pytest.param([4], None, 4, id="the only holder is chosen"),
        pytest.param([1, 3, 2], None, 3, id="without memory the highest number wins"),
        pytest.param([1, 2], (2, [2]), 1, id="an older version that newly entered wins"),
        pytest.param([1, 2, 3], (1, [1]), 3, id="of several that entered the highest wins"),
        pytest.param([1, 2], (1, [1, 2]), 1, id="the choice stays while nothing enters"),
        pytest.param([1, 2], (3, [1, 2, 3]), 2, id="when the chosen one left the highest wins"),
        pytest.param([5], (2, [1, 2]), 5, id="an archiving promotion is followed"),
        pytest.param([1, 2], (1, []), 1, id="to a memory without holders none is new"),
        pytest.param([2, 3], (1, []), 3, id="a memory without holders whose choice left"),
    ],
)
def test_holder_of_the_stage(
    holders: list[int], memory: tuple[int, list[int]] | None, chosen: int
) -> None:
    remembered = build_memory(*memory) if memory is not None else None

    assert choose_holder([build_version(n) for n in holders], remembered).version == chosen


@pytest.mark.parametrize(
    ("holders", "version", "remembered", "chosen"),
    [
        pytest.param((1, 1500), 7, (501, 1500), 7, id="those that were left out are not new"),
        pytest.param((1, 1501), 7, (501, 1500), 1501, id="a higher one is new"),
        pytest.param((501, 1500), 7, (501, 1500), 1500, id="when the choice left the highest wins"),
    ],
)
def test_a_stage_that_holds_more_than_a_status_remembers(
    holders: tuple[int, int], version: int, remembered: tuple[int, int], chosen: int
) -> None:
    memory = build_memory(version, list(range(remembered[0], remembered[1] + 1)))
    held = [build_version(n) for n in range(holders[0], holders[1] + 1)]

    assert choose_holder(held, memory).version == chosen


async def test_a_crowded_stage_is_told_in_a_few_words() -> None:
    world = World()
    for version in range(1, MOST_HOLDERS + 3):
        world.registry.promote(version, archive=False)

    await world.settle()

    assert world.status.resolved is not None
    assert world.status.resolved.holders == list(range(3, MOST_HOLDERS + 3))
    message = world.condition("Resolved")[2]
    assert "and 992 older of model 'wine' are all in stage Production" in message
    assert "version 1002 is followed" in message


async def test_several_holders_are_named_with_what_to_do() -> None:
    world = World()
    world.registry.promote(1)
    world.registry.promote(2, archive=False)

    await world.settle()

    status, reason, message = world.condition("Resolved")
    assert (status, reason) == ("True", "SeveralHolders")
    assert "Versions 1, 2" in message
    assert "version 2 is followed" in message
    assert "Archive the others" in message
    assert world.status.resolved is not None
    assert world.status.resolved.holders == [1, 2]


@pytest.mark.parametrize(
    ("model", "named"),
    [
        pytest.param(
            {"name": "wien", "stage": "Production"},
            ["no model 'wien'", "registry 'default'", "stage Production"],
            id="the model is missing",
        ),
        pytest.param(
            {"name": "wine", "stage": "Staging"},
            ["stage Staging", "model 'wine'", "registry 'default'"],
            id="the stage is empty",
        ),
        pytest.param(
            {"name": "wine", "alias": "champion"},
            ["alias 'champion'", "model 'wine'", "registry 'default'"],
            id="the alias is missing",
        ),
        pytest.param(
            {"name": "wine", "version": 7},
            ["version 7", "model 'wine'", "registry 'default'"],
            id="the version is missing",
        ),
    ],
)
async def test_a_reference_that_names_nothing_is_told_in_full(
    model: dict[str, object], named: list[str]
) -> None:
    world = World(model=model)
    world.registry.promote(1)

    await world.settle()

    status, reason, message = world.condition("Resolved")
    assert (status, reason) == ("False", "ReferenceNotFound")
    assert all(part in message for part in named), message
    assert world.cluster.writes == ["status"]
    assert world.status.phase == "Pending"


async def test_an_alias_and_a_pinned_version_are_followed() -> None:
    world = World(model={"name": "wine", "alias": "champion"})
    world.registry.register(1)
    world.registry.register(2)
    world.registry.aliases["wine", "champion"] = 2
    await world.settle()
    assert world.status.reference == "@champion"
    assert world.status.stable is not None
    assert world.status.stable.version == 2

    world.edit_spec(lambda spec: spec.update(model={"name": "wine", "version": "1"}))
    await world.settle()

    assert world.status.reference == "1"
    assert world.status.stable is not None
    assert world.status.stable.version == 1


async def test_an_unknown_registry_is_told_with_those_that_are_known() -> None:
    world = World(model={"registry": "prod", "name": "wine", "stage": "Production"})

    await world.settle()

    assert world.condition("Resolved")[1] == "RegistryUnknown"
    assert world.condition("RegistryReachable")[:2] == ("False", "RegistryUnknown")
    assert "'prod'" in world.condition("Resolved")[2]
    assert "it knows: default" in world.condition("Resolved")[2]


async def test_nothing_is_said_or_done_before_the_registry_was_asked() -> None:
    world = World()
    world.registry.restart_watcher()

    await world.settle()

    assert world.condition("Resolved")[:2] == ("Unknown", "WaitingForRegistry")
    assert world.condition("RegistryReachable")[:2] == ("Unknown", "WaitingForRegistry")
    assert world.cluster.writes == ["status"]


async def test_a_version_waits_until_its_files_are_known() -> None:
    world = World()
    world.registry.promote(1)
    await world.settle()
    world.registry.promote(2)
    world.registry.hidden_files.add(2)

    await world.settle()
    assert world.status.resolved is not None
    assert world.status.resolved.version == 1
    assert world.condition("Ready")[0] == "True"

    world.registry.hidden_files.clear()
    await world.settle()
    assert world.status.stable is not None
    assert world.status.stable.version == 2


async def test_a_version_that_is_still_being_registered_is_not_followed() -> None:
    world = World()
    world.registry.register(1, status="PENDING_REGISTRATION")
    world.registry.move(1, "Production")

    await world.settle()

    assert world.condition("Resolved")[1] == "ReferenceNotFound"
    assert "PENDING_REGISTRATION" in world.condition("Resolved")[2]
    assert world.cluster.writes == ["status"]


async def test_a_version_number_that_came_again_is_another_version() -> None:
    world = World()
    world.registry.promote(1)
    await world.settle()
    again = world.registry.versions["wine", 1]
    world.registry.versions["wine", 1] = ModelVersion(
        **{**again.__dict__, "run_id": "run-9", "model_id": "m-9"}
    )

    await world.settle()

    assert world.status.stable is not None
    assert (world.status.stable.version, world.status.stable.revision) == (1, 2)


@pytest.mark.parametrize("is_known", [True, False], ids=["its birth known", "its birth unknown"])
async def test_numbers_of_a_model_that_was_made_again_are_not_remembered(is_known: bool) -> None:
    world = World()
    world.registry.promote(2)
    await world.settle()
    if not is_known:  # the status is of an operator that did not ask for it yet
        world.cluster.edit(
            MODELDEPLOYMENT, KEY, lambda it: it["status"]["resolved"].pop("modelCreatedMs")
        )
    world.registry.delete_model()
    for version in (1, 2):
        world.registry.register(version, model_id=f"m-new-{version}")
        world.registry.move(version, "Production")

    await world.settle()

    assert world.status.resolved is not None
    assert world.status.resolved.model_id == "m-new-2"
    assert world.status.resolved.holders == [1, 2]


async def test_a_stage_may_be_written_in_any_case() -> None:
    world = World(model={"name": "wine", "stage": "production"})
    world.registry.promote(1)
    await world.settle()
    assert world.status.reference == "Production"
    assert world.condition("Resolved")[2] == "Stage Production of model 'wine' is version 1"

    world.edit_spec(lambda spec: spec.update(model={"name": "wine", "stage": "PRODUCTION"}))
    await world.settle()

    assert world.status.stable is not None
    assert world.status.stable.revision == 1


async def test_an_alias_on_an_archived_version_is_followed_and_told() -> None:
    world = World(model={"name": "wine", "alias": "champion"})
    world.registry.register(1)
    world.registry.move(1, "Archived")
    world.registry.aliases["wine", "champion"] = 1

    await world.settle()

    status, reason, message = world.condition("Resolved")
    assert (status, reason) == ("True", "VersionResolved")
    assert "version 1, which is in stage Archived" in message
    assert "Move the alias" in message


async def test_a_model_that_is_gone_or_hidden_goes_on_being_served() -> None:
    world = World()
    world.registry.promote(1)
    await world.settle()
    world.registry.delete_model()

    await world.settle()

    status, reason, message = world.condition("Resolved")
    assert (status, reason) == ("False", "ReferenceNotFound")
    assert "deleted or renamed, or the operator may no longer see it" in message
    assert message.endswith("What is served goes on being served")
    assert world.ready_pods == 2


async def test_a_version_waits_until_its_run_is_known() -> None:
    world = World()
    world.registry.promote(1)
    await world.settle()
    world.registry.promote(2)
    world.registry.hidden_runs.add(2)

    await world.settle()
    assert world.status.resolved is not None
    assert world.status.resolved.version == 1

    world.registry.hidden_runs.clear()
    await world.settle()
    assert world.status.stable is not None
    assert world.status.stable.version == 2


async def test_a_tag_of_the_served_version_writes_nothing() -> None:
    world = World()
    world.registry.promote(1)
    await world.settle()
    world.registry.set_tag(1, "team", "blue")

    outcome = await world.reconcile()

    assert outcome.writes == ()


# ---- outages -------------------------------------------------------------------------------------


async def test_a_registry_is_called_unreachable_after_30_seconds() -> None:
    world = World()
    world.registry.promote(1)
    await world.settle()
    world.registry.fail(world.clock.now())
    world.clock.advance(10)

    outcome = await world.reconcile()
    assert outcome.writes == ()
    assert outcome.requeue_after_seconds == 20

    world.clock.advance(20)
    await world.reconcile()
    status, reason, message = world.condition("RegistryReachable")
    assert (status, reason) == ("False", "RegistryUnreachable")
    assert "connection refused" in message
    assert world.condition("Ready")[0] == "True"
    assert world.condition("Resolved")[0] == "True"


async def test_a_long_outage_writes_nothing_though_its_messages_differ() -> None:
    world = World()
    world.registry.promote(1)
    await world.settle()
    world.registry.fail(world.clock.now() - timedelta(seconds=60))
    await world.settle()
    world.registry.fail(world.clock.now() - timedelta(seconds=90), "timed out after 10 s")

    outcome = await world.reconcile()

    assert outcome.writes == ()


async def test_a_refusal_is_told_apart_from_silence() -> None:
    world = World()
    world.registry.promote(1)
    await world.settle()
    world.registry.fail(world.clock.now() - timedelta(seconds=60), "403 Forbidden", denied=True)

    await world.settle()

    assert world.condition("RegistryReachable")[:2] == ("False", "RegistryDenied")


async def test_an_operator_restarted_in_an_outage_keeps_what_was_resolved() -> None:
    world = World()
    world.registry.promote(1)
    await world.settle()
    before = world.status
    world.registry.restart_watcher()
    world.registry.fail(world.clock.now())
    world.start_operator()

    outcome = await world.reconcile()

    assert outcome.writes == ()
    assert world.status == before


async def test_a_new_reference_during_an_outage_is_not_called_resolved() -> None:
    world = World()
    world.registry.promote(1)
    await world.settle()
    world.registry.restart_watcher()
    world.registry.fail(world.clock.now())
    world.edit_spec(lambda spec: spec.update(model={"name": "wine", "alias": "champion"}))

    await world.settle()

    assert world.condition("Resolved")[:2] == ("Unknown", "RegistryUnreachable")
    assert world.condition("Ready")[0] == "False"
    assert world.condition("Available")[0] == "True"
    assert world.ready_pods == 2
