"""What became of the requests of a load: counts by kind and version, and every failure."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal, Self

Kind = Literal["short", "keepalive", "keepalive_blind"]
KINDS: Final[tuple[Kind, ...]] = ("short", "keepalive", "keepalive_blind")
"""A new connection per request; one that is checked before it is used again; one that never is.

All of them obey an answer's `Connection: close`, as HTTP requires.
"""

KEPT_FAILURES: Final = 200


@dataclass(frozen=True)
class Outcome:
    """One request.

    Attributes:
        kind: The kind of client.
        at: When it was sent, in seconds since the epoch.
        seconds: How long it took.
        version: The model version that answered, or empty.
        failure: The cause, or empty for an answer with status 200.
    """

    kind: Kind
    at: float
    seconds: float
    version: str = ""
    failure: str = ""


@dataclass(frozen=True)
class Failure:
    """A failed request."""

    kind: str
    at: float
    seconds: float
    cause: str


@dataclass(frozen=True)
class Sighting:
    """When a version was seen answering first and last, in seconds since the epoch."""

    first: float
    last: float
    requests: int


@dataclass(frozen=True)
class Summary:
    """The load so far.

    Attributes:
        requests: Requests with an outcome, by kind of client.
        failures: Failed requests; the first of them, when there are very many.
        failed: How many failed.
        versions: The model versions that answered.
        last_version: The version of the newest answer.
        slowest_seconds: The longest any answered request took.
    """

    requests: Mapping[str, int] = field(default_factory=dict)
    failed: int = 0
    failures: tuple[Failure, ...] = ()
    versions: Mapping[str, Sighting] = field(default_factory=dict)
    last_version: str = ""
    slowest_seconds: float = 0.0

    @property
    def total(self) -> int:
        """Requests of all kinds."""
        return sum(self.requests.values())

    @property
    def causes(self) -> Mapping[str, int]:
        """How often each cause made a request fail, per kind of client."""
        return Counter(f"{failure.kind}: {failure.cause}" for failure in self.failures)

    def describe(self) -> str:
        """Return the figures in one line."""
        kinds = ", ".join(f"{kind} {count}" for kind, count in self.requests.items())
        causes = "; ".join(f"{count} × {cause}" for cause, count in self.causes.items())
        failed = f"{self.failed} failed" + (f" ({causes})" if causes else "")
        return f"{self.total} requests ({kinds}), {failed}, slowest {self.slowest_seconds:.1f} s"

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` reads."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        return cls(
            requests=document["requests"],
            failed=document["failed"],
            failures=tuple(Failure(**failure) for failure in document["failures"]),
            versions={key: Sighting(**value) for key, value in document["versions"].items()},
            last_version=document["last_version"],
            slowest_seconds=document["slowest_seconds"],
        )


class Tally:
    """Counts outcomes as they come in."""

    def __init__(self) -> None:
        self._requests: Counter[Kind] = Counter(dict.fromkeys(KINDS, 0))
        self._failures: list[Failure] = []
        self._failed = 0
        self._versions: dict[str, Sighting] = {}
        self._last_version = ""
        self._slowest = 0.0

    @property
    def total(self) -> int:
        """How many requests have an outcome."""
        return self._requests.total()

    def add(self, outcome: Outcome) -> None:
        """Count one request."""
        self._requests[outcome.kind] += 1
        if outcome.failure:
            self._failed += 1
            if len(self._failures) < KEPT_FAILURES:
                self._failures.append(
                    Failure(outcome.kind, outcome.at, outcome.seconds, outcome.failure)
                )
            return
        self._slowest = max(self._slowest, outcome.seconds)
        self._last_version = outcome.version
        seen = self._versions.get(outcome.version)
        answered = outcome.at + outcome.seconds
        self._versions[outcome.version] = Sighting(
            first=seen.first if seen else answered,
            last=answered,
            requests=(seen.requests if seen else 0) + 1,
        )

    def summary(self) -> Summary:
        """Return the counts."""
        return Summary(
            requests={kind: count for kind, count in self._requests.items() if count},
            failed=self._failed,
            failures=tuple(self._failures),
            versions=dict(self._versions),
            last_version=self._last_version,
            slowest_seconds=self._slowest,
        )
