"""What a reference names, resolved from a real MLflow server as the operator does it."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from regisseur_contract.tags import STAGE_ARCHIVED, STAGE_PRODUCTION, TAG_DATA_VERSION, TAG_GIT_SHA
from regisseur_operator.api.reasons import Reason
from support.followed_model import FollowedModel, followed
from support.mlflow_server import MlflowServer
from support.model_versions import (
    create_model_version,
    set_alias,
    set_version_tag,
    transition,
)
from support.registry_edits import (
    create_version_from,
    describe_model,
    describe_version,
    log_metric,
    overwrite_artifact,
    read_run_id,
    set_model_tag,
    set_run_tag,
)


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


# ---- stages --------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", ["production", "PRODUCTION", "pRoDuCtIoN"])
async def test_a_stage_is_found_in_any_case(
    mlflow_server: MlflowServer, model_name: str, stage: str
) -> None:
    promote(mlflow_server, model_name)

    async with followed(mlflow_server.url, model_name, stage=stage) as model:
        resolved = await model.follow()
        assert (resolved.version, resolved.reference) == (1, "Production")

        model.model["stage"] = "Production"
        assert await model.follow() == resolved


async def test_of_several_holders_the_one_that_entered_last_is_followed(
    mlflow_server: MlflowServer, production: FollowedModel, model_name: str
) -> None:
    promote(mlflow_server, model_name)
    assert (await production.follow()).version == 1
    promote(mlflow_server, model_name, archive=False)

    resolved = await production.follow()

    assert (resolved.version, resolved.holders) == (2, [1, 2])
    verdict = (await production.look()).verdict
    assert (verdict.status, verdict.reason) == ("True", Reason.SEVERAL_HOLDERS)
    assert "Versions 1, 2" in verdict.message
    await production.rest()


async def test_an_older_version_that_entered_last_is_followed(
    mlflow_server: MlflowServer, production: FollowedModel, model_name: str
) -> None:
    # MLflow's own look-up, and `models:/name/Production`, would go on giving version 2.
    create_model_version(mlflow_server, model_name)
    promote(mlflow_server, model_name)
    assert (await production.follow()).version == 2
    transition(mlflow_server, model_name, 1, STAGE_PRODUCTION, archive=False)

    resolved = await production.follow()

    assert (resolved.version, resolved.holders) == (1, [1, 2])
    await production.rest()


async def test_of_several_holders_the_choice_survives_a_restart_and_a_description(
    mlflow_server: MlflowServer, production: FollowedModel, model_name: str
) -> None:
    create_model_version(mlflow_server, model_name)
    promote(mlflow_server, model_name)
    await production.follow()
    transition(mlflow_server, model_name, 1, STAGE_PRODUCTION, archive=False)
    assert (await production.follow()).version == 1

    production.restart_operator()
    describe_version(mlflow_server, model_name, 2, "moved to the front of MLflow's list")

    assert (await production.follow()).version == 1


async def test_without_a_memory_the_highest_number_is_followed(
    mlflow_server: MlflowServer, production: FollowedModel, model_name: str
) -> None:
    create_model_version(mlflow_server, model_name)
    promote(mlflow_server, model_name)
    transition(mlflow_server, model_name, 1, STAGE_PRODUCTION, archive=False)

    assert (await production.follow()).version == 2


# ---- aliases and numbers -------------------------------------------------------------------------


async def test_an_alias_is_followed_whatever_the_stages_say(
    mlflow_server: MlflowServer, model_name: str
) -> None:
    for _ in range(2):
        create_model_version(mlflow_server, model_name)
    transition(mlflow_server, model_name, 2, STAGE_PRODUCTION)
    set_alias(mlflow_server, model_name, "champion", 1)
    set_alias(mlflow_server, model_name, "Champion", 2)

    async with followed(mlflow_server.url, model_name, alias="champion") as model:
        assert (await model.follow()).version == 1
        set_alias(mlflow_server, model_name, "champion", 2)
        assert (await model.follow()).version == 2


async def test_an_alias_on_an_archived_version_is_followed_and_told(
    mlflow_server: MlflowServer, model_name: str
) -> None:
    version = create_model_version(mlflow_server, model_name)
    set_alias(mlflow_server, model_name, "champion", version)
    transition(mlflow_server, model_name, version, STAGE_ARCHIVED)

    async with followed(mlflow_server.url, model_name, alias="champion") as model:
        resolution = await model.look()

    assert resolution.is_fresh
    assert resolution.verdict.reason == Reason.VERSION_RESOLVED
    assert "is version 1, which is in stage Archived" in resolution.verdict.message


async def test_a_pinned_version_stays_whatever_is_promoted(
    mlflow_server: MlflowServer, model_name: str
) -> None:
    promote(mlflow_server, model_name)

    async with followed(mlflow_server.url, model_name, version=1) as model:
        resolved = await model.follow()
        assert resolved.version == 1
        promote(mlflow_server, model_name)
        assert await model.follow() == resolved


# ---- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("{} ünïcödé 模型 🙂", id="letters of all the world"),
        pytest.param('{} it\'s "both"', id="both kinds of quotes"),
        pytest.param('{} \\ it\'s "both" 100%_', id="quotes, backslashes and wildcards"),
        pytest.param("  {}  ", id="spaces at both ends"),
        pytest.param("{}\nand\ttab", id="a line break and a tab"),
        pytest.param("{:a<255}", id="255 letters"),
        pytest.param("{:模<255}", id="255 letters of three bytes"),
        pytest.param("{:🙂<255}", id="255 letters of four bytes"),
    ],
)
async def test_a_model_of_any_name_is_followed_through_all_that_can_happen(
    mlflow_server: MlflowServer, name: str
) -> None:
    name = name.format("names")
    for _ in range(3):
        create_model_version(mlflow_server, name)
    transition(mlflow_server, name, 2, STAGE_PRODUCTION)

    async with followed(mlflow_server.url, name) as model:
        assert (await model.follow()).version == 2
        transition(mlflow_server, name, 1, STAGE_PRODUCTION, archive=False)
        assert (await model.follow()).holders == [1, 2]
        assert (await model.follow()).version == 1
        await model.rest()
    async with followed(mlflow_server.url, name, version=1) as model:
        assert (await model.follow()).version == 1


async def test_names_that_differ_in_case_or_in_spaces_are_different_models(
    mlflow_server: MlflowServer, model_name: str
) -> None:
    for name in (model_name, model_name.upper(), f"{model_name} ", f" {model_name}"):
        promote(mlflow_server, name)
    promote(mlflow_server, f" {model_name}")

    async with followed(mlflow_server.url, model_name) as model:
        assert (await model.follow()).version == 1
    async with followed(mlflow_server.url, f" {model_name}") as model:
        assert (await model.follow()).version == 2


# ---- edits that change nothing -------------------------------------------------------------------

Edit = Callable[[MlflowServer, str], None]


def _describe_version(server: MlflowServer, name: str) -> None:
    describe_version(server, name, 1, "better words")


def _describe_model(server: MlflowServer, name: str) -> None:
    describe_model(server, name, "better words")


def _tag_version(server: MlflowServer, name: str) -> None:
    set_version_tag(server, name, 1, "team", "blue")


def _tag_model(server: MlflowServer, name: str) -> None:
    set_model_tag(server, name, "team", "blue")


def _overwrite(server: MlflowServer, name: str) -> None:
    overwrite_artifact(server, name, 1, "MLmodel", b"flavors: {}\n")


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(_describe_version, id="the version's description"),
        pytest.param(_describe_model, id="the model's description"),
        pytest.param(_tag_version, id="a tag of the version"),
        pytest.param(_tag_model, id="a tag of the model"),
        pytest.param(_overwrite, id="a file, overwritten in place"),
    ],
)
async def test_an_edit_that_names_no_other_version_moves_nothing(
    mlflow_server: MlflowServer,
    production: FollowedModel,
    model_name: str,
    tmp_path: Path,
    edit: Edit,
) -> None:
    (tmp_path / "MLmodel").write_text("flavors: {sklearn: {}}\n")
    create_model_version(mlflow_server, model_name, folder=tmp_path)
    transition(mlflow_server, model_name, 1, STAGE_PRODUCTION)
    await production.follow()

    edit(mlflow_server, model_name)

    await production.rest()


# ---- what is known of a version ------------------------------------------------------------------


async def test_a_version_that_points_nowhere_is_resolved_and_left_to_the_rehearsal(
    mlflow_server: MlflowServer, production: FollowedModel, model_name: str
) -> None:
    version = create_version_from(mlflow_server, model_name, "s3://no-such-bucket/model")
    transition(mlflow_server, model_name, version, STAGE_PRODUCTION)

    resolved = await production.follow()

    assert resolved.source == "s3://no-such-bucket/model"
    assert (resolved.run_id, resolved.lineage) == ("", None)


async def test_lineage_is_told_by_the_version_and_else_by_its_run(
    mlflow_server: MlflowServer, production: FollowedModel, model_name: str
) -> None:
    version = create_model_version(
        mlflow_server, model_name, metrics={"accuracy": 0.9}, tags={TAG_GIT_SHA: "of-the-version"}
    )
    run_id = read_run_id(mlflow_server, model_name, version)
    set_run_tag(mlflow_server, run_id, TAG_GIT_SHA, "of-the-run")
    set_run_tag(mlflow_server, run_id, TAG_DATA_VERSION, "data-of-the-run")
    log_metric(mlflow_server, run_id, "broken", "NaN")
    log_metric(mlflow_server, run_id, "endless", "Infinity")
    transition(mlflow_server, model_name, version, STAGE_PRODUCTION)

    lineage = (await production.follow()).lineage

    assert lineage is not None
    assert lineage.git_sha == "of-the-version"
    assert lineage.data_version == "data-of-the-run"
    assert lineage.metrics == {"accuracy": 0.9}
