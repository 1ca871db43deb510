"""A reference that names nothing any more: what is resolved stays, and what is said is true."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from regisseur_contract.tags import STAGE_PRODUCTION
from regisseur_operator.api.reasons import Reason
from regisseur_operator.core.resolution import Resolution
from regisseur_operator.ports import EMPTY_RUN
from support.followed_model import FollowedModel, followed
from support.guarded_mlflow_server import GuardedMlflowServer
from support.mlflow_server import MlflowServer
from support.model_versions import (
    create_model_version,
    delete_version,
    set_alias,
    transition,
)
from support.registry_edits import (
    delete_model,
    erase_run,
    read_run_id,
    rename_model,
    write_status,
)

GOES_ON = "What is served goes on being served"


@pytest_asyncio.fixture
async def production(mlflow_server: MlflowServer, model_name: str) -> AsyncIterator[FollowedModel]:
    """Follow the stage Production of the test's model."""
    async with followed(mlflow_server.url, model_name) as model:
        yield model


def promote(server: MlflowServer, name: str, *, archive: bool = True) -> int:
    """Register the next version and move it to Production."""
    version = create_model_version(server, name)
    transition(server, name, version, STAGE_PRODUCTION, archive=archive)
    return version


def assert_kept(resolution: Resolution, version: int) -> None:
    """Expect that nothing is named, that it is said, and that the version is kept."""
    assert not resolution.is_fresh
    assert resolution.resolved is not None
    assert resolution.resolved.version == version
    assert (resolution.verdict.status, resolution.verdict.reason) == (
        "False",
        Reason.REFERENCE_NOT_FOUND,
    )
    assert resolution.verdict.message.endswith(GOES_ON)


# ---- versions ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        pytest.param({"stage": "Production"}, "No version holds stage Production", id="a stage"),
        pytest.param({"alias": "champion"}, "No version holds alias 'champion'", id="an alias"),
        pytest.param({"version": 1}, "There is no version 1 of model", id="a number"),
    ],
)
async def test_a_version_deleted_while_it_is_served_is_kept(
    mlflow_server: MlflowServer, model_name: str, reference: dict[str, str | int], said: str
) -> None:
    promote(mlflow_server, model_name)
    set_alias(mlflow_server, model_name, "champion", 1)
    async with followed(mlflow_server.url, model_name, **reference) as model:
        await model.follow()
        delete_version(mlflow_server, model_name, 1)

        resolution = await model.look()

    assert_kept(resolution, 1)
    assert resolution.verdict.message.startswith(said)


async def test_the_highest_of_those_left_is_followed_when_the_served_one_is_deleted(
    mlflow_server: MlflowServer, production: FollowedModel, model_name: str
) -> None:
    for _ in range(3):
        promote(mlflow_server, model_name, archive=False)
    assert (await production.follow()).version == 3
    delete_version(mlflow_server, model_name, 3)

    resolved = await production.follow()

    assert (resolved.version, resolved.holders) == (2, [1, 2])


async def test_a_version_that_is_still_being_registered_is_waited_for(
    mlflow_server: MlflowServer, production: FollowedModel, model_name: str
) -> None:
    promote(mlflow_server, model_name)
    await production.follow()
    version = create_model_version(mlflow_server, model_name)
    write_status(mlflow_server, model_name, version, "PENDING_REGISTRATION")
    transition(mlflow_server, model_name, version, STAGE_PRODUCTION)

    resolution = await production.look()
    assert_kept(resolution, 1)
    assert "registration is PENDING_REGISTRATION" in resolution.verdict.message

    write_status(mlflow_server, model_name, version, "READY")
    transition(mlflow_server, model_name, version, STAGE_PRODUCTION)
    assert (await production.follow()).version == 2


# ---- models --------------------------------------------------------------------------------------


async def test_a_deleted_model_is_told_with_all_that_it_can_be(
    mlflow_server: MlflowServer, production: FollowedModel, model_name: str
) -> None:
    promote(mlflow_server, model_name)
    await production.follow()
    delete_model(mlflow_server, model_name)

    resolution = await production.look()

    assert_kept(resolution, 1)
    assert "deleted or renamed, or the operator may no longer see it" in resolution.verdict.message
    await production.rest()


async def test_a_model_that_was_made_again_is_another_one(
    mlflow_server: MlflowServer, production: FollowedModel, model_name: str
) -> None:
    promote(mlflow_server, model_name)
    before = await production.follow()
    delete_model(mlflow_server, model_name)
    promote(mlflow_server, model_name)

    after = await production.follow()

    assert before.version == after.version == 1
    assert before.model_id != after.model_id
    assert before.run_id != after.run_id
    assert before.source != after.source
    assert before.resolved_at != after.resolved_at


