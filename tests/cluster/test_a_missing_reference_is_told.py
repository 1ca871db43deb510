"""What does not exist in the registry is named, and nothing that runs is taken away for it."""

from collections.abc import Callable

import pytest

from regisseur_contract.tags import STAGE_ARCHIVED, STAGE_PRODUCTION
from support.mlflow_server import MlflowServer
from support.model_versions import create_model_version, delete_alias, set_alias, transition
from support.modeldeployments import Subject
from support.running_operator import RunningOperator

Start = Callable[..., RunningOperator]

pytestmark = pytest.mark.usefixtures("kubelet")


@pytest.mark.parametrize(
    ("reference", "named"),
    [
        pytest.param({"stage": "Staging"}, "Staging", id="a stage that nothing holds"),
        pytest.param({"alias": "champion"}, "champion", id="an alias that is not set"),
        pytest.param({"version": 7}, "7", id="a version that is not there"),
    ],
)
def test_the_message_names_what_was_looked_for(
    start_operator: Start,
    subject: Subject,
    promoted: str,
    reference: dict[str, object],
    named: str,
) -> None:
    start_operator()

    subject.create(promoted, **reference)

    message = subject.wait_for_condition("Resolved", "False", "ReferenceNotFound")["message"]
    assert promoted in message
    assert named in message
    assert subject.children() == {}


def test_a_model_that_is_not_there_is_named(
    start_operator: Start, subject: Subject, model_name: str
) -> None:
    start_operator()

    subject.create(f"{model_name} missing")

    found = subject.wait_for_condition("Resolved", "False", "ReferenceNotFound")
    assert f"{model_name} missing" in found["message"]


def test_an_unknown_registry_is_named(
    start_operator: Start, subject: Subject, promoted: str
) -> None:
    start_operator()

    subject.create(promoted, registry="elsewhere")

    found = subject.wait_for_condition("Resolved", "False", "RegistryUnknown")
    assert "elsewhere" in found["message"]


def test_it_is_served_as_soon_as_it_exists(
    start_operator: Start, subject: Subject, mlflow_server: MlflowServer, model_name: str
) -> None:
    start_operator()
    subject.create(model_name)
    subject.wait_for_condition("Resolved", "False", "ReferenceNotFound")

    version = create_model_version(mlflow_server, model_name)
    transition(mlflow_server, model_name, version, STAGE_PRODUCTION)

    subject.wait_until_served(version)


@pytest.mark.parametrize("lost", ["stage", "alias"])
def test_a_reference_that_is_lost_takes_nothing_away(
    start_operator: Start,
    subject: Subject,
    mlflow_server: MlflowServer,
    promoted: str,
    lost: str,
) -> None:
    set_alias(mlflow_server, promoted, "champion", 1)
    start_operator()
    subject.create(promoted, **({"alias": "champion"} if lost == "alias" else {}))
    subject.wait_until_served(1)
    before = subject.children()["deployments"]["spec"]

    if lost == "alias":
        delete_alias(mlflow_server, promoted, "champion")
    else:
        transition(mlflow_server, promoted, 1, STAGE_ARCHIVED)

    subject.wait_for_condition("Resolved", "False", "ReferenceNotFound")
    assert subject.children()["deployments"]["spec"] == before
    assert subject.status["stable"]["version"] == 1
    assert subject.condition("Available")["status"] == "True"
