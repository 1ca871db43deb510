"""Every reason that a condition or an Event of a ModelDeployment can have.

One list for code, docs and tests; what each means is told by `meanings`. The words are those of
Deployments and of Argo Rollouts where they have one.
"""

from enum import StrEnum


class Reason(StrEnum):
    """Machine-readable cause of a condition's status, or of an Event."""

    # Which version the reference names
    VERSION_RESOLVED = "VersionResolved"
    SEVERAL_HOLDERS = "SeveralHolders"
    REFERENCE_NOT_FOUND = "ReferenceNotFound"
    WAITING_FOR_REGISTRY = "WaitingForRegistry"

    # The registry
    REGISTRY_ANSWERS = "RegistryAnswers"
    REGISTRY_UNKNOWN = "RegistryUnknown"
    REGISTRY_UNREACHABLE = "RegistryUnreachable"
    REGISTRY_DENIED = "RegistryDenied"

    # Before a version goes further
    GATE_UNMET = "GateUnmet"
    IMAGE_UNKNOWN = "ImageUnknown"
    NOT_ALLOWED = "NotAllowed"
    QUEUED = "Queued"
    VERSION_REJECTED = "VersionRejected"

    # Rehearsal
    REHEARSAL_RUNNING = "RehearsalRunning"
    REHEARSAL_PASSED = "RehearsalPassed"
    REHEARSAL_HELD = "RehearsalHeld"
    REHEARSAL_DISABLED = "RehearsalDisabled"
    REHEARSAL_NOT_NEEDED = "RehearsalNotNeeded"

    # What a version is rejected for
    DIGEST_MISMATCH = "DigestMismatch"
    ARTIFACT_MISSING = "ArtifactMissing"
    ARTIFACT_INVALID = "ArtifactInvalid"
    REQUIREMENTS_MISMATCH = "RequirementsMismatch"
    SIGNATURE_INCOMPATIBLE = "SignatureIncompatible"
    LOAD_FAILED = "LoadFailed"
    PREDICTION_FAILED = "PredictionFailed"
    REHEARSAL_TIMED_OUT = "RehearsalTimedOut"
    REHEARSAL_CRASHED = "RehearsalCrashed"
    OUT_OF_MEMORY = "OutOfMemory"
    SERVER_CRASHED = "ServerCrashed"
    NEVER_READY = "NeverReady"

    # What holds a rollout from outside
    UNSCHEDULABLE = "Unschedulable"
    IMAGE_PULL_FAILED = "ImagePullFailed"
    CONTAINER_REFUSED = "ContainerRefused"
    FETCH_FAILED = "FetchFailed"
    STORE_UNAVAILABLE = "StoreUnavailable"
    STORE_DENIED = "StoreDenied"
    EVICTED = "Evicted"
    REPLICA_FAILURE = "ReplicaFailure"

    # How a rollout goes
    ROLLOUT_STARTED = "RolloutStarted"
    ROLLOUT_PROGRESSING = "RolloutProgressing"
    ROLLOUT_COMPLETE = "RolloutComplete"
    ROLLOUT_SUPERSEDED = "RolloutSuperseded"
    ROLLOUT_FAILED = "RolloutFailed"
    PROGRESS_DEADLINE_EXCEEDED = "ProgressDeadlineExceeded"
    NOTHING_RESOLVED = "NothingResolved"

    # What is served
    SERVING_RESOLVED_VERSION = "ServingResolvedVersion"
    ROLLED_BACK = "RolledBack"
    SCALED_TO_ZERO = "ScaledToZero"
    MINIMUM_REPLICAS_AVAILABLE = "MinimumReplicasAvailable"
    MINIMUM_REPLICAS_UNAVAILABLE = "MinimumReplicasUnavailable"
    ARTIFACT_CHANGED = "ArtifactChanged"
    STRAY_PODS = "StrayPods"

    # What a person has to settle
    SUSPENDED = "Suspended"
    NAME_CONFLICT = "NameConflict"
    INVALID_SPEC = "InvalidSpec"
    REVISION_NOT_FOUND = "RevisionNotFound"
    FORBIDDEN = "Forbidden"
    AUTOSCALING_INACTIVE = "AutoscalingInactive"

    # Events only
    CHILD_CREATED = "ChildCreated"
    CHILD_RESTORED = "ChildRestored"
    CHILD_CONTESTED = "ChildContested"
    REGISTRY_RESTORED = "RegistryRestored"
    RETRY_REQUESTED = "RetryRequested"
    RESTART_REQUESTED = "RestartRequested"
