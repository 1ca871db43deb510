"""Everything a decision may look at, frozen at one moment.

Reading it together once keeps decisions pure: the same `Observed` gives the same plan.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from regisseur_contract.names import (
    ANNOTATION_RESTART,
    ANNOTATION_RETRY,
    API_GROUP_VERSION,
    KIND,
)
from regisseur_operator.api.status import Handled, ModelDeploymentStatus
from regisseur_operator.api.v1alpha1 import ModelDeploymentSpec
from regisseur_operator.core.autoscaling import AutoscalerFacts, wanted_replicas
from regisseur_operator.core.identity import Key, Kind, Manifest
from regisseur_operator.core.pods import PodFacts, RehearsalPod
from regisseur_operator.core.policy import RegistryPolicy
from regisseur_operator.core.registry import Reference, RegistryAnswer
from regisseur_operator.core.roll import Roll, parse_roll
from regisseur_operator.core.turns import ALL_TURNS, Turn

CONTROLLER_REVISION: Final = "ControllerRevision"

LONGEST_TOKEN: Final = 63
"""Of a verb; the rest of it is not looked at."""


_ALLOWS_ALL: Final = RegistryPolicy()


@dataclass(frozen=True)
class Configuration:
    """What the person who runs the operator decided.

    Attributes:
        default_image: Image of the model server where a spec names none.
        registry_urls: Address by name of the registry.
        workspaces: The workspace that is meant there, by name of the registry; or empty.
        policies: What is allowed, by name of the registry; everything where there is none.
    """

    default_image: str
    registry_urls: Mapping[str, str]
    workspaces: Mapping[str, str] = field(default_factory=dict)
    policies: Mapping[str, RegistryPolicy] = field(default_factory=dict)

    def policy(self, registry: str) -> RegistryPolicy:
        """Return what is allowed of a registry."""
        return self.policies.get(registry, _ALLOWS_ALL)


@dataclass(frozen=True)
class Verbs:
    """What a person asked for by annotations; a verb is new while its token is not yet handled."""

    retry: str = ""
    restart: str = ""


@dataclass(frozen=True)
class DeploymentFacts:
    """What the Deployment controller says, and the roll that our last apply wrote.

    Attributes:
        is_current: Whether the status speaks of the present spec; no number counts before.
        completed_at: When its controller last saw a rollout through.
    """

    uid: str
    is_current: bool
    wanted: int
    existing: int
    updated: int
    available: int
    conditions: Mapping[str, Mapping[str, Any]]
    roll: Roll | None
    completed_at: datetime | None

    @property
    def is_rolled_out(self) -> bool:
        """Whether all pods are of the present template and available, and no others exist."""
        counts = {self.existing, self.updated, self.available}
        return self.is_current and counts == {self.wanted}

    @property
    def is_past_deadline(self) -> bool:
        """Whether its controller has seen no progress for progressDeadlineSeconds."""
        return self.is_current and self.conditions.get("Progressing", {}).get("status") == "False"

    @property
    def is_complete(self) -> bool:
        """Whether its rollout is: without a pod that ran, nothing is known of what it brings."""
        return self.is_rolled_out and self.wanted > 0


@dataclass(frozen=True)
class Child:
    """A live object of the ModelDeployment."""

    kind: Kind
    manifest: Manifest

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.manifest["metadata"]["name"])

    @property
    def is_terminating(self) -> bool:
        """Whether it is being deleted; writing to it is in vain."""
        return self.manifest["metadata"].get("deletionTimestamp") is not None


@dataclass(frozen=True)
class Observed:
    """A ModelDeployment, its children and the registry's word, at one moment.

    Attributes:
        children: Those that this ModelDeployment controls; pods are apart.
        pods: All that the Service sends requests to, whoever made them.
        revisions: The rolls that can be brought back, ascending.
        strays: Names of the pods that the Service sends requests to and nobody here made.
        turns: What may begin now, given what is under way elsewhere.
    """

    key: Key
    uid: str
    generation: int
    spec: ModelDeploymentSpec
    status: ModelDeploymentStatus
    children: Sequence[Child]
    deployment: DeploymentFacts | None
    pods: Sequence[PodFacts]
    answer: RegistryAnswer | None
    configuration: Configuration
    now: datetime
    verbs: Verbs = Verbs()
    revisions: Sequence[Roll] = ()
    rehearsal_pod: RehearsalPod | None = None
    autoscaler: AutoscalerFacts | None = None
    strays: Sequence[str] = ()
    turns: frozenset[Turn] = ALL_TURNS

    @property
    def live_roll(self) -> Roll | None:
        """The roll that the Deployment carries, whole and however old."""
        return self.deployment.roll if self.deployment is not None else None

    @property
    def saved_numbers(self) -> Sequence[int]:
        """The numbers of all saved rolls, also of those that cannot be read."""
        saved = (child for child in self.children if child.kind.kind == CONTROLLER_REVISION)
        return [int(child.manifest.get("revision") or 0) for child in saved]

    @property
    def wanted_replicas(self) -> int:
        """How many serving pods there are to be."""
        live = self.deployment.wanted if self.deployment is not None else None
        return wanted_replicas(self.spec, self.autoscaler, live)

    @property
    def handled(self) -> Handled:
        """The verbs that were acted on; a status that was lost makes no new wish of an old one."""
        is_lost = self.status.observed_generation is None and self.live_roll is not None
        if is_lost:
            return Handled(restart=self.verbs.restart)
        return self.status.handled or Handled()

    @property
    def is_retried(self) -> bool:
        """Whether a person asked for another try and was not heard yet."""
        return bool(self.verbs.retry) and self.verbs.retry != self.handled.retry

    @property
    def is_restarted(self) -> bool:
        """Whether a person asked for other pods and was not heard yet."""
        return bool(self.verbs.restart) and self.verbs.restart != self.handled.restart

    @property
    def owner_reference(self) -> Manifest:
        """What makes an object a child of this ModelDeployment."""
        return {
            "apiVersion": API_GROUP_VERSION,
            "kind": KIND,
            "name": self.key.name,
            "uid": self.uid,
            "controller": True,
            "blockOwnerDeletion": True,
        }


def find_breach(configuration: Configuration, key: Key, reference: Reference) -> str:
    """Say what the policy of a registry has against a reference; empty where it allows it."""
    policy = configuration.policy(reference.registry)
    return policy.find_breach(key.namespace, reference.model)


def build_reference(spec: ModelDeploymentSpec) -> Reference:
    """Return what the spec follows."""
    model = spec.model
    return Reference(model.registry, model.name, model.stage, model.alias, model.version)


def observe_verbs(manifest: Manifest) -> Verbs:
    """Read what a person asked for."""
    annotations = manifest["metadata"].get("annotations") or {}
    return Verbs(
        retry=annotations.get(ANNOTATION_RETRY, "")[:LONGEST_TOKEN],
        restart=annotations.get(ANNOTATION_RESTART, "")[:LONGEST_TOKEN],
    )


def find_controller(manifest: Manifest) -> Mapping[str, Any]:
    """Return the ownerReference of the object's controller, empty where there is none."""
    owners = manifest["metadata"].get("ownerReferences") or ()
    return next((owner for owner in owners if owner.get("controller")), {})


def observe_deployment(manifest: Manifest) -> DeploymentFacts:
    """Read a Deployment."""
    metadata, spec = manifest["metadata"], manifest.get("spec") or {}
    status = manifest.get("status") or {}
    conditions = {entry["type"]: entry for entry in status.get("conditions") or ()}
    return DeploymentFacts(
        uid=metadata["uid"],
        is_current=status.get("observedGeneration", 0) >= metadata.get("generation", 0),
        wanted=spec.get("replicas", 1),
        existing=status.get("replicas", 0),
        updated=status.get("updatedReplicas", 0),
        available=status.get("availableReplicas", 0),
        conditions=conditions,
        roll=parse_roll(metadata.get("annotations") or {}),
        completed_at=_observe_completion(conditions.get("Progressing", {})),
    )


def _observe_completion(progressing: Mapping[str, Any]) -> datetime | None:
    if progressing.get("reason") != "NewReplicaSetAvailable" or not progressing.get(
        "lastUpdateTime"
    ):
        return None
    return datetime.fromisoformat(progressing["lastUpdateTime"])
