"""Approvals and metrics that come after a promotion, seen on a real MLflow server."""

from regisseur_contract.tags import STAGE_PRODUCTION
from support.followed_model import KEY, followed
from support.mlflow_server import MlflowServer
from support.model_versions import create_model_version, set_version_tag, transition
from support.registry_edits import log_metric, read_run_id


async def test_an_approval_that_is_set_later_is_seen_by_who_waits_for_it(
    mlflow_server: MlflowServer, model_name: str
) -> None:
    create_model_version(mlflow_server, model_name)
    transition(mlflow_server, model_name, 1, STAGE_PRODUCTION)
    async with followed(mlflow_server.url, model_name) as model:
        await model.follow()
        model.watch_closely(is_close=True)
        await model.rest()

        set_version_tag(mlflow_server, model_name, 1, "approved", "true")
        resolution = await model.look()

    assert model.woken == [KEY]
    assert resolution.chosen is not None
    assert resolution.chosen.tags == {"approved": "true"}


async def test_a_metric_that_is_logged_later_is_seen_by_who_waits_for_it(
    mlflow_server: MlflowServer, model_name: str
) -> None:
    create_model_version(mlflow_server, model_name, metrics={"accuracy": 0.8})
    run_id = read_run_id(mlflow_server, model_name, 1)
    log_metric(mlflow_server, run_id, "loss", "NaN")
    transition(mlflow_server, model_name, 1, STAGE_PRODUCTION)
    async with followed(mlflow_server.url, model_name) as model:
        await model.follow()
        model.watch_closely(is_close=True)
        await model.rest()

        log_metric(mlflow_server, run_id, "accuracy", 0.9)
        resolution = await model.look()

    assert model.woken == [KEY]
    assert resolution.run.metrics["accuracy"] == 0.9


async def test_who_waits_for_nothing_reads_no_tags_again(
    mlflow_server: MlflowServer, model_name: str
) -> None:
    create_model_version(mlflow_server, model_name)
    transition(mlflow_server, model_name, 1, STAGE_PRODUCTION)
    async with followed(mlflow_server.url, model_name) as model:
        await model.follow()
        set_version_tag(mlflow_server, model_name, 1, "approved", "true")

        await model.rest()
