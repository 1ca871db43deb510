"""What is asked of a version before it goes further, and the words for what is in the way."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regisseur_operator.api.status import Lineage
from regisseur_operator.api.v1alpha1 import Gates
from regisseur_operator.core.gates import GatesVerdict, judge_gates
from regisseur_operator.core.lineage import MOST_METRICS
from regisseur_operator.core.registry import EMPTY_RUN, ModelVersion, Run
from support.worlds import World

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
ACCURACY = {"name": "test_accuracy", "threshold": 0.9}
LOSS = {"name": "log_loss", "goal": "Minimize", "threshold": 0.4}


def judge(
    gates: dict[str, Any],
    *,
    metrics: dict[str, float] | None = None,
    served: dict[str, float] | None = None,
    now: datetime = NOW,
    **version: Any,
) -> GatesVerdict:
    """Judge version 3; `served` are the metrics of what it is to replace."""
    usual = {"model": "wine", "version": 3, "stage": "Production", "status": "READY"}
    found = ModelVersion(**{**usual, "run_id": "run-3", "source": "models:/m-3", **version})
    run = Run(metrics=metrics) if metrics is not None else EMPTY_RUN
    lineage = Lineage(metrics=served) if served is not None else None
    return judge_gates(Gates.model_validate(gates), found, run, lineage, now)


def judge_metric(gate: dict[str, Any], value: float | None, **more: Any) -> GatesVerdict:
    metrics = {gate["name"]: value} if value is not None else {}
    return judge({"metrics": [gate]}, metrics=metrics, **more)


def test_no_gates_hold_nothing_up() -> None:
    verdict = judge({})

    assert verdict.is_met
    assert verdict == GatesVerdict()


# ---- thresholds ------------------------------------------------------------------------------

THRESHOLDS: list[Any] = [
    pytest.param(ACCURACY, 0.95, "", id="better than the threshold"),
    pytest.param(ACCURACY, 0.9, "", id="exactly the threshold"),
    pytest.param(
        ACCURACY, 0.85, "test_accuracy is 0.85, less than the threshold 0.9", id="too little"
    ),
    pytest.param(
        ACCURACY,
        0.8521367521367521,
        "test_accuracy is 0.852137, less than the threshold 0.9",
        id="no more digits than need be",
    ),
    pytest.param(
        ACCURACY,
        0.8999999999,
        "test_accuracy is 0.8999999999, less than the threshold 0.9",
        id="figures that look alike are written out",
    ),
    pytest.param(LOSS, 0.3, "", id="less is better when minimized"),
    pytest.param(LOSS, 0.5, "log_loss is 0.5, more than the threshold 0.4", id="too much"),
    pytest.param(
        ACCURACY,
        math.nan,
        "test_accuracy is not a number (NaN), which meets nothing",
        id="NaN meets nothing",
    ),
    pytest.param(
        LOSS, math.nan, "log_loss is not a number (NaN), which meets nothing", id="NaN is not less"
    ),
    pytest.param(
        LOSS, math.inf, "log_loss is inf, more than the threshold 0.4", id="an endless loss"
    ),
    pytest.param(
        ACCURACY,
        None,
        "test_accuracy is unknown: run run-3 does not exist or has no such metric",
        id="a run without the metric",
    ),
]


@pytest.mark.parametrize(("gate", "value", "message"), THRESHOLDS)
def test_a_threshold(gate: dict[str, Any], value: float | None, message: str) -> None:
    verdict = judge_metric(gate, value)

    assert verdict.message == message
    assert verdict.is_met is not bool(message)


def test_a_version_without_a_run_has_no_metrics() -> None:
    verdict = judge({"metrics": [ACCURACY]}, run_id="")

    assert verdict.message == "test_accuracy is unknown: version 3 has no run"


# ---- regressions -----------------------------------------------------------------------------

BETTER = {"name": "test_accuracy", "maxRegression": 0.02}
LESS = {"name": "log_loss", "goal": "Minimize", "maxRegression": 0.1}

REGRESSIONS: list[Any] = [
    pytest.param(BETTER, 0.95, 0.9, "", id="better than the served version"),
    pytest.param(BETTER, 0.9, 0.92, "", id="worse by exactly what is allowed"),
    pytest.param({**BETTER, "maxRegression": 0.1}, 0.7, 0.8, "", id="reckoned in decimals"),
    pytest.param({**LESS, "maxRegression": 0.2}, 0.3, 0.1, "", id="reckoned in decimals upwards"),
    pytest.param(
        BETTER,
        0.85,
        0.9,
        "test_accuracy is 0.85, worse than the served version's 0.9 by more than the 0.02 that"
        " maxRegression allows",
        id="too far behind",
    ),
    pytest.param(
        {**BETTER, "maxRegression": 0},
        0.899,
        0.9,
        "test_accuracy is 0.899, worse than the served version's 0.9 by more than the 0 that"
        " maxRegression allows",
        id="not worse at all",
    ),
    pytest.param(LESS, 0.3, 0.5, "", id="less is better when minimized"),
    pytest.param(
        LESS,
        0.7,
        0.5,
        "log_loss is 0.7, worse than the served version's 0.5 by more than the 0.1 that"
        " maxRegression allows",
        id="more is worse when minimized",
    ),
    pytest.param(
        BETTER,
        math.nan,
        0.9,
        "test_accuracy is not a number (NaN), which meets nothing",
        id="NaN is behind everything",
    ),
]


@pytest.mark.parametrize(("gate", "value", "before", "message"), REGRESSIONS)
def test_a_regression(gate: dict[str, Any], value: float, before: float, message: str) -> None:
    assert judge_metric(gate, value, served={gate["name"]: before}).message == message


def test_there_is_nothing_to_be_worse_than_when_nothing_is_served() -> None:
    verdict = judge_metric(BETTER, 0.1, served=None)

    assert verdict == GatesVerdict()


@pytest.mark.parametrize(
    "served",
    [
        pytest.param({}, id="it was trained before the metric was kept"),
        pytest.param({"test_accuracy": math.nan}, id="its figure is no number"),
        pytest.param({"test_accuracy": math.inf}, id="its figure has no bounds"),
    ],
)
def test_a_served_version_without_the_figure_blocks_nobody(
    served: dict[str, float],
) -> None:
    verdict = judge_metric(BETTER, 0.1, served=served)

    assert verdict.is_met


def test_a_missing_figure_blocks_whatever_the_served_version_has() -> None:
    assert not judge_metric(BETTER, None, served={"test_accuracy": 0.9}).is_met


def test_a_figure_that_was_not_kept_of_the_served_run_is_waited_for() -> None:
    kept = {f"m{number:02}": 0.5 for number in range(MOST_METRICS)}

    verdict = judge_metric(BETTER, 0.95, served=kept)

    assert verdict.message == (
        "test_accuracy of the served version is not among the 32 metrics that were kept of its"
        " run: let the reference name the served version once more, so that it is read again, or"
        " take maxRegression out for this version"
    )


def test_a_figure_that_the_served_run_never_had_is_no_bar() -> None:
    kept = {f"m{number:02}": 0.5 for number in range(MOST_METRICS - 1)}

    assert judge_metric(BETTER, 0.1, served=kept).is_met


# ---- a gate that is added while a version of many metrics is served ------------------------------

MANY = {f"m{number:02}": 0.5 for number in range(2 * MOST_METRICS)} | {"test_accuracy": 0.9}


def register_many(world: World, version: int, accuracy: float) -> None:
    world.registry.register(version, metrics={**MANY, "test_accuracy": accuracy})


def add_gate(world: World) -> None:
    world.edit_spec(lambda spec: spec["model"].update(gates={"metrics": [BETTER]}))


async def serve_many() -> World:
    """Return a world that serves version 1, which has more metrics than are kept."""
    world = World()
    register_many(world, 1, 0.9)
    register_many(world, 2, 0.5)
    world.registry.promote(1)
    await world.settle()
    return world


async def test_a_gate_finds_the_figure_of_a_version_that_was_served_before_it() -> None:
    world = await serve_many()
    add_gate(world)
    await world.settle()
    world.registry.promote(2)

    await world.settle()

    status, reason, message = world.condition("Progressing")
    assert (status, reason) == ("False", "GateUnmet")
    assert "test_accuracy is 0.5, worse than the served version's 0.9" in message
    assert world.served_versions == ["1", "1"]


async def test_a_gate_that_comes_with_the_promotion_does_not_pass_in_silence() -> None:
    world = await serve_many()
    add_gate(world)
    world.registry.promote(2)
    await world.settle()
    assert "is not among the 32 metrics that were kept" in world.condition("Progressing")[2]

    world.registry.promote(1)
    await world.settle()
    world.registry.promote(2)
    await world.settle()

    message = world.condition("Progressing")[2]
    assert "test_accuracy is 0.5, worse than the served version's 0.9" in message
    assert world.served_versions == ["1", "1"]


# ---- tags ------------------------------------------------------------------------------------

TAGS: list[Any] = [
    pytest.param({"approved": "true"}, "", id="the tag has the value"),
    pytest.param({}, "tag approved is not set, must be 'true'", id="the tag is missing"),
    pytest.param(
        {"approved": "True"}, "tag approved is 'True', must be 'true'", id="case is told apart"
    ),
    pytest.param(
        {"approved": "true "}, "tag approved is 'true ', must be 'true'", id="so is white space"
    ),
    pytest.param(
        {"approved": "x" * 5000},
        f"tag approved is '{'x' * 60}…', must be 'true'",
        id="a long value is cut",
    ),
]


@pytest.mark.parametrize(("tags", "message"), TAGS)
def test_a_required_tag(tags: dict[str, str], message: str) -> None:
    assert judge({"requiredTags": {"approved": "true"}}, tags=tags).message == message


def test_a_tag_that_is_to_be_empty_has_to_be_there() -> None:
    gates = {"requiredTags": {"blocked": ""}}

    assert judge(gates, tags={}).message == "tag blocked is not set, must be ''"
    assert judge(gates, tags={"blocked": ""}).is_met


# ---- age -------------------------------------------------------------------------------------


def ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def test_a_young_version_is_looked_at_again_when_it_is_old_enough() -> None:
    created = ms(NOW - timedelta(minutes=20))

    verdict = judge({"minAge": "30m"}, created_ms=created)

    assert verdict.message == "version 3 is younger than minAge 30m until 2026-01-01T12:10:00Z"
    assert verdict.requeue_after_seconds == 600


def test_the_words_for_a_young_version_hold_still() -> None:
    created = ms(NOW - timedelta(minutes=20))

    later = judge({"minAge": "30m"}, created_ms=created, now=NOW + timedelta(minutes=5))

    assert later.message == judge({"minAge": "30m"}, created_ms=created).message
    assert later.requeue_after_seconds == 300


@pytest.mark.parametrize("age", [timedelta(minutes=30), timedelta(days=300)])
def test_a_version_that_is_old_enough(age: timedelta) -> None:
    assert judge({"minAge": "30m"}, created_ms=ms(NOW - age)) == GatesVerdict()


def test_a_registry_whose_clock_is_ahead_holds_nothing_up_where_no_age_is_asked_for() -> None:
    assert judge({}, created_ms=ms(NOW + timedelta(hours=1))) == GatesVerdict()


def test_a_creation_beyond_any_calendar_is_no_error() -> None:
    verdict = judge({"minAge": "1s"}, created_ms=10**18)

    assert not verdict.is_met
    assert verdict.requeue_after_seconds == 3600


# ---- all together ----------------------------------------------------------------------------


def test_everything_that_is_in_the_way_is_told() -> None:
    verdict = judge(
        {
            "metrics": [{**ACCURACY, "maxRegression": 0.01}, LOSS],
            "requiredTags": {"reviewed": "yes", "approved": "true"},
            "minAge": "1h",
        },
        metrics={"test_accuracy": 0.8},
        served={"test_accuracy": 0.95},
        created_ms=ms(NOW),
    )

    assert verdict.unmet == (
        "test_accuracy is 0.8, less than the threshold 0.9",
        "log_loss is unknown: run run-3 does not exist or has no such metric",
        "test_accuracy is 0.8, worse than the served version's 0.95 by more than the 0.01 that"
        " maxRegression allows",
        "tag approved is not set, must be 'true'",
        "tag reviewed is not set, must be 'yes'",
        "version 3 is younger than minAge 1h until 2026-01-01T13:00:00Z",
    )
    assert verdict.message == "; ".join(verdict.unmet)


figures = st.floats(allow_nan=True, allow_infinity=True)


@given(
    goal=st.sampled_from(["Maximize", "Minimize"]),
    threshold=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    regression=st.floats(min_value=0, allow_nan=False, allow_infinity=False),
    value=figures,
    served=st.none() | figures,
)
def test_whatever_the_figures_there_is_an_answer_and_nan_is_never_met(
    goal: str, threshold: float | None, regression: float, value: float, served: float | None
) -> None:
    gate = {"name": "m", "goal": goal, "maxRegression": regression}
    gate |= {"threshold": threshold} if threshold is not None else {}

    verdict = judge_metric(gate, value, served={"m": served} if served is not None else {})

    assert verdict.is_met is not bool(verdict.message)
    if math.isnan(value):
        assert not verdict.is_met
    if verdict.is_met and threshold is not None:
        assert value >= threshold if goal == "Maximize" else value <= threshold
