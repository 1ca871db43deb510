"""The routes beside prediction: health, and what is served."""

from datetime import datetime
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, HTTPException, Response
from pydantic import BaseModel, ConfigDict, Field

from regisseur_contract.engines import Engine
from regisseur_contract.http import (
    ROUTE_LIVE,
    ROUTE_MODEL,
    ROUTE_PING,
    ROUTE_READY,
    ROUTE_VERSION,
)
from regisseur_serving.api.explain import why_not
from regisseur_serving.api.lifecycle import Lifecycle, Phase
from regisseur_serving.ports.explainer import Explainer

VERSION = version("regisseur-serving")


class Health(BaseModel):
    """Answer of the health routes."""

    status: str = Field(description="`alive`, or the phase: `loading`, `ready`, `draining`.")


class ModelDescription(BaseModel):
    """Answer of `/model`."""

    model_config = ConfigDict(protected_namespaces=())

    name: str = Field(description="Name of the registered model.")
    version: str = Field(description="Version of the registered model.")
    run_id: str = Field(description="MLflow run that made it; empty if none did.")
    model_id: str = Field(description="MLflow's id of the logged model; empty if it has none.")
    flavor: str = Field(description="MLflow flavor that is served.")
    sklearn_version: str = Field(description="scikit-learn version that wrote the model.")
    signature: dict[str, Any] = Field(description="The model's signature, as MLflow wrote it.")
    input_example: list[dict[str, Any] | list[Any]] = Field(
        description="Rows that the model predicts: objects, or lists where columns have no names."
    )
    takes_arrays: bool = Field(description="Whether requests reach it without a DataFrame.")
    engine: Engine = Field(description="What makes the predictions.")
    engine_reason: str = Field(
        description="Why that is not the engine that was asked for; empty when it is."
    )
    explains: bool = Field(description="Whether /explain answers, as far as is known.")
    explain_reason: str = Field(description="Why it does not; empty when it does.")
    loaded_at: datetime = Field(description="When it became ready.")
    load_seconds: float = Field(description="Time that loading and warming up took.")


def build_health(lifecycle: Lifecycle) -> APIRouter:
    """Return the routes for probes, bound to the state of one server."""
    router = APIRouter()

    @router.get(ROUTE_LIVE, summary="Is the process alive?")
    async def live() -> Health:
        return Health(status="alive")

    @router.get(
        ROUTE_READY,
        summary="Should this server get requests?",
        responses={503: {"model": Health, "description": "Not yet, or not any more."}},
    )
    async def ready(response: Response) -> Health:
        phase = lifecycle.phase
        if phase is not Phase.READY:
            response.status_code = 503
        return Health(status=phase)

    return router


def build_router(lifecycle: Lifecycle, explainer: Explainer | None) -> APIRouter:
    """Return the other routes for everybody."""
    router = APIRouter()

    @router.get(
        ROUTE_PING,
        summary="MLflow's question whether the server is ready",
        response_class=Response,
        responses={503: {"description": "Not yet, or not any more."}},
    )
    async def ping() -> Response:
        is_ready = lifecycle.phase is Phase.READY
        return Response("\n", 200 if is_ready else 503, media_type="application/json")

    @router.get(ROUTE_VERSION, summary="Version of this server", response_class=Response)
    async def tell_version() -> Response:
        return Response(VERSION, media_type="text/plain")

    @router.get(
        ROUTE_MODEL,
        summary="Which model is served?",
        responses={503: {"description": "The model is being loaded."}},
    )
    async def model() -> ModelDescription:
        return _describe(lifecycle, why_not(explainer))

    return router


def _describe(lifecycle: Lifecycle, explain_reason: str) -> ModelDescription:
    served = lifecycle.served
    if served is None:
        raise HTTPException(503, "The model is being loaded", {"Retry-After": "1"})
    loaded = served.loaded
    return ModelDescription(
        **served.identity,
        model_id=loaded.mlmodel.model_id,
        flavor="sklearn",
        sklearn_version=loaded.mlmodel.sklearn_version,
        signature=dict(loaded.mlmodel.signature_document),
        input_example=loaded.example,
        takes_arrays=loaded.takes_arrays,
        engine=loaded.engine.engine,
        engine_reason=loaded.engine.reason,
        explains=not explain_reason,
        explain_reason=explain_reason,
        loaded_at=served.loaded_at,
        load_seconds=loaded.load_seconds,
    )
