"""All routes together, as one ASGI application."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi_offline import FastAPIOffline
from starlette.types import ASGIApp, Receive, Scope, Send

from regisseur_contract.http import ROUTE_EXPLAIN, ROUTE_INVOCATIONS, ROUTE_PREDICT, ROUTE_V2
from regisseur_serving.adapters.token_file import TokenFile
from regisseur_serving.api.admin import VERSION, build_health, build_router
from regisseur_serving.api.authorizing import Authorizing
from regisseur_serving.api.documentation import describe_predict
from regisseur_serving.api.explain import ExplainRoute
from regisseur_serving.api.explain_documentation import describe_explain
from regisseur_serving.api.inference import InferenceRoutes
from regisseur_serving.api.inference_documentation import describe_inference
from regisseur_serving.api.invocations import InvocationsRoute, describe_invocations
from regisseur_serving.api.lifecycle import Lifecycle
from regisseur_serving.api.measuring import Measuring
from regisseur_serving.api.predict import PredictRoute
from regisseur_serving.api.predicting import Predicting
from regisseur_serving.ports.explainer import Explainer
from regisseur_serving.settings.limits import Limits
from regisseur_serving.telemetry import Metrics

_TITLE = "Regisseur model server"
_VERSION = "1"
_BELOW_V2 = f"{ROUTE_V2}/"


class Front:
    """Sends predictions the short way, everything else through FastAPI."""

    def __init__(self, hot: Mapping[str, ASGIApp], inference: ASGIApp, others: ASGIApp) -> None:
        self._hot = hot
        self._inference = inference
        self._others = others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Choose by the path."""
        path = scope["path"] if scope["type"] == "http" else ""
        if path.startswith(_BELOW_V2) or path == ROUTE_V2:
            await self._inference(scope, receive, send)
        else:
            await self._hot.get(path, self._others)(scope, receive, send)


def build_application(
    lifecycle: Lifecycle,
    metrics: Metrics,
    limits: Limits,
    *,
    tokens: TokenFile | None = None,
    explainer: Explainer | None = None,
    logs_access: bool = False,
) -> ASGIApp:
    """Put the application of the port for clients together."""
    metrics.show_ready(is_ready=lambda: lifecycle.phase == "ready")
    predicting = Predicting(metrics, limits)
    hot: dict[str, ASGIApp] = {
        ROUTE_PREDICT: PredictRoute(lifecycle, predicting),
        ROUTE_EXPLAIN: ExplainRoute(lifecycle, predicting, explainer),
        ROUTE_INVOCATIONS: InvocationsRoute(lifecycle, predicting),
    }
    inference = InferenceRoutes(lifecycle, predicting, server_version=VERSION)
    front: ASGIApp = Front(hot, inference, _build_others(lifecycle, explainer))
    if tokens is not None:
        front = Authorizing(front, tokens, lifecycle)
    return Measuring(front, lifecycle, metrics, logs_access=logs_access)


def _build_others(lifecycle: Lifecycle, explainer: Explainer | None) -> FastAPI:
    # Its page loads nothing from elsewhere: clusters and browsers may be closed to the world.
    app = FastAPIOffline(
        title=_TITLE,
        version=_VERSION,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.include_router(build_health(lifecycle))
    app.include_router(build_router(lifecycle, explainer))

    def write_openapi() -> dict[str, Any]:
        # Kept only once the model is there: its signature is part of it.
        if app.openapi_schema is None:
            schema = get_openapi(title=_TITLE, version=_VERSION, routes=app.routes)
            schema["paths"].update(describe_predict(lifecycle.served))
            if explainer is not None:
                schema["paths"].update(describe_explain(lifecycle.served))
            schema["paths"].update(describe_invocations(lifecycle.served))
            schema["paths"].update(describe_inference(lifecycle.served))
            if lifecycle.served is None:
                return schema
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = write_openapi  # type: ignore[method-assign]  # FastAPI's documented way
    return app
