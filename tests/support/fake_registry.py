"""A model registry in memory, as its watcher shows it to reconciles."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from regisseur_operator.ports import (
    EMPTY_RUN,
    Key,
    ModelVersion,
    Reference,
    RegistryAnswer,
    RegistryHealth,
    Run,
)

UNREACHABLE = "connection refused"


@dataclass
class FakeRegistry:
    """The port RegistryView over models kept here.

    Attributes:
        known: False as long as the watcher has not asked yet.
        deleted: How often a model of this name was deleted.
        hidden_files: Versions whose files are somewhere unknown.
        hidden_runs: Versions whose run could not be read yet.
        closely_watched: Who asked for every tick to look at tags and metrics.
        names: Registries that the operator was configured with.
    """

    versions: dict[tuple[str, int], ModelVersion] = field(default_factory=dict)
    aliases: dict[tuple[str, str], int] = field(default_factory=dict)
    runs: dict[tuple[str, int], Run] = field(default_factory=dict)
    deleted: Counter[str] = field(default_factory=Counter)
    hidden_files: set[int] = field(default_factory=set)
    hidden_runs: set[int] = field(default_factory=set)
    followed: dict[Key, Reference] = field(default_factory=dict)
    closely_watched: set[Key] = field(default_factory=set)
    health: RegistryHealth = field(default_factory=lambda: RegistryHealth(ever_answered=True))
    known: bool = True
    names: frozenset[str] = frozenset({"default"})

    # ---- the port ------------------------------------------------------------------------------

    def follow(self, key: Key, reference: Reference) -> None:
        """Take note of who follows what."""
        self.followed[key] = reference

    def forget(self, key: Key) -> None:
        """Take note of who follows no longer."""
        self.followed.pop(key, None)
        self.closely_watched.discard(key)

    def watch_closely(self, key: Key, *, is_close: bool) -> None:
        """Take note of who looks closely."""
        if is_close:
            self.closely_watched.add(key)
        else:
            self.closely_watched.discard(key)

    def answer(self, reference: Reference) -> RegistryAnswer | None:
        """Look the reference up."""
        if reference.registry not in self.names:
            return None
        if not self.known:
            return RegistryAnswer(known=False, model_exists=False, holders=(), health=self.health)
        of_model = [v for (name, _), v in sorted(self.versions.items()) if name == reference.model]
        holders = tuple(version for version in of_model if self._holds(version, reference))
        shown = [holder.version for holder in holders if holder.version not in self.hidden_files]
        return RegistryAnswer(
            known=True,
            model_exists=bool(of_model),
            holders=holders,
            health=self.health,
            artifact_uris={
                version: f"mlflow-artifacts:/1/models/{self._id(reference.model, version)}"
                for version in shown
            },
            runs={
                holder.version: self.runs.get((reference.model, holder.version), EMPTY_RUN)
                for holder in holders
                if holder.version not in self.hidden_runs
            },
            model_created_ms=1_000 + self.deleted[reference.model] if of_model else 0,
        )

    def _id(self, model: str, version: int) -> str:
        return self.versions[model, version].model_id

    def _holds(self, version: ModelVersion, reference: Reference) -> bool:
        if reference.stage is not None:
            return version.stage.casefold() == reference.stage.casefold()
        if reference.alias is not None:
            return self.aliases.get((version.model, reference.alias)) == version.version
        return version.version == reference.version

    # ---- what people do ------------------------------------------------------------------------

    def register(
        self,
        version: int,
        *,
        model: str = "wine",
        status: str = "READY",
        tags: Mapping[str, str] | None = None,
        metrics: Mapping[str, float] | None = None,
        run_tags: Mapping[str, str] | None = None,
        model_id: str = "",
    ) -> None:
        """Register a version in no stage, with the run that made it."""
        model_id = model_id or f"m-{version}"
        self.runs[model, version] = Run(metrics=dict(metrics or {}), tags=dict(run_tags or {}))
        self.versions[model, version] = ModelVersion(
            model=model,
            version=version,
            stage="None",
            status=status,
            run_id=f"run-{version}",
            source=f"models:/{model_id}",
            model_id=model_id,
            tags=dict(tags or {}),
        )

    def set_tag(self, version: int, key: str, value: str, *, model: str = "wine") -> None:
        """Set a tag of a version."""
        held = self.versions[model, version]
        self.versions[model, version] = replace(held, tags={**held.tags, key: value})

    def set_metric(self, version: int, name: str, value: float, *, model: str = "wine") -> None:
        """Log a metric to the run of a version."""
        run = self.runs[model, version]
        self.runs[model, version] = replace(run, metrics={**run.metrics, name: value})

    def delete_version(self, version: int, *, model: str = "wine") -> None:
        """Delete a version; its aliases go silently."""
        del self.versions[model, version]
        self.runs.pop((model, version), None)
        self.aliases = {
            at: number for at, number in self.aliases.items() if (at[0], number) != (model, version)
        }

    def delete_model(self, model: str = "wine") -> None:
        """Delete a model with all it has; the next one of that name starts at version 1."""
        for name, version in list(self.versions):
            if name == model:
                self.delete_version(version, model=model)
        self.deleted[model] += 1

    def promote(self, version: int, *, model: str = "wine", archive: bool = True) -> None:
        """Move a version to Production, and those there to Archived."""
        if (model, version) not in self.versions:
            self.register(version, model=model)
        for at, held in list(self.versions.items()):
            if archive and at[0] == model and held.stage == "Production":
                self.move(at[1], "Archived", model=model)
        self.move(version, "Production", model=model)

    def move(self, version: int, stage: str, *, model: str = "wine") -> None:
        """Move a version to a stage."""
        self.versions[model, version] = replace(self.versions[model, version], stage=stage)

    def fail(self, since: datetime, message: str = UNREACHABLE, *, denied: bool = False) -> None:
        """Answer no more; what was known stays known."""
        self.health = replace(self.health, failing_since=since, message=message, denied=denied)

    def recover(self) -> None:
        """Answer again."""
        self.health = RegistryHealth(ever_answered=True)
        self.known = True

    def answer_again(self) -> None:
        """Be asked for the first time by an operator that has just started."""
        if self.health.failing_since is None:
            self.recover()

    def restart_watcher(self) -> None:
        """Forget what was known, as a restart of the operator does."""
        self.known = False
        self.health = replace(self.health, ever_answered=False)
