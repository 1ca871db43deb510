"""The admin port: what is measured, for who runs the server."""

from fastapi import FastAPI, Response
from starlette.types import ASGIApp

from regisseur_contract.http import ROUTE_METRICS
from regisseur_serving.api.admin import build_health
from regisseur_serving.api.draining import Draining
from regisseur_serving.api.lifecycle import Lifecycle
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

    return Draining(Measuring(app, lifecycle, metrics, logs_access=logs_access), lifecycle)
