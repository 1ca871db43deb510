"""A model registry in memory that counts what it is asked; for tests of who asks."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from regisseur_operator.errors import OperatorError
from regisseur_operator.ports import EMPTY_RUN, ModelVersion, RegisteredModel, Run


class RegistryInMemory:
    """The port `Registry`.

    Attributes:
        calls: How often each method was called.
        fault: What every call ends in, if anything.
        model_faults: What reading the versions of a model ends in.
        search_faults: What looking a model up alone ends in.
        uri_faults: What asking for the address of a model's version ends in.
        run_faults: What asking for a run ends in.
        runs: What was written down, by run.
    """

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.searched: list[list[str]] = []
        self.fault: OperatorError | None = None
        self.model_faults: dict[str, OperatorError] = {}
        self.search_faults: dict[str, OperatorError] = {}
        self.uri_faults: dict[tuple[str, int], OperatorError] = {}
        self.run_faults: dict[str, OperatorError] = {}
        self.runs: dict[str, Run] = {}
        self._models: dict[str, RegisteredModel] = {}
        self._versions: dict[str, dict[int, ModelVersion]] = {}
        self._clock = 0

    # ---- what people do ----

    def add_version(self, model: str, *, stage: str = "None") -> int:
        """Register a version."""
        versions = self._versions.setdefault(model, {})
        number = len(versions) + 1
        run_id = f"{model}-run-{number}"
        versions[number] = ModelVersion(
            model, number, stage, "READY", run_id, f"models:/m-{number}"
        )
        self.runs[run_id] = EMPTY_RUN
        self._touch(model)
        return number

    def transition(self, model: str, version: int, stage: str, *, is_seen: bool = True) -> None:
        """Move a version; unseen in the time stamp when it happens in the same millisecond."""
        before = self._versions[model][version]
        self._versions[model][version] = replace(before, stage=stage)
        if is_seen:
            self._touch(model)

    def set_alias(self, model: str, alias: str, version: int) -> None:
        """Point an alias at a version; no time stamp moves."""
        known = self._models[model]
        aliases = {**known.aliases, alias: version}
        self._models[model] = RegisteredModel(model, known.updated_ms, aliases)

    def set_tag(self, model: str, version: int, key: str, value: str) -> None:
        """Set a tag of a version; no time stamp moves."""
        before = self._versions[model][version]
        tags = {**before.tags, key: value}
        self._versions[model][version] = replace(before, tags=tags)

    def log_metric(self, model: str, version: int, name: str, value: float) -> None:
        """Log a metric to the run of a version; no time stamp moves."""
        run_id = self._versions[model][version].run_id
        before = self.runs[run_id]
        self.runs[run_id] = replace(before, metrics={**before.metrics, name: value})

    def forget_run(self, model: str, version: int) -> None:
        """Do what a version looks like that was registered without a run."""
        before = self._versions[model][version]
        self._versions[model][version] = replace(before, run_id="")

    def delete_model(self, model: str) -> None:
        """Take a model away."""
        del self._models[model]
        del self._versions[model]

    def _touch(self, model: str) -> None:
        self._clock += 1
        known = self._models.get(model)
        self._models[model] = RegisteredModel(model, self._clock, known.aliases if known else {})

    # ---- the port ----

    async def search_models(
        self, names: Sequence[str]
    ) -> Mapping[str, RegisteredModel | OperatorError]:
        """Look up many models at once."""
        self._count("search_models")
        self.searched.append(list(names))
        found = {name: self._models[name] for name in names if name in self._models}
        return {**found, **self.search_faults}

    async def versions(self, model: str) -> Sequence[ModelVersion]:
        """All versions of a model."""
        self._count("versions")
        if model in self.model_faults:
            raise self.model_faults[model]
        found = self._versions.get(model, {})
        return [found[number] for number in sorted(found)]

    async def artifact_uri(self, model: str, version: int) -> str:
        """Storage URI of a version."""
        self._count("artifact_uri")
        if (model, version) in self.uri_faults:
            raise self.uri_faults[model, version]
        return f"mlflow-artifacts:/{model}/{version}"

    async def run(self, run_id: str) -> Run:
        """What training wrote down."""
        self._count("run")
        if run_id in self.run_faults:
            raise self.run_faults[run_id]
        return self.runs.get(run_id, EMPTY_RUN)

    def _count(self, method: str) -> None:
        self.calls[method] += 1
        if self.fault is not None:
            raise self.fault
