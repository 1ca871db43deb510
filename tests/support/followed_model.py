"""One model of a real registry, as a ModelDeployment that follows it sees it.

The door to MLflow, the watcher and the decision are the operator's own; only the ticks are ours,
so that a test says when the operator looks.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from regisseur_operator.adapters.mlflow_registry import MlflowRegistry
from regisseur_operator.api.status import ConditionType, ModelDeploymentStatus, Resolved
from regisseur_operator.api.v1alpha1 import parse_spec
from regisseur_operator.core.conditions import to_conditions
from regisseur_operator.core.observed import (
    Configuration,
    Observed,
    build_reference,
    observe_deployment,
)
from regisseur_operator.core.resolution import Resolution, resolve
from regisseur_operator.ports import Key
from regisseur_operator.runtime.registries import Registries
from regisseur_operator.runtime.registry_watcher import RegistryWatcher
from regisseur_operator.telemetry import Metrics

KEY = Key("ml", "wine")
START = datetime(2026, 1, 1, tzinfo=UTC)
GENERATION = 1

SERVING = observe_deployment({"metadata": {"name": KEY.name, "uid": "uid"}})


class _Clock:
    """The port `Clock`, moved by hand."""

    def __init__(self) -> None:
        self.moment = START

    def now(self) -> datetime:
        """The time."""
        return self.moment


class FollowedModel:
    """What one ModelDeployment knows of the model that it follows.

    Attributes:
        model: `spec.model`; may be changed as a person does.
        status: What the operator remembers.
        woken: How often the watcher said that something changed.
    """

    def __init__(self, registry: MlflowRegistry, model: dict[str, Any]) -> None:
        self._registry = registry
        self._clock = _Clock()
        self.model = model
        self.status = ModelDeploymentStatus()
        self.woken: list[Key] = []
        self.restart_operator()

    def restart_operator(self) -> None:
        """Forget all but the status."""
        self._watcher = RegistryWatcher(
            "default",
            self._registry,
            interval_seconds=5.0,
            wake=self.woken.append,
            clock=self._clock,
            metrics=Metrics(),
        )
        self._registries = Registries({"default": self._watcher})

    def watch_closely(self, *, is_close: bool) -> None:
        """Look at tags and metrics with every tick, or no longer."""
        self._registries.watch_closely(KEY, is_close=is_close)

    async def look(self, ticks: int = 2) -> Resolution:
        """Let the watcher tick and resolve the reference; remember what came of it.

        Two ticks see everything: two moves in one millisecond are told apart by the second.
        """
        resolution = None
        for _ in range(ticks):
            self._clock.moment += timedelta(seconds=5)
            self._registries.follow(KEY, build_reference(parse_spec(self._manifest)))
            await self._watcher.look({self.model["name"]})
            resolution = self._resolve()
        assert resolution is not None
        return resolution

    async def follow(self) -> Resolved:
        """Look, and expect the reference to name a version."""
        resolution = await self.look()
        assert resolution.is_fresh, resolution.verdict
        assert resolution.resolved is not None
        return resolution.resolved

    async def rest(self) -> None:
        """Expect that nothing moves: nobody is woken and nothing else is remembered."""
        before = self.status.resolved
        self.woken.clear()
        resolution = await self.look(ticks=3)
        assert resolution.resolved == before
        assert self.woken == []

    @property
    def _manifest(self) -> dict[str, Any]:
        return {"spec": {"model": self.model}}

    def _resolve(self) -> Resolution:
        spec = parse_spec(self._manifest)
        resolved_before = self.status.resolved
        resolution = resolve(
            Observed(
                key=KEY,
                uid="uid",
                generation=GENERATION,
                spec=spec,
                status=self.status,
                children=(),
                deployment=SERVING if resolved_before is not None else None,
                pods=(),
                answer=self._registries.answer(build_reference(spec)),
                configuration=Configuration("serving:v1", {"default": "http://mlflow:5000"}),
                now=self._clock.now(),
            )
        )
        verdicts = {
            ConditionType.RESOLVED: resolution.verdict,
            ConditionType.REGISTRY_REACHABLE: resolution.reachable,
        }
        self.status = ModelDeploymentStatus(
            resolved=resolution.resolved,
            conditions=to_conditions(verdicts, self.status, GENERATION, self._clock.now()),
        )
        return resolution


@asynccontextmanager
async def followed(url: str, name: str, **reference: str | int) -> AsyncIterator[FollowedModel]:
    """Follow a model of a real registry, its stage Production by default."""
    registry = MlflowRegistry(url, timeout_seconds=10.0)
    wanted = reference or {"stage": "Production"}
    try:
        yield FollowedModel(registry, {"name": name, **wanted})
    finally:
        await registry.close()
