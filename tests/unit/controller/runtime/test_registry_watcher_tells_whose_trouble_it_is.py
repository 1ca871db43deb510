"""Trouble with a registry concerns everybody, trouble with a model whoever follows it."""

import asyncio
from datetime import timedelta

from regisseur_operator.api.reasons import Reason
from regisseur_operator.errors import TerminalError, UnreachableError
from support.watched_registry import (
    BEER,
    DOWN,
    INTERVAL,
    WINE,
    VirtualClock,
    World,
    numbers,
    play,
)


def test_an_outage_wakes_everybody_twice_and_forgets_nothing() -> None:
    async def story(world: World) -> None:
        world.registry.add_version("wine", stage="Production")
        wine = world.follow(WINE, "wine")
        world.follow(BEER, "beer")
        await world.tick()
        world.registry.fault = DOWN
        began_at = VirtualClock().now()

        await asyncio.sleep(INTERVAL)
        assert sorted(world.woken[-2:]) == [BEER, WINE]
        await world.tick()
        await asyncio.sleep(60)

        assert world.woken == []
        answer = world.watcher.answer(wine)
        assert numbers(answer) == [1]
        assert answer.health.failing_since is not None
        assert answer.health.failing_since - began_at <= timedelta(seconds=INTERVAL)
        assert "refused" in answer.health.message
        assert not answer.health.denied

        world.registry.fault = None
        await asyncio.sleep(20)
        assert sorted(world.woken) == [BEER, WINE]
        assert world.watcher.answer(wine).health.failing_since is None

    play(story)


def test_a_registry_that_is_down_is_asked_less_often_but_not_forgotten() -> None:
    async def story(world: World) -> None:
        world.follow(WINE, "wine")
        await world.tick()
        world.registry.fault = DOWN
        world.registry.calls.clear()

        await asyncio.sleep(150)

        assert 9 <= world.registry.calls["search_models"] <= 16

    play(story)


def test_a_refusal_is_told_as_one() -> None:
    async def story(world: World) -> None:
        wine = world.follow(WINE, "wine")
        world.registry.fault = TerminalError(Reason.REGISTRY_DENIED, "403: no")

        await asyncio.sleep(0.01)

        assert world.watcher.answer(wine).health.denied

    play(story)


def test_an_outage_that_turns_into_a_refusal_is_told() -> None:
    async def story(world: World) -> None:
        wine = world.follow(WINE, "wine")
        world.registry.fault = DOWN
        await world.tick()
        world.registry.fault = TerminalError(Reason.REGISTRY_DENIED, "403: no")
        world.woken.clear()

        await asyncio.sleep(60)

        assert world.woken == [WINE]
        assert world.watcher.answer(wine).health.denied

    play(story)


def test_a_model_s_trouble_that_turns_into_a_refusal_is_told() -> None:
    async def story(world: World) -> None:
        world.registry.add_version("wine", stage="Production")
        world.registry.model_faults["wine"] = DOWN
        wine = world.follow(WINE, "wine")
        await world.tick()
        world.registry.model_faults["wine"] = TerminalError(Reason.REGISTRY_DENIED, "403: no")

        await world.tick()

        assert world.woken == [WINE]
        assert world.watcher.answer(wine).health.denied

    play(story)


def test_a_model_that_alone_is_not_found_out_is_not_everybody_s_trouble() -> None:
    async def story(world: World) -> None:
        world.registry.add_version("beer", stage="Production")
        world.registry.search_faults["it's"] = TerminalError(Reason.REGISTRY_DENIED, "403: no")
        odd = world.follow(WINE, "it's")
        beer = world.follow(BEER, "beer")

        await world.tick()

        assert world.watcher.answer(odd).health.denied
        assert world.watcher.answer(beer).health.failing_since is None
        assert numbers(world.watcher.answer(beer)) == [1]

    play(story)


def test_a_missing_address_keeps_nobody_from_the_other_versions() -> None:
    async def story(world: World) -> None:
        world.registry.add_version("wine", stage="Production")
        world.registry.add_version("wine", stage="Staging")
        world.registry.uri_faults["wine", 1] = UnreachableError("500: no address")
        broken = world.follow(WINE, "wine")
        staging = world.follow(BEER, "wine", stage="Staging")

        await world.tick()

        answer = world.watcher.answer(broken)
        assert (numbers(answer), answer.artifact_uris) == ([1], {})
        assert answer.health.message == "500: no address"
        assert world.watcher.answer(staging).artifact_uris == {2: "mlflow-artifacts:/wine/2"}

        world.registry.uri_faults.clear()
        await world.tick()
        assert world.watcher.answer(broken).artifact_uris == {1: "mlflow-artifacts:/wine/1"}
        assert world.watcher.answer(broken).health.failing_since is None

    play(story)


def test_trouble_with_one_model_is_not_everybody_s() -> None:
    async def story(world: World) -> None:
        for model in ("wine", "beer"):
            world.registry.add_version(model, stage="Production")
        world.registry.model_faults["wine"] = UnreachableError("too many versions")
        wine = world.follow(WINE, "wine")
        beer = world.follow(BEER, "beer")

        await world.tick()

        assert world.watcher.answer(wine).health.message == "too many versions"
        assert not world.watcher.answer(wine).known
        assert world.watcher.answer(beer).health.failing_since is None
        assert numbers(world.watcher.answer(beer)) == [1]

        del world.registry.model_faults["wine"]
        await world.tick()
        assert world.woken == [WINE]
        assert world.watcher.answer(wine).health.failing_since is None

    play(story)
