"""The words of a status that are one of a few: conditions, phases, outcomes."""

from enum import StrEnum


class ConditionType(StrEnum):
    """The conditions of a ModelDeployment.

    The first six are good when True and always there. The last two are kstatus' own: they are
    there only while they are True.
    """

    READY = "Ready"
    AVAILABLE = "Available"
    PROGRESSING = "Progressing"
    RESOLVED = "Resolved"
    REGISTRY_REACHABLE = "RegistryReachable"
    REHEARSED = "Rehearsed"
    STALLED = "Stalled"
    RECONCILING = "Reconciling"


class Phase(StrEnum):
    """One word for `kubectl get`; the conditions carry the truth."""

    PENDING = "Pending"
    """Nothing is served yet and nothing can be rolled out yet."""

    WAITING = "Waiting"
    """A version is there and may not go further yet: a gate is unmet, or its image is not named."""

    REHEARSING = "Rehearsing"
    """A version is being checked in a pod of its own."""

    PROGRESSING = "Progressing"
    """A rollout or a scaling is under way."""

    HEALTHY = "Healthy"
    """The version that the reference names is served by all pods."""

    DEGRADED = "Degraded"
    """Something keeps the wanted state from being reached; a condition says what."""

    SUSPENDED = "Suspended"
    """`spec.suspend` is true."""


class CandidatePhase(StrEnum):
    """How far a rollout has come."""

    PROGRESSING = "Progressing"
    """Pods of the candidate are starting or take over."""

    HELD = "Held"
    """Its surroundings keep it from going on; it goes on by itself when they allow it."""

    FAILED = "Failed"
    """It is given up; the stable version goes on serving, or is put back."""


class Outcome(StrEnum):
    """How a rollout ended."""

    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    SUPERSEDED = "Superseded"


class RehearsalState(StrEnum):
    """How far a rehearsal has come."""

    RUNNING = "Running"
    """Its pod is being started or runs."""

    PASSED = "Passed"
    """The version may meet traffic."""

    FAILED = "Failed"
    """The version itself is at fault; it is rejected."""

    HELD = "Held"
    """Its surroundings kept it from being judged; it is tried again."""
