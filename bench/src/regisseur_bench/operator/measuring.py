"""All scenarios, one after the other, over the same ModelDeployments."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from regisseur_bench.operator.audit import AuditLog
from regisseur_bench.operator.filling import fill, fill_floor
from regisseur_bench.operator.goals import Results
from regisseur_bench.operator.ground import Ground
from regisseur_bench.operator.growing import grow
from regisseur_bench.operator.killing import kill_leader
from regisseur_bench.operator.moving import move_at_once, move_one_by_one
from regisseur_bench.operator.player import Player
from regisseur_bench.operator.process import Habits, run_operator
from regisseur_bench.operator.registry import StubRegistry
from regisseur_bench.operator.restarting import restart
from regisseur_bench.operator.resting import rest, rest_alone
from regisseur_bench.operator.stage import Stage, name_models

SCENARIOS: Final = ("rest", "restart", "move", "burst", "all", "kill", "growth")
"""Beside the first, from empty, which all others rest on."""

LONGEST_GROWTH_REST_SECONDS: Final = 60.0

ATTENTIVE: Final = Habits(poll_seconds=1.0)


@dataclass(frozen=True)
class Plan:
    """What is to be measured.

    Attributes:
        scenarios: Names of those beside the first.
        moves: How many models move at once in a burst.
        single_moves: How many move one after the other.
        sizes: How many ModelDeployments there are while they grow.
        say: Told what was done.
    """

    scenarios: frozenset[str]
    resources: int
    moves: int
    single_moves: int
    rest_seconds: float
    sizes: Sequence[int]
    say: Callable[[str], None]

    @property
    def growth_rest_seconds(self) -> float:
        """How long each size is seen at rest."""
        return min(self.rest_seconds, LONGEST_GROWTH_REST_SECONDS)


async def measure(ground: Ground, plan: Plan) -> Results:
    """Run the scenarios of a plan.

    Raises:
        BenchError: Something does not do what it has to.
    """
    async with (
        ground.client("floor") as floor,
        ground.client("player") as players_client,
        StubRegistry() as registry,
        Player(players_client) as player,
    ):
        stage = Stage(ground, floor, registry, player, AuditLog(ground.plane.folder), plan.say)
        return await _Measuring(stage, plan).run()


class _Measuring:
    def __init__(self, stage: Stage, plan: Plan) -> None:
        self._stage = stage
        self._plan = plan
        self._names = name_models(plan.resources)
        self._results = Results()

    async def run(self) -> Results:
        await self._fill_and_rest()
        if "rest" in self._plan.scenarios:
            alone = await rest_alone(self._stage, self._names, self._plan.rest_seconds)
            self._results.rested_alone = alone
            self._stage.say("at rest, without poll and Lease")
        if self._plan.scenarios & {"restart", "move", "burst", "all", "kill"}:
            await self._restart_and_move()
        if "growth" in self._plan.scenarios:
            seconds = self._plan.growth_rest_seconds
            self._results.grown = await grow(self._stage, self._plan.sizes, seconds)
        return self._results

    async def _fill_and_rest(self) -> None:
        await self._stage.create(self._names)
        self._stage.say(f"{len(self._names)} ModelDeployments are there")
        with run_operator(self._stage.ground, self._stage.registry.url) as operator:
            filled = self._results.filled = await fill(self._stage, operator, self._names)
            self._stage.say(f"from empty: {filled.seconds:.1f} s")
            if "rest" in self._plan.scenarios:
                found = await rest(self._stage, operator, self._names, self._plan.rest_seconds)
                self._results.rested = found
                self._stage.say(f"at rest: {found.writes} writes")
        self._results.filled_floor_seconds = await fill_floor(self._stage, filled)
        self._stage.say(f"the floor of that: {self._results.filled_floor_seconds:.1f} s")

    async def _restart_and_move(self) -> None:
        stage, results, plan = self._stage, self._results, self._plan
        chosen = plan.scenarios
        with run_operator(stage.ground, stage.registry.url, ATTENTIVE) as operator:
            results.restarted = await restart(stage, operator, len(self._names))
            stage.say(f"restart: {results.restarted.seconds:.1f} s")
            if "move" in chosen:
                results.moved = await move_one_by_one(
                    stage, operator, self._names, plan.single_moves
                )
                stage.say(f"one move: {results.moved.seconds * 1000:.0f} ms")
            if "burst" in chosen:
                several = self._names[: plan.moves]
                results.burst = await move_at_once(stage, operator, several)
                stage.say(f"{plan.moves} moves: {results.burst.seconds:.1f} s")
            if "all" in chosen:
                results.all_at_once = await move_at_once(stage, operator, self._names)
                stage.say(f"all at once: {results.all_at_once.seconds:.1f} s")
            if "kill" in chosen:
                results.taken_over = await kill_leader(stage, operator, self._names, ATTENTIVE)
                stage.say(f"takeover: {results.taken_over.seconds:.1f} s")
