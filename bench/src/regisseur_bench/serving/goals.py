"""What the server set out to reach, beside what it has reached."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from regisseur_bench.serving.contestants import CONSTANT, MLFLOW, NAIVE, OURS, OURS_ONNX
from regisseur_bench.serving.loads import Load

BATCHING: Final = "MLServer, batching"

Ratios = dict[Load, dict[str, float]]
"""By load how many times as fast as a base each server was."""


@dataclass(frozen=True)
class Goal:
    """A server is to be so many times as fast as another one.

    Attributes:
        least: The ratio that was set.
    """

    server: str
    load: Load
    base: str
    least: float


_ONE: Final = Load("M1", 1, 1)
_MANY: Final = Load("M1", 1, 64)

GOALS: Final = (
    Goal(OURS, _MANY, NAIVE, 25),
    Goal(OURS, _MANY, MLFLOW, 90),
    Goal(OURS, _MANY, CONSTANT, 0.45),
    Goal(OURS, _ONE, NAIVE, 3.5),
    Goal(OURS, _ONE, MLFLOW, 10),
    Goal(OURS, Load("M2", 1, 64), NAIVE, 33),
    Goal(OURS, Load("M2", 1, 1), NAIVE, 1.2),
    Goal(OURS, Load("M2", 32, 16), NAIVE, 10),
    Goal(OURS, Load("M2", 32, 16), BATCHING, 1.15),
    Goal(OURS, Load("M3", 1, 64), NAIVE, 23),
    Goal(OURS, Load("M3", 1, 1), NAIVE, 4.5),
    Goal(OURS_ONNX, _MANY, NAIVE, 40),
    Goal(OURS_ONNX, _MANY, MLFLOW, 130),
    Goal(OURS_ONNX, _MANY, CONSTANT, 0.6),
    Goal(OURS_ONNX, _ONE, NAIVE, 13),
    Goal(OURS_ONNX, _ONE, MLFLOW, 35),
    Goal(OURS_ONNX, Load("M2", 1, 64), NAIVE, 160),
    Goal(OURS_ONNX, Load("M2", 1, 1), NAIVE, 38),
    Goal(OURS_ONNX, Load("M2", 32, 16), NAIVE, 40),
    Goal(OURS_ONNX, Load("M3", 1, 64), NAIVE, 30),
    Goal(OURS_ONNX, Load("M3", 1, 1), NAIVE, 13),
)


def judge(find: Callable[[str], Ratios]) -> Iterator[tuple[Goal, float]]:
    """Yield each goal that was measured, and what was reached of it.

    Args:
        find: Returns the ratios to a base.
    """
    for goal in GOALS:
        found = find(goal.base).get(goal.load, {})
        if goal.server in found and goal.base in found:
            yield goal, found[goal.server]