@pytest.mark.parametrize("is_seen_empty", [True, False], ids=["seen empty", "between two looks"])
async def test_numbers_of_a_deleted_model_are_not_taken_for_those_of_the_new_one(
    mlflow_server: MlflowServer,
    production: FollowedModel,
    model_name: str,
    is_seen_empty: bool,
) -> None:
    # Version 2 of the old model was the only one in Production; by its number alone, version 1
    # of the new model would seem to have entered last.
    create_model_version(mlflow_server, model_name)
    promote(mlflow_server, model_name)
    assert (await production.follow()).holders == [2]
    delete_model(mlflow_server, model_name)
    if is_seen_empty:
        await production.look()
    promote(mlflow_server, model_name)
    promote(mlflow_server, model_name, archive=False)

    resolved = await production.follow()

    assert (resolved.version, resolved.holders) == (2, [1, 2])


async def test_what_enters_the_stage_of_a_new_model_is_followed(
    mlflow_server: MlflowServer, production: FollowedModel, model_name: str
) -> None:
    promote(mlflow_server, model_name)
    await production.follow()
    delete_model(mlflow_server, model_name)
    create_model_version(mlflow_server, model_name)
    promote(mlflow_server, model_name)
    assert (await production.follow()).version == 2

    transition(mlflow_server, model_name, 1, STAGE_PRODUCTION, archive=False)

    assert (await production.follow()).version == 1  # a holder of the old model had this number


async def test_a_renamed_model_is_told_and_followed_under_its_new_name(
    mlflow_server: MlflowServer, production: FollowedModel, model_name: str
) -> None:
    promote(mlflow_server, model_name)
    await production.follow()
    rename_model(mlflow_server, model_name, f"{model_name} renamed")

    resolution = await production.look()
    assert_kept(resolution, 1)
    assert "renamed" in resolution.verdict.message

    production.model["name"] = f"{model_name} renamed"
    resolved = await production.follow()
    assert (resolved.model, resolved.version) == (f"{model_name} renamed", 1)


async def test_another_model_under_the_name_of_a_renamed_one_is_another_one(
    mlflow_server: MlflowServer, production: FollowedModel, model_name: str
) -> None:
    promote(mlflow_server, model_name)
    before = await production.follow()
    promote(mlflow_server, f"{model_name} new")
    rename_model(mlflow_server, model_name, f"{model_name} old")
    rename_model(mlflow_server, f"{model_name} new", model_name)

    after = await production.follow()

    assert after.version == before.version == 1
    assert after.model_id != before.model_id


# ---- runs ----------------------------------------------------------------------------------------


async def test_a_run_that_is_gone_keeps_nobody_from_its_version(
    mlflow_server: MlflowServer, production: FollowedModel, model_name: str
) -> None:
    version = create_model_version(mlflow_server, model_name, metrics={"accuracy": 0.9})
    run_id = read_run_id(mlflow_server, model_name, version)
    transition(mlflow_server, model_name, version, STAGE_PRODUCTION)
    erase_run(mlflow_server, run_id)

    resolution = await production.look()

    assert resolution.is_fresh
    assert resolution.run == EMPTY_RUN
    assert resolution.resolved is not None
    assert resolution.resolved.run_id == run_id


# ---- permissions ---------------------------------------------------------------------------------


async def test_a_permission_that_is_taken_away_stops_nothing(
    guarded_mlflow_server: GuardedMlflowServer, model_name: str
) -> None:
    server = guarded_mlflow_server
    promote(server, model_name)
    server.permit("experiment", "0")
    server.permit("registered_model", model_name)
    async with followed(server.operator_url, model_name) as model:
        await model.follow()
        server.forbid("registered_model", model_name)

        lost = await model.look()  # MLflow answers `200 {}`, as if the model were gone
        assert_kept(lost, 1)
        assert "the operator may no longer see it" in lost.verdict.message
        assert "let the operator read it" in lost.verdict.message

        server.permit("registered_model", model_name)
        assert (await model.follow()).version == 1


async def test_a_model_that_is_asked_for_by_name_is_refused_and_told_so(
    guarded_mlflow_server: GuardedMlflowServer, model_name: str
) -> None:
    server, name = guarded_mlflow_server, f"{model_name} it's"  # which no list can spell
    promote(server, name)
    server.permit("experiment", "0")
    server.permit("registered_model", name)
    async with followed(server.operator_url, name) as model:
        before = await model.follow()
        server.forbid("registered_model", name)

        lost = await model.look(ticks=10)
        assert lost.resolved == before
        assert (lost.reachable.status, lost.reachable.reason) == ("False", Reason.REGISTRY_DENIED)
        assert "refuses the operator (403)" in lost.reachable.message

        server.permit("registered_model", name)
        assert (await model.look()).reachable.status == "True"


async def test_a_run_that_may_not_be_read_is_waited_for_with_what_to_do(
    guarded_mlflow_server: GuardedMlflowServer, model_name: str
) -> None:
    server = guarded_mlflow_server
    server.forbid("experiment", "0")
    server.permit("registered_model", model_name)
    promote(server, model_name)
    async with followed(server.operator_url, model_name) as model:
        waiting = await model.look()
        assert (waiting.is_fresh, waiting.verdict.reason) == (False, Reason.REGISTRY_DENIED)
        assert "let the operator read the run's experiment" in waiting.verdict.message

        server.permit("experiment", "0")
        assert (await model.follow()).version == 1
