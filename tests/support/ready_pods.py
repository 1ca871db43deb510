"""The fewest ready pods that there ever were while somebody watched."""

from collections.abc import Mapping
from typing import Any

from regisseur_devcluster.demo.kubectl import Kubectl
from regisseur_devcluster.demo.pods import PodWatch


class ReadyPods(PodWatch):
    """Follows the pods of a ModelDeployment and counts those that are ready and to stay.

    Attributes:
        fewest: The smallest count since the context was entered.
        most: The greatest.
    """

    def __init__(self, kubectl: Kubectl, namespace: str, name: str) -> None:
        super().__init__(kubectl, namespace, name)
        self.fewest = -1
        self.most = -1

    @property
    def now(self) -> int:
        """The count at this moment."""
        return sum(pod.is_ready and not pod.is_ending for pod in self.pods.values())

    def _list(self) -> None:
        super()._list()
        self._count()

    def _take(self, event: Mapping[str, Any]) -> None:
        super()._take(event)
        self._count()

    def _count(self) -> None:
        count = self.now
        self.fewest = count if self.fewest < 0 else min(self.fewest, count)
        self.most = max(self.most, count)
