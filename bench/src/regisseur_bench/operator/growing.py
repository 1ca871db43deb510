"""From few ModelDeployments to many: what each of them costs."""

from collections.abc import Sequence
from dataclasses import dataclass

from regisseur_bench.operator.filling import empty, fill
from regisseur_bench.operator.ground import NAMESPACE
from regisseur_bench.operator.process import run_operator, wait_until
from regisseur_bench.operator.resting import rest
from regisseur_bench.operator.stage import LONGEST_SECONDS, Stage, name_models


@dataclass(frozen=True)
class Grown:
    """One size.

    Attributes:
        seconds: From the Lease to the operator's last write.
        cpu_share: At rest, with the registry poll and the Lease.
    """

    resources: int
    seconds: float
    memory_mebibytes: float
    cpu_share: float

    @property
    def seconds_each(self) -> float:
        """What one ModelDeployment took."""
        return self.seconds / self.resources


async def grow(stage: Stage, sizes: Sequence[int], rest_seconds: float) -> list[Grown]:
    """Measure each size from empty; what is there before is deleted."""
    return [await _measure(stage, size, rest_seconds) for size in sizes]


async def _measure(stage: Stage, size: int, rest_seconds: float) -> Grown:
    await empty(stage, NAMESPACE)
    await wait_until(
        lambda: not stage.player.statuses, LONGEST_SECONDS, lambda: "what was before does not go"
    )
    names = name_models(size)
    await stage.create(names)
    with run_operator(stage.ground, stage.registry.url) as operator:
        filled = await fill(stage, operator, names)
        rested = await rest(stage, operator, names, rest_seconds)
    stage.say(f"{size} ModelDeployments: {filled.seconds:.1f} s")
    return Grown(size, filled.seconds, rested.memory_mebibytes, rested.cpu_share)
