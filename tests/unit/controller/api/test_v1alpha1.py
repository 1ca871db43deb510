"""The operator reads a spec as the API server would have taken it."""

from typing import Any

import pytest

from regisseur_operator.api.reasons import Reason
from regisseur_operator.api.v1alpha1 import (
    ModelDeploymentSpec,
    RollingUpdate,
    Strategy,
    parse_spec,
)
from regisseur_operator.errors import TerminalError


def spec(model: dict[str, Any] | None = None, **rest: Any) -> dict[str, Any]:
    return {"spec": {"model": model or {"name": "wine", "stage": "Production"}, **rest}}


def test_a_model_and_a_reference_are_enough() -> None:
    parsed = parse_spec(spec())

    assert parsed.model.registry == "default"
    assert (parsed.replicas, parsed.min_ready_seconds, parsed.suspend) == (1, 10, False)
    assert parsed.strategy == Strategy(rolling_update=RollingUpdate(max_surge=1, max_unavailable=0))
    assert (parsed.service.type, parsed.service.port) == ("ClusterIP", 80)


def test_what_is_written_out_reads_back_as_the_same() -> None:
    parsed = parse_spec(spec(serving={"resources": {"limits": {"cpu": 1, "memory": "1Gi"}}}))

    written = parsed.model_dump(mode="json", by_alias=True)
    assert ModelDeploymentSpec.model_validate(written) == parsed


@pytest.mark.parametrize(
    ("reference", "shown"),
    [
        pytest.param({"stage": "Production"}, "Production", id="a stage by its name"),
        pytest.param({"stage": "pRoDuCtIoN"}, "Production", id="a stage in any case"),
        pytest.param({"alias": "champion"}, "@champion", id="an alias as MLflow writes it"),
        pytest.param({"alias": "größte_1-a"}, "@größte_1-a", id="an alias in any script"),
        pytest.param({"version": 3}, "3", id="a version"),
        pytest.param({"version": "3"}, "3", id="a version in quotes"),
    ],
)
def test_each_kind_of_reference_is_read(reference: dict[str, Any], shown: str) -> None:
    assert parse_spec(spec({"name": "wine", **reference})).model.reference == shown


@pytest.mark.parametrize("name", ["wine", "Wine of Bordeaux", " größte\t'\"", "..", "a" * 255])
def test_a_model_has_any_name_that_mlflow_gives(name: str) -> None:
    assert parse_spec(spec({"name": name, "version": 1})).model.name == name


@pytest.mark.parametrize(
    ("more", "fewer"), [(1, "100%"), ("150%", "0%"), ("25%", "99%"), (0, 1), (1000, 1000)]
)
def test_a_strategy_takes_numbers_and_percentages(more: int | str, fewer: int | str) -> None:
    written = {"rollingUpdate": {"maxSurge": more, "maxUnavailable": fewer}}
    rolling = parse_spec(spec(strategy=written)).strategy.rolling_update

    assert rolling == RollingUpdate(max_surge=more, max_unavailable=fewer)


ROLLING = {"strategy": {"rollingUpdate": {"maxSurge": "0%", "maxUnavailable": 0}}}
LIMITS = {"limits": {"cpu": "500m"}, "requests": {"cpu": 1}}


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        pytest.param({}, "spec.model: Field required", id="no spec"),
        pytest.param(
            spec({"name": "wine"}), "spec.model: set exactly one of stage", id="no reference"
        ),
        pytest.param(
            spec({"name": "wine", "stage": "Production", "version": 1}),
            "set exactly one of stage",
            id="two references",
        ),
        pytest.param(
            spec({"name": "a/b", "version": 1}),
            "spec.model.name: a registered model's name has no '/'",
            id="a name with a slash",
        ),
        pytest.param(
            spec({"name": "wine", "alias": "Latest"}), "MLflow reserves", id="alias latest"
        ),
        pytest.param(spec({"name": "wine", "alias": "V12"}), "MLflow reserves", id="alias v12"),
        pytest.param(
            spec({"name": "wine", "alias": "a b"}), "an alias is made of", id="alias with a space"
        ),
        pytest.param(
            spec({"name": "wine", "version": "v3"}), "whole number from 1", id="version v3"
        ),
        pytest.param(spec({"name": "wine", "version": 0}), "spec.model.version", id="version 0"),
        pytest.param(
            spec({"name": "wine", "stage": "Prod"}),
            "spec.model.stage: a stage is Production",
            id="no stage of MLflow",
        ),
        pytest.param(spec(replicas=-1), "spec.replicas", id="fewer than no pods"),
        pytest.param(spec(minReadySeconds=300), "spec: progressDeadlineSeconds", id="no time"),
        pytest.param(spec(**ROLLING), "must not both be 0", id="a strategy that cannot move"),
        pytest.param(
            spec(strategy={"rollingUpdate": {"maxSurge": "5 %"}}),
            "a percentage such as 25%",
            id="a percentage with a space",
        ),
        pytest.param(
            spec(strategy={"rollingUpdate": {"maxSurge": -1}}), "a number of pods", id="minus one"
        ),
        pytest.param(
            spec(serving={"resources": {"limits": {"cpu": "-1"}}}),
            "spec.serving.resources.limits.cpu: must be a quantity",
            id="a negative quantity",
        ),
        pytest.param(
            spec(serving={"resources": LIMITS}),
            "a request must not be greater than its limit",
            id="a request above its limit",
        ),
        pytest.param(
            spec(serving={"image": "server:1 "}), "no white space", id="an image with a space"
        ),
        pytest.param(spec(servng={}), "spec.servng: Extra inputs", id="an unknown field"),
    ],
)
def test_a_spec_stored_under_other_rules_is_refused_in_one_line(
    manifest: dict[str, Any], message: str
) -> None:
    with pytest.raises(TerminalError) as caught:
        parse_spec(manifest)

    assert caught.value.reason == Reason.INVALID_SPEC
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
