"""Every reason that a condition or an Event of a ModelDeployment can have, and what it means.

One list for code, docs and tests. The words are those of Deployments and of Argo Rollouts where
they have one.
"""

from enum import StrEnum


class Reason(StrEnum):
    """Machine-readable cause of a condition's status.

    Attributes:
        meaning: What it means.
        remedy: What a person can do about it; empty where nothing has to be done.
    """

    meaning: str
    remedy: str

    def __new__(cls, value: str, meaning: str = "", remedy: str = "") -> "Reason":
        """Keep the texts beside the value."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        member.remedy = remedy
        return member

    @property
    def description(self) -> str:
        """What it means and what a person can do about it."""
        return f"{self.meaning} {self.remedy}".rstrip()

    # Which version the reference names
    VERSION_RESOLVED = (
        "VersionResolved",
        "The registry names exactly one version for the reference.",
    )
    SEVERAL_HOLDERS = (
        "SeveralHolders",
        "Several versions are in the stage; the one that entered it last is served, or the highest"
        " number if their order is not known.",
        "Archive the others to be unambiguous.",
    )
    REFERENCE_NOT_FOUND = (
        "ReferenceNotFound",
        "The registered model, or the stage, alias or version of it, does not exist. Nothing is"
        " scaled down or deleted.",
        "Register or promote a version.",
    )
    WAITING_FOR_REGISTRY = (
        "WaitingForRegistry",
        "The registry was not asked yet since the operator started or since the reference changed.",
    )

    # The registry
    REGISTRY_ANSWERS = ("RegistryAnswers", "The registry answered the last request.")
    REGISTRY_UNKNOWN = (
        "RegistryUnknown",
        "The operator was not configured with a registry of this name.",
        "Correct spec.model.registry or the operator's registries.",
    )
    REGISTRY_UNREACHABLE = (
        "RegistryUnreachable",
        "The registry does not answer, or answers nonsense. Serving goes on untouched and the"
        " operator keeps asking.",
        "Look after the registry; the message has its last answer.",
    )
    REGISTRY_DENIED = (
        "RegistryDenied",
        "The registry refuses the operator's request (401 or 403).",
        "Give the operator access.",
    )

    # Before a version goes further
    GATE_UNMET = (
        "GateUnmet",
        "The version does not fulfil spec.model.gates; the served version stays. Metrics, tags and"
        " age are read again and again.",
        "Fulfil the gates that the message names, or change them.",
    )
    IMAGE_UNKNOWN = (
        "ImageUnknown",
        "The version has not the tag that names its image (spec.serving.imageFrom).",
        "Set the tag in the registry; it is seen by itself.",
    )
    VERSION_REJECTED = (
        "VersionRejected",
        "The version failed before, by its own fault, and is not tried again as it is; see"
        " status.rejected.",
        "Promote another version, change what the message asks for in the spec, or set the"
        " annotation regisseur.dev/retry to a new value.",
    )

    # Rehearsal
    REHEARSAL_RUNNING = (
        "RehearsalRunning",
        "The version is being checked in a pod of its own, before it meets traffic.",
    )
    REHEARSAL_PASSED = (
        "RehearsalPassed",
        "The version was checked, and its pods take no other files than those.",
    )
    REHEARSAL_HELD = (
        "RehearsalHeld",
        "Something around the version keeps it from being rehearsed; it is tried again.",
        "The message says what it is.",
    )
    REHEARSAL_DISABLED = (
        "RehearsalDisabled",
        "spec.rehearsal.enabled is false: versions are rolled out unchecked, and their files are"
        " not pinned by a digest.",
    )
    REHEARSAL_NOT_NEEDED = (
        "RehearsalNotNeeded",
        "There is nothing new to rehearse: what is served was served before exactly so.",
    )

    # What a version is rejected for
    DIGEST_MISMATCH = (
        "DigestMismatch",
        "The model's files are not those that training noted in the registry, or that were"
        " rehearsed.",
        "Find out who changed them, and register a new version.",
    )
    ARTIFACT_MISSING = (
        "ArtifactMissing",
        "The artifact store answers, and has no files at the version's place.",
        "Upload them again or register a new version.",
    )
    ARTIFACT_INVALID = (
        "ArtifactInvalid",
        "The version's files are no model that can be served.",
        "Register a new version; the message says what is wrong.",
    )
    REQUIREMENTS_MISMATCH = (
        "RequirementsMismatch",
        "The libraries of the image differ too much from those that the model was logged with.",
        "Use an image that fits, or loosen spec.rehearsal.requirements.",
    )
    SIGNATURE_INCOMPATIBLE = (
        "SignatureIncompatible",
        "Requests that the served version answers would fail with this version's signature.",
        "Correct the model, or set spec.model.gates.signature to Any.",
    )
    LOAD_FAILED = (
        "LoadFailed",
        "The model cannot be loaded.",
        "The message is the loader's last word; correct the model or the image.",
    )
    PREDICTION_FAILED = (
        "PredictionFailed",
        "The model loads and does not predict its own input example.",
        "Correct the model, or the example that it was logged with.",
    )
    REHEARSAL_TIMED_OUT = (
        "RehearsalTimedOut",
        "The rehearsal took longer than spec.rehearsal.timeout.",
        "Raise it, or make the model smaller or quicker to load.",
    )
    REHEARSAL_CRASHED = (
        "RehearsalCrashed",
        "The rehearsal ended without a verdict.",
        "The message is its last word; it may have been killed by the model's own code.",
    )
    OUT_OF_MEMORY = (
        "OutOfMemory",
        "The server or the rehearsal used more memory than its limit and was killed.",
        "Raise spec.serving.resources.limits.memory.",
    )
    SERVER_CRASHED = (
        "ServerCrashed",
        "The server ended by itself and is started again.",
        "The message is its last word.",
    )
    NEVER_READY = (
        "NeverReady",
        "A pod had its model's files for spec.progressDeadlineSeconds, and was never ready.",
        "Look at its logs, or allow it more time.",
    )

    # What holds a rollout from outside
    UNSCHEDULABLE = (
        "Unschedulable",
        "No node can take a pod.",
        "Make room, or ask for less in spec.serving.resources.",
    )
    IMAGE_PULL_FAILED = (
        "ImagePullFailed",
        "The image of the server cannot be pulled.",
        "Correct spec.serving.image or the access to it.",
    )
    CONTAINER_REFUSED = (
        "ContainerRefused",
        "The node cannot create a container of the pod; its message says why.",
        "A missing Secret or ConfigMap is the usual cause.",
    )
    FETCH_FAILED = (
        "FetchFailed",
        "A pod cannot download the model's files.",
        "The message is the downloader's last word.",
    )
    STORE_UNAVAILABLE = (
        "StoreUnavailable",
        "The artifact store does not answer. Pods that run need it not.",
        "Look after the store; it goes on by itself.",
    )
    STORE_DENIED = (
        "StoreDenied",
        "The artifact store refuses the pods' credentials (401 or 403).",
        "Correct spec.serving.modelAccess; it goes on by itself.",
    )
    EVICTED = (
        "Evicted",
        "The node threw a pod out before it had done its work.",
        "Nodes short of memory or disk do that.",
    )
    REPLICA_FAILURE = (
        "ReplicaFailure",
        "Pods cannot be created: a quota, a Pod Security level or another admission rule of the"
        " namespace forbids it.",
        "Change what the message names; it goes on by itself.",
    )

    # How a rollout goes
    ROLLOUT_STARTED = (
        "RolloutStarted",
        "A rollout to another version or another configuration began.",
    )
    ROLLOUT_PROGRESSING = (
        "RolloutProgressing",
        "Pods of the new version are being started or replace the old ones.",
    )
    ROLLOUT_COMPLETE = (
        "RolloutComplete",
        "All pods run the wanted version and are available.",
    )
    ROLLOUT_SUPERSEDED = (
        "RolloutSuperseded",
        "A newer version was promoted while the rollout ran; it goes on with the newer one.",
    )
    ROLLOUT_FAILED = (
        "RolloutFailed",
        "A rollout failed by the version's own fault; the version that was served before is put"
        " back.",
        "See status.rejected for the cause.",
    )
    PROGRESS_DEADLINE_EXCEEDED = (
        "ProgressDeadlineExceeded",
        "The rollout stood still for progressDeadlineSeconds. Pods of the old version go on"
        " serving.",
        "Look at the new pods' logs and Events.",
    )
    NOTHING_RESOLVED = (
        "NothingResolved",
        "There is no version to roll out yet.",
        "See the condition Resolved.",
    )

    # What is served
    SERVING_RESOLVED_VERSION = (
        "ServingResolvedVersion",
        "The version that the reference names is served by all pods.",
    )
    ROLLED_BACK = (
        "RolledBack",
        "The revision that spec.rollbackTo names is served, whatever the reference names.",
        "Take spec.rollbackTo away to follow the reference again.",
    )
    MINIMUM_REPLICAS_AVAILABLE = (
        "MinimumReplicasAvailable",
        "Enough pods are available to serve.",
    )
    MINIMUM_REPLICAS_UNAVAILABLE = (
        "MinimumReplicasUnavailable",
        "Too few pods are available to serve.",
        "See why in the condition Ready and in the pods' Events.",
    )
    ARTIFACT_CHANGED = (
        "ArtifactChanged",
        "The files of the served version were changed in their place. Pods that run go on serving"
        " what they have; new ones refuse the files.",
        "Put the files back, or register and promote a new version.",
    )
    STRAY_PODS = (
        "StrayPods",
        "Pods that the operator did not make answer requests of the Service; status.strayPods"
        " names them.",
        "Take their label regisseur.dev/modeldeployment away, or delete them.",
    )

    # What a person has to settle
    SUSPENDED = (
        "Suspended",
        "spec.suspend is true: nothing is followed and nothing is changed.",
        "Set it to false to go on.",
    )
    NAME_CONFLICT = (
        "NameConflict",
        "An object of a name that the ModelDeployment needs exists and belongs to somebody else."
        " It is left alone.",
        "Rename it or the ModelDeployment.",
    )
    INVALID_SPEC = (
        "InvalidSpec",
        "The spec, or an object made from it, was refused.",
        "Correct the field that the message names.",
    )
    REVISION_NOT_FOUND = (
        "RevisionNotFound",
        "spec.rollbackTo names a revision that is not kept (any more). What is served stays.",
        "Choose one of the revisions that the message names, or take rollbackTo away.",
    )
    FORBIDDEN = (
        "Forbidden",
        "The operator has no permission for what it must do.",
        "Correct its ClusterRole.",
    )
    AUTOSCALING_INACTIVE = (
        "AutoscalingInactive",
        "The HorizontalPodAutoscaler cannot read the pods' use of CPU; their number stays.",
        "Install a metrics server, or look at its message.",
    )

    # Events only
    CHILD_CREATED = ("ChildCreated", "An object of the ModelDeployment was created.")
    CHILD_RESTORED = (
        "ChildRestored",
        "An object of the ModelDeployment had been changed or deleted and was put back.",
    )
    CHILD_CONTESTED = (
        "ChildContested",
        "Something in the cluster, such as an admission webhook, changes an object each time it is"
        " written. It is left as it is until one side changes its mind.",
        "Find out what changes it.",
    )
    REGISTRY_RESTORED = ("RegistryRestored", "The registry answers again.")
    RETRY_REQUESTED = (
        "RetryRequested",
        "Somebody set the annotation regisseur.dev/retry: rejected versions are tried again.",
    )
    RESTART_REQUESTED = (
        "RestartRequested",
        "Somebody set the annotation regisseur.dev/restart: all pods are replaced.",
    )
