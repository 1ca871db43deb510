"""The routes of the model server on a predictor that adds its columns up, without a server."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from starlette.types import ASGIApp

from regisseur_serving.adapters.calibration import Calibration
from regisseur_serving.adapters.loading import LoadedModel
from regisseur_serving.adapters.token_file import TokenFile
from regisseur_serving.api.application import build_application
from regisseur_serving.api.lifecycle import Lifecycle, Served
from regisseur_serving.api.monitoring import build_monitoring
from regisseur_serving.core.mlmodel import MLmodel
from regisseur_serving.core.signature import Column, ColumnType, Signature
from regisseur_serving.core.tables import TableReader
from regisseur_serving.ports.explainer import Explainer
from regisseur_serving.ports.predictor import Prediction, Table
from regisseur_serving.settings.limits import Limits
from regisseur_serving.telemetry import Metrics
from support.asgi import Answer, call

SIGNATURE = Signature((Column("a", ColumnType.DOUBLE), Column("b", ColumnType.LONG)))
GOOD: dict[str, list[dict[str, object]]] = {"records": [{"a": 0.5, "b": 2}]}


class Adder:
    """Adds columns up; refuses a sum of 13 as scikit-learn would refuse a value."""

    def __init__(self, classes: Sequence[object] | None = None) -> None:
        self.classes = classes

    def predict(self, table: Table, *, with_probabilities: bool = False) -> Prediction:
        """Predict every row."""
        assert isinstance(table, np.ndarray)
        sums = table.sum(axis=1)
        if (sums == 13).any():
            raise ValueError("found the unknown value 13")
        return Prediction(sums, np.ones((len(sums), 1)) if with_probabilities else None)


def served(
    predictor: Adder | None = None, *, call_seconds: float = 0.0, takes_batches: bool = True
) -> Served:
    """Return a model that is called `wïne/ `, version 3."""
    mlmodel = MLmodel(
        model_file="model.skops",
        predict_method="predict",
        sklearn_version="1.9.1",
        python_version="3.11.7",
        run_id="",
        model_id="m-1",
        signature=SIGNATURE,
        signature_document={"inputs": "[]"},
        example_file="",
    )
    loaded = LoadedModel(
        mlmodel=mlmodel,
        predictor=predictor or Adder(),
        reader=TableReader(SIGNATURE),
        example=GOOD["records"],
        calibration=Calibration(
            sample=None, call_seconds=call_seconds, row_seconds=0.0, takes_batches=takes_batches
        ),
        load_seconds=1.0,
        takes_arrays=True,
    )
    return Served("wïne/ ", "3", "r1", loaded, datetime(2026, 1, 1, tzinfo=UTC))


class Server:
    """The applications of both ports, and their state."""

    def __init__(
        self,
        *,
        tokens: TokenFile | None = None,
        explainer: Explainer | None = None,
        logs_access: bool = False,
        **limits: Any,
    ) -> None:
        self.lifecycle = Lifecycle()
        chosen = Limits(**{"max_body_bytes": 1000, "body_timeout_seconds": 0.05, **limits})
        self.metrics = metrics = Metrics()
        self.app: ASGIApp = build_application(
            self.lifecycle,
            metrics,
            chosen,
            tokens=tokens,
            explainer=explainer,
            logs_access=logs_access,
        )
        self.admin_app: ASGIApp = build_monitoring(self.lifecycle, metrics, logs_access=logs_access)

    async def get(self, path: str) -> Answer:
        """Send a GET."""
        return await call(self.app, "GET", path)

    async def ask_admin(self, path: str) -> Answer:
        """Send a GET to the admin port."""
        return await call(self.admin_app, "GET", path)

    async def scrape(self) -> str:
        """Return the metrics."""
        return (await self.ask_admin("/metrics")).body.decode()

    async def post(self, body: object, *, path: str = "/predict", **headers: str) -> Answer:
        """Send a POST; an object goes as JSON."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        return await call(self.app, "POST", path, pieces=[raw], headers=named)
