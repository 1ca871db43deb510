"""At rest: nothing changes, and nothing may be written."""

import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote_plus

from regisseur_bench.operator.process import Habits, OperatorProcess, run_operator
from regisseur_bench.operator.stage import Stage

_CALL_BYTES: Final = 4000
LONGEST_QUIET_SECONDS: Final = 200.0
"""The first sweep comes 300 s after the start."""

ALONE: Final = Habits(poll_seconds=3600.0, lease=(14400.0, 7200.0, 3600.0))
"""Neither the registry nor the Lease is asked again within the hour."""


@dataclass(frozen=True)
class Rested:
    """What an operator did while there was nothing to do.

    Attributes:
        writes: The Lease aside.
        calls: To the registry.
        ticks: How often the registry was polled.
        names_bytes: The names of all models as they stand in a filter, encoded.
    """

    seconds: float
    writes: int
    cpu_share: float
    memory_mebibytes: float
    calls: int
    ticks: int
    names_bytes: int

    @property
    def calls_a_tick(self) -> float:
        """How many calls one poll of the registry took."""
        return self.calls / self.ticks

    @property
    def most_calls(self) -> int:
        """One call for each 4 kB of names."""
        return math.ceil(self.names_bytes / _CALL_BYTES)


async def rest(
    stage: Stage, operator: OperatorProcess, names: Sequence[str], seconds: float
) -> Rested:
    """Measure an operator that has come to rest."""
    ticks = stage.registry.ticks
    since, calls, cpu = time.time(), stage.registry.calls, operator.read_cpu_seconds()
    await asyncio.sleep(seconds)
    used = operator.read_cpu_seconds() - cpu
    return Rested(
        seconds=seconds,
        writes=len(stage.list_writes(operator.user, since)),
        cpu_share=used / seconds,
        memory_mebibytes=operator.read_memory_mebibytes(),
        calls=stage.registry.calls - calls,
        ticks=max(1, stage.registry.ticks - ticks),
        names_bytes=sum(len(quote_plus(f"'{name}',")) for name in names),
    )


async def rest_alone(stage: Stage, names: Sequence[str], seconds: float) -> Rested:
    """Measure the same without poll, Lease and sweep: what the watches alone cost."""
    with run_operator(stage.ground, stage.registry.url, ALONE) as operator:
        await stage.wait_until_leading(operator)
        await asyncio.sleep(min(seconds, 10.0))
        await stage.wait_until_quiet(operator)
        return await rest(stage, operator, names, min(seconds, LONGEST_QUIET_SECONDS))
