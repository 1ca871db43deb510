"""The leader is killed in the middle of its work, and another one takes over."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from regisseur_bench.operator.process import Habits, OperatorProcess, run_operator
from regisseur_bench.operator.stage import Stage

SUCCESSOR = "operator-2"


@dataclass(frozen=True)
class TakenOver:
    """How the work went on.

    Attributes:
        seconds: From the kill until the other one had the Lease.
        late_writes: Of the killed one, after that.
        allowed_seconds: The Lease and one retry.
    """

    seconds: float
    late_writes: int
    allowed_seconds: float


async def kill_leader(
    stage: Stage, operator: OperatorProcess, names: Sequence[str], habits: Habits
) -> TakenOver:
    """Kill the leader while all models move, and see another one end the work."""
    successor = Habits(SUCCESSOR, habits.poll_seconds, habits.lease)
    with run_operator(stage.ground, stage.registry.url, successor) as other:
        await stage.wait_until_ready(other)
        for name in names:
            stage.registry.move(name)
        await stage.wait_until_writing(operator)
        killed = time.time()
        operator.kill()
        taken = await stage.wait_until_leading(other)
        await stage.wait_until_served(names)
        late = stage.list_writes(operator.user, taken)
    duration, _, retry = habits.lease
    return TakenOver(taken - killed, len(late), duration + retry)
