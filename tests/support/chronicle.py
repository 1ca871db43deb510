"""Writes down who served when, apart from the operator, and holds its history against that.

A version serves alone when all pods that are wanted are of one kind and available, there are no
others, and the Deployment's controller has counted them. From the first moment on where it does,
the history must name it as what was live; it may do so later, but it must know of it if the
operator looked only once in that time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

from regisseur_contract.names import LABEL_MODEL_VERSION
from regisseur_operator.api.status import HISTORY_LIMIT, HistoryEntry
from regisseur_operator.core.observed import observe_deployment
from regisseur_operator.core.pods import LABEL_INPUTS
from regisseur_operator.ports import Manifest
from support.fake_pod_status import is_available


def find_live(history: Sequence[HistoryEntry], at: datetime) -> HistoryEntry | None:
    """Return what was live at a time, by the rule of docs/ARCHITECTURE.md."""
    succeeded = (entry for entry in history if entry.outcome == "Succeeded")
    done = (e for e in succeeded if e.finished_at is not None and e.finished_at <= at)
    return next(done, None)


@dataclass
class Moment:
    """One step of the cluster.

    Attributes:
        alone: The version that served alone, None where none did.
        is_seen: Whether the operator looked between this step and the next one.
    """

    at: datetime
    alone: int | None
    is_seen: bool = False


@dataclass
class Chronicle:
    """The moments of a world.

    Attributes:
        wiped_at: When the status was lost last: of what was before, the history may know less.
    """

    moments: list[Moment] = field(default_factory=list)
    wiped_at: datetime | None = None

    def note(self, at: datetime, alone: int | None) -> None:
        """Write down who served alone after a step."""
        self.moments.append(Moment(at, alone))

    def look(self, alone: int | None) -> None:
        """Write down that the operator saw who served alone, and lived to tell it."""
        if self.moments and self.moments[-1].alone == alone:
            self.moments[-1].is_seen = True

    def check(self, history: Sequence[HistoryEntry]) -> None:
        """Hold a history against all that the operator could know.

        Raises:
            AssertionError: It names another version than the one that served.
        """
        oldest = history[-1].finished_at if len(history) == HISTORY_LIMIT else None
        for moment in self._find_known():
            live = find_live(history, moment.at)
            if live is None and (self.wiped_at is not None or oldest is not None):
                continue
            told = live.version if live is not None else None
            assert told == moment.alone, f"{told} was live at {moment.at}, not {moment.alone}"

    def _find_known(self) -> Iterator[Moment]:
        for version, group in groupby(self.moments, key=lambda moment: moment.alone):
            span = [m for m in group if self.wiped_at is None or m.at > self.wiped_at]
            if version is not None and any(moment.is_seen for moment in span):
                yield from span


def find_alone(at: datetime, pods: Sequence[Manifest], deployment: Manifest | None) -> int | None:
    """Return the version that serves alone, None where none does."""
    if deployment is None:
        return None
    spec = deployment["spec"]
    labels = [pod["metadata"]["labels"] for pod in pods]
    kinds = {(found[LABEL_MODEL_VERSION], found[LABEL_INPUTS]) for found in labels}
    is_whole = len(pods) == spec.get("replicas", 1) and len(kinds) == 1 and _is_counted(deployment)
    seconds = spec.get("minReadySeconds", 0)
    if not is_whole or not all(is_available(pod, seconds, at) for pod in pods):
        return None
    return int(kinds.pop()[0])


def _is_counted(deployment: Manifest) -> bool:
    """Whether its controller, which may sleep, says the same: nobody else has the time of it."""
    facts = observe_deployment(deployment)
    return facts.is_complete and facts.completed_at is not None
