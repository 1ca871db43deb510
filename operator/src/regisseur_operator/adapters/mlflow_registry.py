"""The model registry of an MLflow server, spoken to by REST.

Many models are looked up in one search: it is ten times cheaper for the server than one by one.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from regisseur_operator.adapters.mlflow_access import MlflowAccess
from regisseur_operator.adapters.mlflow_answers import (
    Answer,
    FoundModel,
    FoundVersion,
    Location,
    Models,
    OneModel,
    OneRun,
    Versions,
    build_model,
    build_run,
    build_versions,
)
from regisseur_operator.adapters.mlflow_filters import (
    is_plain,
    list_names,
    match_name,
    split_into_batches,
)
from regisseur_operator.adapters.mlflow_http import MissingError, MlflowHttp, TooLargeError
from regisseur_operator.errors import OperatorError, TerminalError, UnreachableError
from regisseur_operator.ports import EMPTY_RUN, ModelVersion, RegisteredModel, Run

API: Final = "/api/2.0/mlflow"
PAGE: Final = 500
"""Versions in one answer; fewer where their tags make it too large."""

MOST_VERSIONS: Final = 5000
"""Of one model; those that changed last come first."""

_Answer = TypeVar("_Answer", bound=Answer)


class MlflowRegistry:
    """The port `Registry` over an MLflow server.

    Args:
        url: Base address.
        access: What it is shown and trusted by; nothing in particular by default.
        timeout_seconds: Hard deadline of one call.
        count: Told of each call whether it was `answered` or `failed`.
    """

    def __init__(
        self,
        url: str,
        *,
        access: MlflowAccess | None = None,
        timeout_seconds: float,
        count: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._http = MlflowHttp(url, access or MlflowAccess(url), timeout_seconds, count)
        self._pages: dict[str, int] = {}  # of the models whose answers were too large

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    async def search_models(
        self, names: Sequence[str]
    ) -> Mapping[str, RegisteredModel | OperatorError]:
        """Look up many models at once; those that do not exist are missing in the answer.

        A name that no search can spell is looked up alone, and what goes wrong is its own error.
        """
        found: list[FoundModel] = []
        for batch in split_into_batches(name for name in names if is_plain(name)):
            params = {"filter": list_names(batch), "max_results": str(len(batch))}
            answer = await self._ask(Models, "registered-models/search", params)
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
        models = {model.name: build_model(model) for model in found if model.name in wanted}
        return {**models, **failed}

    async def versions(self, model: str) -> Sequence[ModelVersion]:
        """Return the versions of a model; empty where the model does not exist.

        Pages are counted off from the start: where a version is deleted while they are read,
        another one falls between two of them. So more than one page is read until nothing moved.
        """
        found, pages = await self._read_pages(model)
        if pages > 1:
            before = {version.version for version in found}
            found, _ = await self._read_pages(model)
            if {version.version for version in found} != before:
                raise UnreachableError(
                    f"the versions of model {model!r} changed while {self._http.url} listed them"
                )
        return build_versions(version for version in found if version.name == model)

    async def _read_pages(self, model: str) -> tuple[list[FoundVersion], int]:
        found: list[FoundVersion] = []
        pages = 0
        token = ""
        while len(found) < MOST_VERSIONS:
            page = await self._read_page(model, token)
            pages += 1
            found += page.model_versions
            token = page.next_page_token
            if not token or not page.model_versions:
                break
        return found, pages

    async def _read_page(self, model: str, token: str) -> Versions:
        """Read the versions from a token on: it counts versions, so that any size of page fits."""
        size = self._pages.get(model, PAGE)
        params = {"filter": match_name(model)}
        if token:
            params["page_token"] = token
        while True:
            params["max_results"] = str(size)
            try:
                page = await self._ask(Versions, "model-versions/search", params)
            except TooLargeError:
                if size == 1:
                    raise
                size //= 2
            else:
                self._remember_size(model, size)
                return page

    def _remember_size(self, model: str, size: int) -> None:
        if size < PAGE:
            self._pages[model] = size

    async def artifact_uri(self, model: str, version: int) -> str:
        """Return the storage URI of a version's folder."""
        params = {"name": model, "version": str(version)}
        answer = await self._ask(Location, "model-versions/get-download-uri", params)
        return answer.artifact_uri

    async def run(self, run_id: str) -> Run:
        """Return what training wrote down; `EMPTY_RUN` where the run is gone."""
        try:
            return build_run(await self._ask(OneRun, "runs/get", {"run_id": run_id}))
        except MissingError:
            return EMPTY_RUN
        except TerminalError as error:
            hint = "let the operator read the run's experiment as well"
            raise TerminalError(error.reason, f"run {run_id}: {error}; {hint}") from None

    async def _get_model(self, name: str) -> FoundModel | None:
        try:
            answer = await self._ask(OneModel, "registered-models/get", {"name": name})
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
