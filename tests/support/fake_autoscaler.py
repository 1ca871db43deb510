"""A HorizontalPodAutoscaler controller in memory, with the habits that make handovers dangerous.

It raises what is below its minReplicas and lowers what is above its maxReplicas at once, without a
look at the load. Where the load is about as wanted it asks for the number that it finds. It lowers
to no less than the most that it asked for lately. A 0 switches it off.
"""

import math
from dataclasses import dataclass, field
from typing import Any

from regisseur_operator.core.identity import Manifest

TOLERANCE = 0.1


@dataclass
class FakeAutoscaler:
    """One HorizontalPodAutoscaler and the controller behind it.

    Attributes:
        spec: Its minReplicas and maxReplicas.
        asked: What its status says last.
        recent: What it asked for in the last five minutes.
    """

    spec: dict[str, int]
    asked: int = 0
    condition: tuple[str, str] = ("", "")
    has_metrics: bool = False
    recent: list[int] = field(default_factory=list)

    @property
    def manifest(self) -> Manifest:
        """What the API server shows of it."""
        status: dict[str, Any] = {"desiredReplicas": self.asked}
        state, message = self.condition
        if state:
            active = {"type": "ScalingActive", "status": state, "message": message}
            status["conditions"] = [active]
        if self.has_metrics:
            status["currentMetrics"] = [{"type": "Resource", "resource": {"name": "cpu"}}]
        return {"spec": dict(self.spec), "status": status}

    def look(self, current: int, pods: int, load: float | None) -> int:
        """Return the number that it writes.

        Args:
            current: `spec.replicas` as it is.
            pods: How many run.
            load: How many pods the load is just right for, None where there are no metrics.
        """
        self.recent = self.recent or [current]
        if current == 0:
            self.condition = ("False", "scaling is disabled since the replica count is zero")
            return current
        if not self.spec["minReplicas"] <= current <= self.spec["maxReplicas"]:
            self.has_metrics = False
            self.asked = self._clamp(current)
        elif load is None or pods == 0:
            self.has_metrics = False
            self.condition = ("False", "no metrics returned")
            return current
        else:
            self.asked = self._ask(current, pods, load)
        return self.asked

    def forget(self) -> None:
        """Let five minutes pass."""
        self.recent = self.recent[-1:]

    def _ask(self, current: int, pods: int, load: float) -> int:
        ratio = load / pods
        number = current if abs(ratio - 1) <= TOLERANCE else math.ceil(ratio * pods)
        self.condition, self.has_metrics = ("True", ""), True
        self.recent.append(number)
        return self._clamp(max(self.recent))

    def _clamp(self, number: int) -> int:
        return min(max(number, self.spec["minReplicas"]), self.spec["maxReplicas"])
