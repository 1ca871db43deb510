"""Every reason that a condition or an Event of a ModelDeployment can have, and what it means.

One list for code, docs and tests. The words are those of Deployments and of Argo Rollouts where
they have one.
"""

from enum import StrEnum


class Reason(StrEnum):
    """Machine-readable cause of a condition's status.

    Attributes:
        description: What it means and what a person can do about it.
    """

    description: str

    def __new__(cls, value: str, description: str = "") -> "Reason":
        """Keep the description beside the value."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.description = description
        return member

    # Resolved
    VERSION_RESOLVED = (
        "VersionResolved",
        "The registry names exactly one version for the reference.",
    )
    SEVERAL_HOLDERS = (
        "SeveralHolders",
        "Several versions are in the stage; the one that entered it last is served, or the highest"
        " number if their order is not known. Archive the others to be unambiguous.",
    )
    REFERENCE_NOT_FOUND = (
        "ReferenceNotFound",
        "The registered model, or the stage, alias or version of it, does not exist. Nothing is"
        " scaled down or deleted; register or promote a version.",
    )
    REGISTRY_UNKNOWN = (
        "RegistryUnknown",
        "The operator was not configured with a registry of this name. Correct"
        " spec.model.registry or the operator's registries.",
    )
    REGISTRY_UNREACHABLE = (
        "RegistryUnreachable",
        "The registry does not answer, or answers nonsense. Serving goes on untouched and the"
        " operator keeps asking.",
    )
    REGISTRY_DENIED = (
        "RegistryDenied",
        "The registry refuses the operator's request (401 or 403). Give the operator access.",
    )
    WAITING_FOR_REGISTRY = (
        "WaitingForRegistry",
        "The registry was not asked yet since the operator started or since the reference changed.",
    )
    # RegistryReachable
    REGISTRY_ANSWERS = ("RegistryAnswers", "The registry answered the last request.")

    # Progressing
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
    PROGRESS_DEADLINE_EXCEEDED = (
        "ProgressDeadlineExceeded",
        "The rollout stood still for progressDeadlineSeconds. Pods of the old version go on"
        " serving; look at the new pods' logs and Events.",
    )
    REPLICA_FAILURE = (
        "ReplicaFailure",
        "Pods cannot be created: a quota, a Pod Security level or another admission rule of the"
        " namespace forbids it.",
    )
    NAME_CONFLICT = (
        "NameConflict",
        "A Deployment, Service or PodDisruptionBudget of this name exists and belongs to somebody"
        " else. It is left alone; rename it or the ModelDeployment.",
    )
    INVALID_SPEC = (
        "InvalidSpec",
        "The spec, or an object made from it, was refused. Correct the field that the message"
        " names.",
    )
    FORBIDDEN = (
        "Forbidden",
        "The operator has no permission for what it must do. Correct its ClusterRole.",
    )
    SUSPENDED = (
        "Suspended",
        "spec.suspend is true: nothing is followed and nothing is changed.",
    )
    NOTHING_RESOLVED = (
        "NothingResolved",
        "There is no version to roll out yet; see the condition Resolved.",
    )

    # Available
    MINIMUM_REPLICAS_AVAILABLE = (
        "MinimumReplicasAvailable",
        "Enough pods are available to serve.",
    )
    MINIMUM_REPLICAS_UNAVAILABLE = (
        "MinimumReplicasUnavailable",
        "Too few pods are available to serve.",
    )

    # Ready
    SERVING_RESOLVED_VERSION = (
        "ServingResolvedVersion",
        "The version that the reference names is served by all pods.",
    )

    # Why pods do not become ready: Available, Ready and status.candidate.lastFailure
    UNSCHEDULABLE = (
        "Unschedulable",
        "No node can take a pod. Make room, or ask for less in spec.serving.resources.",
    )
    IMAGE_PULL_FAILED = (
        "ImagePullFailed",
        "The image of the server cannot be pulled. Correct spec.serving.image or the access to it.",
    )
    CONTAINER_REFUSED = (
        "ContainerRefused",
        "The node cannot create a container of the pod; its message says why.",
    )
    FETCH_FAILED = (
        "FetchFailed",
        "A pod cannot download the model's files. The message is the downloader's last word.",
    )
    OUT_OF_MEMORY = (
        "OutOfMemory",
        "The server used more memory than its limit and was killed. Raise"
        " spec.serving.resources.limits.memory.",
    )
    SERVER_CRASHED = (
        "ServerCrashed",
        "The server ended by itself and is started again. The message is its last word.",
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
    )
    REGISTRY_RESTORED = ("RegistryRestored", "The registry answers again.")
