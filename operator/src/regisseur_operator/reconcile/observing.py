"""Reads everything that a decision may look at; no call leaves the process."""

from typing import Final

from regisseur_operator.api.status import parse_status
from regisseur_operator.api.v1alpha1 import ModelDeploymentSpec
from regisseur_operator.core.identity import Key, Manifest
from regisseur_operator.core.observed import (
    Child,
    Configuration,
    Observed,
    build_reference,
    find_controller,
    observe_deployment,
)
from regisseur_operator.core.pods import observe_pod
from regisseur_operator.core.registry import RegistryAnswer, RegistryHealth
from regisseur_operator.ports import Clock, ClusterView, RegistryView
from regisseur_operator.resources import DEPLOYMENT, OWNED_KINDS, POD

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
        clock: Clock,
        configuration: Configuration,
    ) -> None:
        self._view = view
        self._registries = registries
        self._clock = clock
        self._configuration = configuration

    def observe(self, key: Key, manifest: Manifest, spec: ModelDeploymentSpec) -> Observed:
        """Read the world around a ModelDeployment."""
        children = self._observe_children(key, manifest["metadata"]["uid"])
        deployment = next((c.manifest for c in children if c.kind == DEPLOYMENT), None)
        answer = NOT_ASKED if spec.suspend else self._registries.answer(build_reference(spec))
        return Observed(
            key=key,
            uid=manifest["metadata"]["uid"],
            generation=manifest["metadata"].get("generation", 0),
            spec=spec,
            status=parse_status(manifest),
            children=children,
            deployment=observe_deployment(deployment) if deployment is not None else None,
            pods=[observe_pod(pod) for pod in self._view.children(key, POD)],
            answer=answer,
            configuration=self._configuration,
            now=self._clock.now(),
        )

    def _observe_children(self, key: Key, uid: str) -> list[Child]:
        return [
            Child(kind, manifest)
            for kind in OWNED_KINDS
            for manifest in self._view.children(key, kind)
            if manifest["metadata"]["name"] == key.name
            and find_controller(manifest).get("uid") == uid
        ]
