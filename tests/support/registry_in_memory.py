"""A model registry in memory that counts what it is asked; for tests of who asks."""

from collections import Counter
from collections.abc import Mapping, Sequence

from regisseur_operator.errors import OperatorError
from regisseur_operator.ports import ModelVersion, RegisteredModel


class RegistryInMemory:
    """The port `Registry`.

    Attributes:
        calls: How often each method was called.
        fault: What every call ends in, if anything.
        model_faults: What reading the versions of a model ends in.
        search_faults: What looking a model up alone ends in.
        uri_faults: What asking for the address of a model's version ends in.
    """

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.searched: list[list[str]] = []
        self.fault: OperatorError | None = None
        self.model_faults: dict[str, OperatorError] = {}
        self.search_faults: dict[str, OperatorError] = {}
        self.uri_faults: dict[tuple[str, int], OperatorError] = {}
        self._models: dict[str, RegisteredModel] = {}
        self._versions: dict[str, dict[int, ModelVersion]] = {}
        self._clock = 0

    # ---- what people do ----

    def add_version(self, model: str, *, stage: str = "None") -> int:
        """Register a version."""
        versions = self._versions.setdefault(model, {})
        number = len(versions) + 1
        versions[number] = ModelVersion(model, number, stage, "READY", "run", f"models:/m-{number}")
        self._touch(model)
        return number

    def transition(self, model: str, version: int, stage: str, *, is_seen: bool = True) -> None:
        """Move a version; unseen in the time stamp when it happens in the same millisecond."""
        before = self._versions[model][version]
        self._versions[model][version] = ModelVersion(
            model, version, stage, before.status, before.run_id, before.source
        )
        if is_seen:
            self._touch(model)

    def set_alias(self, model: str, alias: str, version: int) -> None:
        """Point an alias at a version; no time stamp moves."""
        known = self._models[model]
        aliases = {**known.aliases, alias: version}
        self._models[model] = RegisteredModel(model, known.updated_ms, aliases)

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

    def _count(self, method: str) -> None:
        self.calls[method] += 1
        if self.fault is not None:
            raise self.fault
