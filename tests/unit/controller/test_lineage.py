"""Where a version comes from, as the registry tells it, and which one was live when."""

import math
from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import groupby

import pytest

from regisseur_contract.tags import TAG_DATA_VERSION, TAG_DIGEST, TAG_GIT_SHA
from regisseur_operator.core.lineage import LONGEST_NOTE, MOST_METRICS, read_digest, trace_lineage
from regisseur_operator.core.registry import EMPTY_RUN, ModelVersion, Run
from support.chronicle import find_live
from support.worlds import World, start


def build_version(**tags: str) -> ModelVersion:
    return ModelVersion("wine", 1, "Production", "READY", "run-1", "models:/m-1", tags=tags)


def test_nothing_noted_is_nothing_known() -> None:
    assert trace_lineage(build_version(), EMPTY_RUN, ()) is None


def test_the_version_says_it_before_its_run() -> None:
    run = Run(tags={TAG_GIT_SHA: "of-the-run", TAG_DATA_VERSION: "data-of-the-run"})

    lineage = trace_lineage(build_version(**{TAG_GIT_SHA: "of-the-version"}), run, ())

    assert lineage is not None
    assert lineage.git_sha == "of-the-version"
    assert lineage.data_version == "data-of-the-run"


def test_metrics_are_finite_sorted_and_few() -> None:
    metrics = {f"m{number:02}": float(number) for number in reversed(range(MOST_METRICS + 9))}

    lineage = trace_lineage(
        build_version(), Run({**metrics, "a": math.nan, "b": math.inf, "c": -math.inf}), ()
    )

    assert lineage is not None
    assert list(lineage.metrics) == [f"m{number:02}" for number in range(MOST_METRICS)]


def test_metrics_that_gates_ask_for_are_kept_before_all_others() -> None:
    metrics = {f"m{number:02}": float(number) for number in range(MOST_METRICS)}

    lineage = trace_lineage(build_version(), Run({**metrics, "z_accuracy": 0.9}), {"z_accuracy"})

    assert lineage is not None
    assert len(lineage.metrics) == MOST_METRICS
    assert lineage.metrics["z_accuracy"] == 0.9
    assert list(lineage.metrics) == sorted(lineage.metrics)


@pytest.mark.parametrize(
    ("tag", "digest"),
    [
        pytest.param("sha256:9f86", "sha256:9f86", id="a digest"),
        pytest.param(" sha256:9f86\n", "sha256:9f86", id="with space around it"),
        pytest.param("", "", id="an empty one"),
        pytest.param("x" * 100_000, "x" * LONGEST_NOTE, id="what is none is no status's trouble"),
    ],
)
def test_the_digest_that_training_noted(tag: str, digest: str) -> None:
    assert read_digest(build_version(**{TAG_DIGEST: tag})) == digest


def test_no_digest_was_noted() -> None:
    assert read_digest(build_version()) == ""


def test_a_long_note_is_cut() -> None:
    lineage = trace_lineage(build_version(**{TAG_GIT_SHA: "x" * 100_000}), EMPTY_RUN, ())

    assert lineage is not None
    assert lineage.git_sha == "x" * LONGEST_NOTE


# ---- what was live at a time ---------------------------------------------------------------------


async def promote(world: World) -> None:
    world.registry.promote(2)
    await world.settle()


async def roll_back(world: World) -> None:
    await promote(world)
    world.rollback_to(1)
    await world.settle()


async def fail(world: World) -> None:
    world.kubelet.behave(2, crash="ValueError: wrong shape")
    await promote(world)


async def supersede(world: World) -> None:
    world.registry.promote(2)
    await world.until(lambda: "2" in world.served_versions)
    world.registry.promote(3)
    await world.settle()


async def restart(world: World) -> None:
    await promote(world)
    world.restart("t1")
    await world.settle()


async def be_away(world: World) -> None:
    """Be away while a rollout is completed, and come back to the one before it."""
    world.registry.promote(2)
    await world.until(lambda: world.runs(2))
    for _ in range(90):
        world.tick()
    world.registry.promote(1)
    world.start_operator()
    await world.settle()


STORIES = [
    pytest.param(promote, [1, 2], ["Succeeded", "Succeeded"], id="promotion"),
    pytest.param(roll_back, [1, 2, 1], ["Succeeded"] * 3, id="rollback"),
    pytest.param(fail, [1], ["Failed", "Succeeded"], id="restore after a failure"),
    pytest.param(supersede, [1, 3], ["Succeeded", "Superseded", "Succeeded"], id="superseded"),
    pytest.param(restart, [1, 2], ["Succeeded"] * 3, id="restart"),
    pytest.param(be_away, [1, 2, 1], ["Succeeded"] * 3, id="completed while nobody looked"),
]


@pytest.mark.parametrize(("live_through", "versions", "outcomes"), STORIES)
async def test_what_was_live_at_time_t(
    live_through: Callable[[World], Awaitable[None]], versions: list[int], outcomes: list[str]
) -> None:
    world = await start()
    since = world.clock.now()
    await live_through(world)
    history = world.status.history

    moments = [moment.at for moment in world.chronicle.moments if moment.at >= since]
    live = [find_live(history, at) for at in moments]

    assert [v for v, _ in groupby(entry.version for entry in live if entry)] == versions
    assert [entry.outcome for entry in history] == outcomes
    assert None not in live
    for at, ready in world.ready_log:
        entry = find_live(history, at)
        if at >= since and entry is not None:
            assert ready.get(str(entry.version)), f"version {entry.version} at {at}: {ready}"
    world.chronicle.check(history)


async def test_nothing_was_live_before_the_first_rollout_was_complete() -> None:
    world = await start()
    entry = world.status.history[-1]

    assert entry.finished_at is not None
    assert find_live(world.status.history, entry.finished_at - timedelta(seconds=1)) is None
    assert find_live(world.status.history, entry.finished_at) == entry
