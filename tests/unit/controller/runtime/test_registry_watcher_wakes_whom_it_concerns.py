"""One registry watcher for everybody: what it asks, whom it wakes; in virtual time."""

import asyncio

from regisseur_operator.ports import Reference
from regisseur_operator.runtime.registries import Registries
from support.watched_registry import BEER, WINE, World, numbers, play


def test_what_is_newly_followed_is_looked_at_at_once_and_together() -> None:
    async def story(world: World) -> None:
        world.registry.add_version("wine", stage="Production")
        wine = world.follow(WINE, "wine")
        beer = world.follow(BEER, "beer")
        assert not world.watcher.answer(wine).known

        await asyncio.sleep(0.01)

        assert world.registry.searched == [["beer", "wine"]]
        assert sorted(world.woken) == [BEER, WINE]
        answer = world.watcher.answer(wine)
        assert numbers(answer) == [1]
        assert answer.artifact_uris == {1: "mlflow-artifacts:/wine/1"}
        assert answer.health.ever_answered
        missing = world.watcher.answer(beer)
        assert missing.known
        assert not missing.model_exists

    play(story)


def test_at_rest_a_tick_is_one_search_and_wakes_nobody() -> None:
    async def story(world: World) -> None:
        world.registry.add_version("wine", stage="Production")
        world.follow(WINE, "wine")
        await world.tick()
        await world.tick()

        await world.tick()

        assert set(world.registry.calls) == {"search_models"}
        assert world.woken == []

    play(story)


def test_nobody_to_ask_for_is_nothing_to_ask() -> None:
    async def story(world: World) -> None:
        await world.tick()
        assert not world.registry.calls

    play(story)


def test_a_promotion_wakes_who_follows_that_model_and_nobody_else() -> None:
    async def story(world: World) -> None:
        for model in ("wine", "beer"):
            world.registry.add_version(model, stage="Production")
        wine = world.follow(WINE, "wine")
        world.follow(BEER, "beer")
        await world.tick()
        await world.tick()
        world.registry.add_version("wine", stage="Production")

        await world.tick()

        assert world.woken == [WINE]
        assert numbers(world.watcher.answer(wine)) == [1, 2]

    play(story)


def test_a_moved_alias_is_seen_though_no_time_stamp_moves() -> None:
    async def story(world: World) -> None:
        world.registry.add_version("wine")
        world.registry.add_version("wine")
        world.registry.set_alias("wine", "champion", 1)
        champion = world.follow(WINE, "wine", alias="champion")
        await world.tick()
        world.registry.set_alias("wine", "champion", 2)

        await world.tick()

        assert world.woken == [WINE]
        answer = world.watcher.answer(champion)
        assert numbers(answer) == [2]
        assert set(answer.artifact_uris) == {2}

    play(story)


def test_a_move_in_the_same_millisecond_is_seen_at_the_next_tick() -> None:
    async def story(world: World) -> None:
        world.registry.add_version("wine", stage="Production")
        world.registry.add_version("wine")
        wine = world.follow(WINE, "wine")
        await asyncio.sleep(0.01)
        world.registry.transition("wine", 2, "Production", is_seen=False)

        await world.tick()

        assert numbers(world.watcher.answer(wine)) == [1, 2]
        assert world.woken == [WINE]

    play(story)


def test_another_change_of_the_model_wakes_nobody() -> None:
    async def story(world: World) -> None:
        world.registry.add_version("wine", stage="Production")
        world.follow(WINE, "wine")
        await world.tick()
        world.registry.add_version("wine")

        await world.tick()

        assert world.registry.calls["versions"] == 1
        assert world.woken == []

    play(story)


def test_a_deleted_model_is_told() -> None:
    async def story(world: World) -> None:
        world.registry.add_version("wine", stage="Production")
        wine = world.follow(WINE, "wine")
        await world.tick()
        world.registry.delete_model("wine")

        await world.tick()

        assert world.woken == [WINE]
        assert not world.watcher.answer(wine).model_exists

    play(story)


def test_who_follows_no_more_is_asked_for_no_more() -> None:
    async def story(world: World) -> None:
        world.follow(WINE, "wine")
        world.follow(BEER, "beer")
        await world.tick()

        world.watcher.forget(WINE)
        await world.tick()

        assert world.registry.searched[-1] == ["beer"]

    play(story)


def test_another_reference_to_a_known_model_is_answered_at_once() -> None:
    async def story(world: World) -> None:
        world.registry.add_version("wine", stage="Production")
        world.registry.add_version("wine", stage="Staging")
        world.follow(WINE, "wine")
        await world.tick()

        staging = world.follow(BEER, "wine", stage="Staging")
        await asyncio.sleep(0.01)

        assert world.watcher.answer(staging).artifact_uris == {2: "mlflow-artifacts:/wine/2"}
        assert BEER in world.woken

    play(story)


def test_an_unknown_registry_has_no_answer() -> None:
    async def story(world: World) -> None:
        registries = Registries({"default": world.watcher})
        elsewhere = Reference("elsewhere", "wine", stage="Production")

        registries.follow(WINE, elsewhere)

        assert registries.answer(elsewhere) is None
        registries.forget(WINE)

    play(story)


def test_a_model_that_was_left_is_unknown_until_it_is_read_again() -> None:
    async def story(world: World) -> None:
        world.registry.add_version("wine", stage="Production")
        world.follow(WINE, "wine")
        await world.tick()
        world.follow(WINE, "beer")
        world.registry.add_version("wine", stage="Production")

        wine = world.follow(WINE, "wine")
        assert not world.watcher.answer(wine).known
        await asyncio.sleep(0.01)

        assert numbers(world.watcher.answer(wine)) == [1, 2]

    play(story)


def test_another_reference_of_the_only_follower_keeps_what_is_known() -> None:
    async def story(world: World) -> None:
        world.registry.add_version("wine", stage="Production")
        world.follow(WINE, "wine")
        await world.tick()

        assert world.watcher.answer(world.follow(WINE, "wine", version=1)).known

    play(story)


def test_a_change_of_the_registry_ends_following_in_the_old_one() -> None:
    async def story(world: World) -> None:
        registries = Registries({"default": world.watcher})
        registries.follow(WINE, Reference("default", "wine", stage="Production"))
        await world.tick()

        registries.follow(WINE, Reference("elsewhere", "wine", stage="Production"))
        await world.tick()

        assert not world.registry.calls

    play(story)
