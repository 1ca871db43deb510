"""What the operator set out to reach, beside what it has reached."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from regisseur_bench.operator.filling import CHILDREN, Filled
from regisseur_bench.operator.growing import Grown
from regisseur_bench.operator.killing import TakenOver
from regisseur_bench.operator.moving import Burst, Moved
from regisseur_bench.operator.restarting import Restarted
from regisseur_bench.operator.resting import Rested

MOST_MEBIBYTES: Final = 130
MOST_CPU_SHARE: Final = 0.001
FEWEST_GROWN: Final = 100
"""Of fewer, the start is most of the time."""

MOST_GROWTH: Final = 1.5
"""What is linear costs the same for each resource; the rest is noise."""


@dataclass
class Results:
    """What was measured; what was left out is None."""

    filled: Filled | None = None
    filled_floor_seconds: float = 0.0
    rested: Rested | None = None
    rested_alone: Rested | None = None
    restarted: Restarted | None = None
    moved: Moved | None = None
    burst: Burst | None = None
    all_at_once: Burst | None = None
    taken_over: TakenOver | None = None
    grown: Sequence[Grown] = ()


@dataclass(frozen=True)
class Judged:
    """One goal and what was found.

    Attributes:
        most: What was set: not more than this.
        unit: What is counted.
    """

    what: str
    most: float
    found: float
    unit: str = ""

    @property
    def is_reached(self) -> bool:
        """Whether it was."""
        return self.found <= self.most


def judge(results: Results) -> Iterator[Judged]:
    """Yield every goal of what was measured."""
    if results.filled:
        yield from _judge_filling(results.filled, results.filled_floor_seconds)
    if results.rested:
        yield from _judge_rest(results.rested)
    if results.rested_alone:
        share = results.rested_alone.cpu_share
        what = "at rest: CPU without poll, Lease and sweep"
        yield Judged(what, MOST_CPU_SHARE * 100, share * 100, "% of a core")
    if results.restarted:
        found = results.restarted
        yield Judged("restart: writes", 0, found.writes)
        yield Judged("restart: time", 3, found.seconds / found.floor_seconds, "× floor")
    if results.moved:
        ratio = results.moved.seconds / results.moved.floor_seconds
        yield Judged("one move: answer to first write", 2, ratio, "× one apply")
    for burst in filter(None, (results.burst, results.all_at_once)):
        ratio = burst.seconds / burst.floor_seconds
        yield Judged(f"{burst.moves} moves at once: the slowest", 2.5, ratio, "× floor")
    if results.taken_over:
        yield from _judge_takeover(results.taken_over)
    yield from _judge_growth(results.grown)


def _judge_filling(filled: Filled, floor_seconds: float) -> Iterator[Judged]:
    expected = filled.resources * len(CHILDREN)
    surplus = abs(filled.creates.total() - expected) + filled.repeats
    yield Judged("from empty: writes beside one create per child", 0, surplus)
    yield Judged("from empty: status writes", filled.phases, filled.statuses)
    yield Judged("from empty: writes by kopf", 0, filled.touches)
    yield Judged("from empty: time", 1.5, filled.seconds / floor_seconds, "× floor")


def _judge_rest(rested: Rested) -> Iterator[Judged]:
    yield Judged("at rest: writes", 0, rested.writes)
    yield Judged("at rest: memory", MOST_MEBIBYTES, rested.memory_mebibytes, "MiB")
    yield Judged("at rest: registry calls a tick", rested.most_calls, rested.calls_a_tick)


def _judge_takeover(found: TakenOver) -> Iterator[Judged]:
    yield Judged("leader killed: takeover", found.allowed_seconds, found.seconds, "s")
    yield Judged("leader killed: late writes of the old one", 0, found.late_writes)


def _judge_growth(grown: Sequence[Grown]) -> Iterator[Judged]:
    many = [size for size in grown if size.resources >= FEWEST_GROWN]
    if len(many) > 1:
        ratio = many[-1].seconds_each / many[0].seconds_each
        what = f"growth from {many[0].resources} to {many[-1].resources}: time for each"
        yield Judged(what, MOST_GROWTH, ratio, "×")
