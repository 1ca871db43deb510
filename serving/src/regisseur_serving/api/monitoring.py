"""The admin port: what is measured, for who runs the server."""

from typing import Any

import orjson
from fastapi import FastAPI, HTTPException, Response
from starlette.types import ASGIApp

from regisseur_contract.http import ROUTE_METRICS, ROUTE_PROFILE
from regisseur_serving.api.admin import build_health
from regisseur_serving.api.lifecycle import Lifecycle, Served
from regisseur_serving.api.measuring import Measuring
from regisseur_serving.telemetry import Metrics


def build_monitoring(
    lifecycle: Lifecycle, metrics: Metrics, *, logs_access: bool = False
) -> ASGIApp:
    """Put the application of the admin port together."""
    app = FastAPI(openapi_url=None, redirect_slashes=False)
    app.include_router(build_health(lifecycle))

    @app.get(ROUTE_METRICS)
    async def scrape() -> Response:
        return Response(metrics.render(), media_type="text/plain; version=0.0.4; charset=utf-8")

    @app.get(ROUTE_PROFILE)
    async def tell_profile() -> Response:
        if lifecycle.served is None:
            raise HTTPException(503, "The model is being loaded", {"Retry-After": "1"})
        profile = _describe_profile(lifecycle.served, lifecycle.boot_id)
        return Response(orjson.dumps(profile), media_type="application/json")

    return Measuring(app, lifecycle, metrics, logs_access=logs_access)


def _describe_profile(served: Served, boot_id: str) -> dict[str, Any]:
    """Return the counts since the start, and what says whose they are and which may be added."""
    return {
        "model": served.identity,
        "boot_id": boot_id,
        "loaded_at": served.loaded_at.isoformat(),
        "edge_hash": served.loaded.profile.edge_hash,
        **served.loaded.profile.describe(),
    }
