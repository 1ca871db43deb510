"""The ModelDeployment that faulty versions are tried on, and a case of it under load."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Final, Self

from regisseur_contract.tags import STAGE_PRODUCTION, TAG_IMAGE
from regisseur_devcluster.demo.outcomes import KINDS, Summary
from support.eventually import eventually
from support.faulty_versions import Versions
from support.observer import Observer
from support.served import Served

REPLICAS: Final = 2
REQUESTS_PER_SECOND: Final = 90.0
BOUNDS: Final = ("--count", "60000", "--seconds", "600")
ROLLOUT_SECONDS: Final = 240.0
"""How long a rehearsal and a rollout may take; MLflow may have to start first."""

HARM_SECONDS: Final = 3.0
"""How long after a server died requests may fail."""

RESOURCES: Final = {
    "requests": {"cpu": "50m", "memory": "192Mi"},
    "limits": {"memory": "512Mi"},
}


@dataclass(frozen=True)
class Victim:
    """A ModelDeployment whose versions name their own images, impatient so that tests are short.

    Attributes:
        served: It.
        versions: What makes versions of its model.
        good: A version that it serves between the cases.
    """

    served: Served
    versions: Versions
    good: int

    @classmethod
    def start(cls, served: Served, versions: Versions) -> "Victim":
        """Serve a good version and return when it is ready."""
        victim = cls(served, versions, versions.good())
        served.promote(victim.good)
        victim.deploy()
        served.wait_until_ready()
        return victim

    def deploy(self, **changes: Any) -> None:
        """Apply it as usual in these tests, with some parts of the spec changed."""
        serving = {"imageFrom": {"modelVersionTag": TAG_IMAGE}, "resources": RESOURCES}
        usual = {"serving": serving, "minReadySeconds": 1, "progressDeadlineSeconds": 60}
        self.served.deploy(replicas=REPLICAS, **(usual | changes))

    def deploy_with(self, resources: Mapping[str, Any], **changes: Any) -> None:
        """Apply it with other resources."""
        serving = {"imageFrom": {"modelVersionTag": TAG_IMAGE}, "resources": resources}
        self.deploy(serving=serving, **changes)

    def recover(self) -> "Victim":
        """Bring it back to a good version and the usual spec, whatever a case left behind."""
        self.deploy()
        now = int(self.served.status["stable"]["version"])
        good = now if now in self.versions.all_good else self.good
        if self.served.production_version() != good:
            self.served.promote(good)
        victim = replace(self, good=good)
        victim.wait_until_served(good)
        return victim

    def wait_until_served(self, version: int) -> float:
        """Wait until a version is served by all pods and that is said; return when it was so."""
        ended = self.served.wait_until_served(
            version, replicas=REPLICAS, deadline_seconds=ROLLOUT_SECONDS
        )
        self.served.wait_until_ready()
        return ended

    def deploy_gated(self, gates: Mapping[str, Any]) -> None:
        """Apply it with gates."""
        model = {"name": self.served.model, "stage": STAGE_PRODUCTION, "gates": gates}
        self.deploy(model=model)

    def wait_until_rejected(self, version: int, reason: str, *, seconds: float = 200) -> str:
        """Wait until a version is rejected and the one before serves; return the message."""
        served = self.served

        def message() -> str:
            entries = served.status.get("rejected", [])
            found = [e for e in entries if (e["version"], e["reason"]) == (version, reason)]
            is_told = served.condition("Ready").get("reason") == "VersionRejected"
            return str(found[0]["message"]) if found and is_told else ""

        found = eventually(
            message,
            deadline_seconds=seconds,
            interval=0.5,
            describe=lambda: f"version {version} is rejected: {reason}; {served.describe()}",
        )
        served.wait_until_served(int(served.status["stable"]["version"]), replicas=REPLICAS)
        return found


class Case:
    """A victim under the requests of all kinds of client and the eyes of an observer.

    When the context ends without an error, no request has failed and the status was true.

    Args:
        served: The victim.
        note_figure: Takes the case's figures.
        name: What the case is called there.
        deaths: Whether servers die in it: then requests may fail, for a moment each time.
    """

    def __init__(
        self,
        served: Served,
        note_figure: Callable[[str], None],
        name: str,
        *,
        deaths: bool = False,
    ) -> None:
        self._note, self._name, self._deaths = note_figure, name, deaths
        self.load = served.load(REQUESTS_PER_SECOND, *BOUNDS)
        self.observer = Observer(served.kubectl, served.namespace, served.name)

    def __enter__(self) -> Self:
        self.load.__enter__()
        self.observer.__enter__()
        self.wait_for_requests(60)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.wait_for_requests(90)
        self.observer.__exit__()
        try:
            if error is None:
                self._judge(self.load.stop())
        finally:
            self.load.__exit__(kind, error, trace)
        if error is not None:
            error.add_note(f"seen:\n{self.observer.timeline()}")

    def wait_for_requests(self, more: int) -> None:
        """Wait until so many more requests are answered."""
        wanted = self.load.so_far.total + more
        eventually(
            lambda: self.load.so_far.total >= wanted,
            deadline_seconds=60,
            describe=lambda: f"{more} more requests; {self.load.so_far.describe()}",
        )

    def _judge(self, summary: Summary) -> None:
        deaths = self.observer.deaths if self._deaths else []
        killed = f", {len(deaths)} servers died" if self._deaths else ""
        looks = len(self.observer.moments)
        self._note(f"{self._name}: {summary.describe()}{killed}, {looks} looks at the status")
        # The kubelet tells the second in which a process ended, not the moment.
        excused = [(death - 0.5, death + 1 + HARM_SECONDS) for death in deaths]
        late = [
            failure
            for failure in summary.failures
            if not any(begin <= failure.at + failure.seconds <= end for begin, end in excused)
        ]
        assert not late, f"{late}\n{self.observer.timeline()}"
        assert summary.failed == len(summary.failures)
        assert set(summary.requests) == set(KINDS)
        self.observer.check()
