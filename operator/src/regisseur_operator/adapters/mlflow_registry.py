"""The model registry of an MLflow server, spoken to by REST.

Many models are looked up in one search: it is ten times cheaper for the server than one by one.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar
from urllib.parse import quote_plus

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from regisseur_operator.adapters.mlflow_http import MissingError, MlflowHttp
from regisseur_operator.errors import OperatorError, UnreachableError
from regisseur_operator.ports import EMPTY_RUN, ModelVersion, RegisteredModel, Run

API: Final = "/api/2.0/mlflow"
LONGEST_FILTER: Final = 3800
"""Of an encoded filter: proxies take addresses of 4 kB and more."""

MOST_NAMES: Final = 100
PAGE: Final = 200
MOST_VERSIONS: Final = 5000
"""Of one model; those that changed last come first."""

_Answer = TypeVar("_Answer", bound=BaseModel)


class _Part(BaseModel):
    model_config = ConfigDict(protected_namespaces=(), extra="ignore")


class _Alias(_Part):
    alias: str
    version: int


class _Model(_Part):
    name: str
    last_updated_timestamp: int = 0
    aliases: list[_Alias] = Field(default_factory=list)
    latest_versions: list["_Version"] = Field(default_factory=list)


class _Tag(_Part):
    key: str
    value: str = ""


class _Version(_Part):
    name: str
    version: int
    current_stage: str = "None"
    status: str = "READY"
    run_id: str = ""
    source: str = ""
    model_id: str = ""
    creation_timestamp: int = 0
    tags: list[_Tag] = Field(default_factory=list)


class _Models(_Part):
    registered_models: list[_Model] = Field(default_factory=list)


class _OneModel(_Part):
    registered_model: _Model


class _Versions(_Part):
    model_versions: list[_Version] = Field(default_factory=list)
    next_page_token: str = ""


class _OneVersion(_Part):
    model_version: _Version


class _Location(_Part):
    artifact_uri: str = Field(min_length=1)


class _Metric(_Part):
    key: str
    value: float


class _RunData(_Part):
    metrics: list[_Metric] = Field(default_factory=list)
    tags: list[_Tag] = Field(default_factory=list)


class _Run(_Part):
    data: _RunData = Field(default_factory=_RunData)


class _OneRun(_Part):
    run: _Run


class MlflowRegistry:
    """The port `Registry` over an MLflow server.

    Args:
        url: Base address.
        timeout_seconds: Hard deadline of one call.
        count: Told of each call whether it was `answered` or `failed`.
    """

    def __init__(
        self, url: str, *, timeout_seconds: float, count: Callable[[str], None] = lambda _: None
    ) -> None:
        self._http = MlflowHttp(url, timeout_seconds, count)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    async def search_models(
        self, names: Sequence[str]
    ) -> Mapping[str, RegisteredModel | OperatorError]:
        """Look up many models at once; those that do not exist are missing in the answer.

        A name that no search can spell is looked up alone, and what goes wrong is its own error.
        """
        found: list[_Model] = []
        for batch in split_into_batches(name for name in names if is_plain(name)):
            listed = ",".join(f"'{name}'" for name in batch)
            params = {"filter": f"name IN ({listed})", "max_results": str(len(batch))}
            answer = await self._ask(_Models, "registered-models/search", params)
            found += answer.registered_models
        failed: dict[str, OperatorError] = {}
        for name in names:
            if is_plain(name):
                continue
            try:
                model = await self._get_model(name)
            except OperatorError as error:
                failed[name] = error
            else:
                found += [model] if model else []
        wanted = set(names)  # some databases do not tell upper from lower case
        models = {model.name: _build_model(model) for model in found if model.name in wanted}
        return {**models, **failed}

    async def versions(self, model: str) -> Sequence[ModelVersion]:
        """Return the versions of a model; empty where the model does not exist."""
        quote = "'" if "'" not in model else '"'
        if quote in model:
            return await self._versions_one_by_one(model)
        found: list[_Version] = []
        params = {"filter": f"name={quote}{model}{quote}", "max_results": str(PAGE)}
        while len(found) < MOST_VERSIONS:
            page = await self._ask(_Versions, "model-versions/search", params)
            found += page.model_versions
            if not page.next_page_token or not page.model_versions:
                break
            params["page_token"] = page.next_page_token
        return _build_versions(version for version in found if version.name == model)

    async def artifact_uri(self, model: str, version: int) -> str:
        """Return the storage URI of a version's folder."""
        params = {"name": model, "version": str(version)}
        answer = await self._ask(_Location, "model-versions/get-download-uri", params)
        return answer.artifact_uri

    async def run(self, run_id: str) -> Run:
        """Return what training wrote down; `EMPTY_RUN` where the run is gone."""
        try:
            answer = await self._ask(_OneRun, "runs/get", {"run_id": run_id})
        except MissingError:
            return EMPTY_RUN
        data = answer.run.data
        return Run(
            metrics={metric.key: metric.value for metric in data.metrics},
            tags={tag.key: tag.value for tag in data.tags},
        )

    async def _versions_one_by_one(self, name: str) -> Sequence[ModelVersion]:
        """Read what stages and aliases hold: no filter can spell a name with both quotes."""
        model = await self._get_model(name)
        if model is None:
            return ()
        found = {version.version: version for version in model.latest_versions}
        for number in {alias.version for alias in model.aliases} - found.keys():
            params = {"name": name, "version": str(number)}
            try:
                answer = await self._ask(_OneVersion, "model-versions/get", params)
            except MissingError:
                continue
            found[number] = answer.model_version
        return _build_versions(found.values())

    async def _get_model(self, name: str) -> _Model | None:
        try:
            answer = await self._ask(_OneModel, "registered-models/get", {"name": name})
        except MissingError:
            return None
        return answer.registered_model

    async def _ask(self, shape: type[_Answer], endpoint: str, params: Mapping[str, str]) -> _Answer:
        document: dict[str, Any] = await self._http.get(f"{API}/{endpoint}", params)
        try:
            return shape.model_validate(document)
        except ValidationError as error:
            problem = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(str(part) for part in problem["loc"])
            raise UnreachableError(
                f"{self._http.url} answered nonsense to {endpoint}: {place}: {problem['msg']}"
            ) from None


