"""Runs are read once; tags and metrics again while somebody waits for them; in virtual time."""

import math

from regisseur_operator.api.reasons import Reason
from regisseur_operator.errors import TerminalError, UnreachableError
from regisseur_operator.ports import EMPTY_RUN, Reference
from regisseur_operator.runtime.registries import Registries
from regisseur_operator.runtime.registry_reader import MOST_RUNS_AGAIN
from support.watched_registry import BEER, WINE, World, numbers, play


def test_the_run_of_a_version_is_read_once() -> None:
    async def story(world: World) -> None:
        world.registry.add_version("wine", stage="Production")
        world.registry.log_metric("wine", 1, "accuracy", 0.9)
        wine = world.follow(WINE, "wine")
        world.follow(BEER, "wine", version=1)
        await world.tick()
        assert world.registry.calls["run"] == 1
        assert world.watcher.answer(wine).runs[1].metrics == {"accuracy": 0.9}

        world.registry.add_version("wine", stage="Staging")
        await world.tick()

        assert world.registry.calls["versions"] == 1
        assert world.registry.calls["run"] == 0

    play(story)


def test_a_version_without_a_run_has_an_empty_one() -> None:
    async def story(world: World) -> None:
        world.registry.add_version("wine", stage="Production")
        world.registry.forget_run("wine", 1)
        wine = world.follow(WINE, "wine")

        await world.tick()

        assert world.watcher.answer(wine).runs == {1: EMPTY_RUN}

    play(story)


def test_a_run_that_cannot_be_read_is_trouble_of_the_model_alone() -> None:
    async def story(world: World) -> None:
        world.registry.add_version("wine", stage="Production")
        world.registry.add_version("beer", stage="Production")
        world.registry.run_faults["wine-run-1"] = TerminalError(Reason.REGISTRY_DENIED, "403: no")
        wine = world.follow(WINE, "wine")
        beer = world.follow(BEER, "beer")

        await world.tick()

        answer = world.watcher.answer(wine)
        assert (numbers(answer), answer.runs) == ([1], {})
        assert set(answer.artifact_uris) == {1}
        assert answer.health.denied
        assert world.watcher.answer(beer).health.failing_since is None

        world.registry.run_faults.clear()
        await world.tick()
        assert world.watcher.answer(wine).runs == {1: EMPTY_RUN}
        assert world.woken == [WINE]

    play(story)


def test_a_tag_is_seen_while_it_is_waited_for_and_wakes_who_follows() -> None:
    async def story(world: World) -> None:
        world.registry.add_version("wine", stage="Production")
        world.registry.add_version("beer", stage="Production")
        wine = world.follow(WINE, "wine")
        world.follow(BEER, "beer")
        await world.tick()
        await world.tick()
        world.watcher.watch_closely(WINE, is_close=True)
        await world.tick()
        assert world.woken == []
        world.registry.set_tag("wine", 1, "approved", "true")

        await world.tick()

        assert world.woken == [WINE]
        (holder,) = world.watcher.answer(wine).holders
        assert holder.tags == {"approved": "true"}
        assert world.registry.calls["versions"] == 1  # those of beer rest

    play(story)


def test_a_metric_is_seen_while_it_is_waited_for() -> None:
    async def story(world: World) -> None:
        world.registry.add_version("wine", stage="Production")
        wine = world.follow(WINE, "wine")
        world.watcher.watch_closely(WINE, is_close=True)
        await world.tick()
        world.registry.log_metric("wine", 1, "accuracy", 0.9)

        await world.tick()

        assert world.woken == [WINE]
        assert world.watcher.answer(wine).runs[1].metrics == {"accuracy": 0.9}

    play(story)


def test_a_metric_that_is_no_number_wakes_nobody_again_and_again() -> None:
    async def story(world: World) -> None:
        world.registry.add_version("wine", stage="Production")
        world.registry.log_metric("wine", 1, "loss", math.nan)
        world.follow(WINE, "wine")
        world.watcher.watch_closely(WINE, is_close=True)
        await world.tick()

        await world.tick()

        assert world.woken == []

    play(story)


def test_who_looks_closely_no_longer_is_at_rest_again() -> None:
    async def story(world: World) -> None:
        world.registry.add_version("wine", stage="Production")
        world.follow(WINE, "wine")
        world.watcher.watch_closely(WINE, is_close=True)
        await world.tick()
        await world.tick()
        assert world.registry.calls["run"] == 1

        world.watcher.watch_closely(WINE, is_close=False)
        await world.tick()

        assert set(world.registry.calls) == {"search_models"}

    play(story)


def test_who_follows_no_more_looks_no_more() -> None:
    async def story(world: World) -> None:
        registries = Registries({"default": world.watcher})
        wine = Reference("default", "wine", stage="Production")
        world.registry.add_version("wine", stage="Production")
        registries.follow(WINE, wine)
        registries.watch_closely(WINE, is_close=True)
        registries.forget(WINE)
        registries.watch_closely(WINE, is_close=True)  # of a reconcile that was under way

        registries.follow(WINE, wine)
        await world.tick()
        await world.tick()
        await world.tick()

        assert set(world.registry.calls) == {"search_models"}

    play(story)


def test_a_failed_second_look_keeps_what_the_first_one_saw() -> None:
    async def story(world: World) -> None:
        world.registry.add_version("wine", stage="Production")
        world.registry.log_metric("wine", 1, "accuracy", 0.9)
        wine = world.follow(WINE, "wine")
        world.watcher.watch_closely(WINE, is_close=True)
        await world.tick()
        world.registry.run_faults["wine-run-1"] = UnreachableError("500: oops")

        await world.tick()

        answer = world.watcher.answer(wine)
        assert answer.runs[1].metrics == {"accuracy": 0.9}
        assert answer.health.message == "500: oops"

    play(story)


def test_a_crowded_stage_is_looked_at_in_turns() -> None:
    async def story(world: World) -> None:
        for _ in range(2 * MOST_RUNS_AGAIN):
            world.registry.add_version("wine", stage="Production")
        wine = world.follow(WINE, "wine")
        world.watcher.watch_closely(WINE, is_close=True)
        await world.tick()
        world.registry.log_metric("wine", 1, "accuracy", 0.9)
        world.registry.log_metric("wine", 2 * MOST_RUNS_AGAIN, "accuracy", 0.9)

        await world.tick()
        assert world.registry.calls["run"] == MOST_RUNS_AGAIN
        await world.tick()

        runs = world.watcher.answer(wine).runs
        assert runs[1].metrics == runs[2 * MOST_RUNS_AGAIN].metrics == {"accuracy": 0.9}

    play(story)


def test_a_stage_is_found_in_any_case() -> None:
    async def story(world: World) -> None:
        world.registry.add_version("wine", stage="Production")
        wine = world.follow(WINE, "wine", stage="pRODUCTION")

        await world.tick()

        answer = world.watcher.answer(wine)
        assert numbers(answer) == [1]
        assert set(answer.artifact_uris) == {1}

    play(story)
