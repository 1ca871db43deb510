"""One registry watcher for everybody: what it asks, whom it wakes; in virtual time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from regisseur_operator.api.reasons import Reason
from regisseur_operator.errors import TerminalError, UnreachableError
from regisseur_operator.ports import Key, Reference, RegistryAnswer
from regisseur_operator.runtime.registries import Registries
from regisseur_operator.runtime.registry_watcher import RegistryWatcher
from regisseur_operator.telemetry import Metrics
from support.registry_in_memory import RegistryInMemory
from support.virtual_time import now, run_in_virtual_time

INTERVAL = 5.0
WINE, BEER = Key("ml", "wine"), Key("ml", "beer")
DOWN = UnreachableError("connection refused")


class VirtualClock:
    """The port `Clock` in virtual time."""

    def now(self) -> datetime:
        """Count from a fixed day."""
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=now())


@dataclass
class World:
    """A registry, its watcher, and who was woken."""

    registry: RegistryInMemory
    watcher: RegistryWatcher
    woken: list[Key] = field(default_factory=list)

    def follow(self, key: Key, model: str, **reference: str | int) -> Reference:
        """Follow something, Production by default."""
        wanted = reference or {"stage": "Production"}
        found = Reference("default", model, **wanted)  # type: ignore[arg-type]
        self.watcher.follow(key, found)
        return found

    async def tick(self) -> None:
        """Let a tick pass; forget who was woken before."""
        self.woken.clear()
        self.registry.calls.clear()
        await asyncio.sleep(INTERVAL)


@asynccontextmanager
async def watched() -> AsyncIterator[World]:
    registry = RegistryInMemory()
    woken: list[Key] = []
    watcher = RegistryWatcher(
        "default",
        registry,
        interval_seconds=INTERVAL,
        wake=woken.append,
        clock=VirtualClock(),
        metrics=Metrics(),
    )
    task = asyncio.create_task(watcher.run())
    await asyncio.sleep(0.1)
    try:
        yield World(registry, watcher, woken)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def play(story: Callable[[World], Awaitable[None]]) -> None:
    async def run() -> None:
        async with watched() as world:
            await story(world)

    run_in_virtual_time(run())


def numbers(answer: RegistryAnswer) -> list[int]:
    return [holder.version for holder in answer.holders]


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


def test_a_change_of_the_registry_ends_following_in_the_old_one() -> None:
    async def story(world: World) -> None:
        registries = Registries({"default": world.watcher})
        registries.follow(WINE, Reference("default", "wine", stage="Production"))
        await world.tick()

        registries.follow(WINE, Reference("elsewhere", "wine", stage="Production"))
        await world.tick()

        assert not world.registry.calls

    play(story)
