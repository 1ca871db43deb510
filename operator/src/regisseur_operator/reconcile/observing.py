"""Reads everything that a decision may look at; no call leaves the process."""

from typing import Final

from regisseur_operator.api.status import parse_status
from regisseur_operator.api.v1alpha1 import ModelDeploymentSpec
from regisseur_operator.core.autoscaling import AutoscalerFacts, observe_autoscaler
from regisseur_operator.core.identity import Key, Manifest
from regisseur_operator.core.observed import (
    Child,
    Configuration,
    Observed,
    build_reference,
    find_controller,
    observe_deployment,
    observe_verbs,
)
from regisseur_operator.core.pods import RehearsalPod, observe_pod, observe_rehearsal_pod
from regisseur_operator.core.registry import RegistryAnswer, RegistryHealth
from regisseur_operator.core.roll import Roll, parse_revision
from regisseur_operator.core.strays import find_strays
from regisseur_operator.ports import Clock, ClusterView, RegistryView, Turns
from regisseur_operator.resources import (
    AUTOSCALER,
    CONTROLLER_REVISION,
    DEPLOYMENT,
    OWNED_KINDS,
    POD,
    REPLICA_SET,
)

NOT_ASKED: Final = RegistryAnswer(
    known=False, model_exists=False, holders=(), health=RegistryHealth()
)
"""What is known of a registry that is not followed."""


class Observer:
    """Puts the informers' caches, the registry's last word and the time together."""

    def __init__(
        self,
        *,
        view: ClusterView,
        registries: RegistryView,
        turns: Turns,
        clock: Clock,
        configuration: Configuration,
    ) -> None:
        self._view = view
        self._registries = registries
        self._turns = turns
        self._clock = clock
        self._configuration = configuration

    def observe(self, key: Key, manifest: Manifest, spec: ModelDeploymentSpec) -> Observed:
        """Read the world around a ModelDeployment."""
        uid = manifest["metadata"]["uid"]
        children = self._observe_children(key, uid)
        deployment = next((c.manifest for c in children if c.kind == DEPLOYMENT), None)
        pods = [observe_pod(pod) for pod in self._view.children(key, POD)]
        deployment_uid = deployment["metadata"]["uid"] if deployment is not None else None
        answer = NOT_ASKED if spec.suspend else self._registries.answer(build_reference(spec))
        return Observed(
            key=key,
            uid=uid,
            generation=manifest["metadata"].get("generation", 0),
            spec=spec,
            status=parse_status(manifest),
            children=children,
            deployment=observe_deployment(deployment) if deployment is not None else None,
            pods=pods,
            answer=answer,
            configuration=self._configuration,
            now=self._clock.now(),
            verbs=observe_verbs(manifest),
            revisions=_observe_revisions(children),
            rehearsal_pod=self._observe_rehearsal_pod(key, uid),
            autoscaler=_observe_autoscaler(children),
            strays=find_strays(pods, self._find_owners(key), deployment_uid),
            turns=self._turns.offer(key),
        )

    def _observe_children(self, key: Key, uid: str) -> list[Child]:
        return [
            Child(kind, manifest)
            for kind in OWNED_KINDS
            for manifest in self._view.children(key, kind)
            if (manifest["metadata"]["name"] == key.name or kind == CONTROLLER_REVISION)
            and find_controller(manifest).get("uid") == uid
        ]

    def _observe_rehearsal_pod(self, key: Key, uid: str) -> RehearsalPod | None:
        pods = self._view.rehearsal_pods(key)
        ours = (pod for pod in pods if find_controller(pod).get("uid") == uid)
        return next((observe_rehearsal_pod(pod) for pod in ours), None)

    def _find_owners(self, key: Key) -> dict[str, str]:
        """Return who controls which ReplicaSet, by uid."""
        return {
            manifest["metadata"]["uid"]: str(find_controller(manifest).get("uid", ""))
            for manifest in self._view.children(key, REPLICA_SET)
        }


def _observe_revisions(children: list[Child]) -> list[Roll]:
    found = (parse_revision(c.manifest) for c in children if c.kind == CONTROLLER_REVISION)
    return sorted((roll for roll in found if roll is not None), key=lambda roll: roll.revision)


def _observe_autoscaler(children: list[Child]) -> AutoscalerFacts | None:
    found = (c.manifest for c in children if c.kind == AUTOSCALER)
    return next((observe_autoscaler(manifest) for manifest in found), None)