def is_plain(name: str) -> bool:
    """Tell whether a name can stand between quotes in a list of MLflow's filters."""
    return name.isprintable() and not {"'", '"', "\\"} & set(name)


def split_into_batches(names: Iterable[str]) -> list[list[str]]:
    """Split names so that no request's address becomes too long."""
    batches: list[list[str]] = []
    length = LONGEST_FILTER + 1
    for name in names:
        needed = len(quote_plus(f"'{name}',"))
        if length + needed > LONGEST_FILTER or len(batches[-1]) == MOST_NAMES:
            batches.append([])
            length = 0
        batches[-1].append(name)
        length += needed
    return batches


def _build_model(model: _Model) -> RegisteredModel:
    aliases = {alias.alias: alias.version for alias in model.aliases}
    return RegisteredModel(model.name, model.last_updated_timestamp, aliases)


def _build_versions(versions: Iterable[_Version]) -> Sequence[ModelVersion]:
    by_number = {version.version: version for version in versions}  # pages shift under change
    return [_build_version(by_number[number]) for number in sorted(by_number)]


def _build_version(version: _Version) -> ModelVersion:
    return ModelVersion(
        model=version.name,
        version=version.version,
        stage=version.current_stage,
        status=version.status,
        run_id=version.run_id,
        source=version.source,
        # Searches leave the id of the logged model out; the source is made of it.
        model_id=version.model_id or _read_model_id(version.source),
        created_ms=version.creation_timestamp,
        tags={tag.key: tag.value for tag in version.tags},
    )


def _read_model_id(source: str) -> str:
    model_id = source.removeprefix("models:/")
    return model_id if model_id.startswith("m-") and "/" not in model_id else ""
