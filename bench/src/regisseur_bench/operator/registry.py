"""A stub of MLflow's registry: it speaks the endpoints that the operator uses, from memory.

It stands in for MLflow because MLflow itself needs more of the machine than what is measured. It
notes when the answers about each model were sent.
"""

import json
import re
import time
from types import TracebackType
from typing import Any, Final, Self

from aiohttp import web

API: Final = "/api/2.0/mlflow"
FIRST_MODEL: Final = "model-0000"
_NAMES: Final = re.compile(r"'([^']*)'")


class StubRegistry:
    """Models whose last version is in Production.

    Args:
        versions: How many versions each model has at first.

    Attributes:
        url: Where it answers.
        calls: How many requests it has answered.
        ticks: How often it was asked for the first of all models: once with every poll.
        answered: When the last answer about each model was sent, in seconds of the epoch.
        searched: When each answer of a search for models was sent.
    """

    def __init__(self, versions: int = 1) -> None:
        self._first = versions
        self._held: dict[str, int] = {}
        self._moved: dict[str, int] = {}
        self._runner: web.AppRunner | None = None
        self.url = ""
        self.calls = 0
        self.ticks = 0
        self.answered: dict[str, float] = {}
        self.searched: list[float] = []

    async def __aenter__(self) -> Self:
        routes = web.Application()
        routes.router.add_get(f"{API}/registered-models/search", self._search_models)
        routes.router.add_get(f"{API}/model-versions/search", self._search_versions)
        routes.router.add_get(f"{API}/model-versions/get-download-uri", self._locate)
        routes.router.add_get(f"{API}/runs/get", self._get_run)
        self._runner = web.AppRunner(routes, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def holder(self, model: str) -> int:
        """Return the version of a model that holds Production."""
        return self._held.get(model, self._first)

    def move(self, model: str) -> int:
        """Move Production to a new version of a model and return its number."""
        self._held[model] = self.holder(model) + 1
        self._moved[model] = self._moved.get(model, 1) + 1
        return self._held[model]

    async def _search_models(self, request: web.Request) -> web.StreamResponse:
        names = _NAMES.findall(request.query["filter"])
        self.ticks += FIRST_MODEL in names
        found = [self._show_model(name) for name in names]
        answer = await self._answer(request, {"registered_models": found})
        self.searched.append(time.time())
        return answer

    async def _search_versions(self, request: web.Request) -> web.StreamResponse:
        (name,) = _NAMES.findall(request.query["filter"])
        numbers = range(self.holder(name), 0, -1)
        found = [self._show_version(name, number) for number in numbers]
        return await self._answer(request, {"model_versions": found}, name)

    async def _locate(self, request: web.Request) -> web.StreamResponse:
        name, number = request.query["name"], request.query["version"]
        location = {"artifact_uri": f"s3://models/{name}/{number}"}
        return await self._answer(request, location, name)

    async def _get_run(self, request: web.Request) -> web.StreamResponse:
        run_id = request.query["run_id"]
        run: dict[str, Any] = {"run": {"data": {"metrics": [], "tags": []}}}
        return await self._answer(request, run, run_id.removeprefix("run-"))

    async def _answer(
        self, request: web.Request, document: dict[str, Any], model: str = ""
    ) -> web.StreamResponse:
        body = json.dumps(document).encode()
        response = web.Response(body=body, content_type="application/json")
        await response.prepare(request)
        await response.write_eof()
        self.calls += 1
        if model:
            self.answered[model] = time.time()
        return response

    def _show_model(self, name: str) -> dict[str, Any]:
        moved = self._moved.get(name, 1)
        return {"name": name, "creation_timestamp": 1, "last_updated_timestamp": moved}

    def _show_version(self, name: str, number: int) -> dict[str, Any]:
        return {
            "name": name,
            "version": str(number),
            "current_stage": "Production" if number == self.holder(name) else "Archived",
            "status": "READY",
            "run_id": f"run-{name}",
            "source": f"models:/m-{name}-{number}",
            "creation_timestamp": number,
        }
