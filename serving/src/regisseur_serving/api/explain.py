"""The route `/explain`, which is there when it was asked for."""

from http import HTTPStatus
from typing import Final

import orjson
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from regisseur_contract.runtime import ENV_EXPLAIN
from regisseur_serving.api.answers import send_detail, send_json, send_problems
from regisseur_serving.api.bodies import check_json
from regisseur_serving.api.lifecycle import Lifecycle, Served
from regisseur_serving.api.predict import TABLE_KEYS, find_served, parse_body
from regisseur_serving.api.predicting import Predicting
from regisseur_serving.errors import InputError
from regisseur_serving.ports.explainer import Explainer
from regisseur_serving.ports.predictor import Table

_OFF: Final = (
    "explanations are off; set spec.serving.explain.enabled: true in the ModelDeployment "
    f"({ENV_EXPLAIN}=true for a server by itself)"
)


def why_not(explainer: Explainer | None) -> str:
    """Return why nothing is explained, as far as is known; empty when it is."""
    return _OFF if explainer is None else explainer.reason


class ExplainRoute:
    """Answers `POST /explain`."""

    def __init__(
        self, lifecycle: Lifecycle, predicting: Predicting, explainer: Explainer | None
    ) -> None:
        self._lifecycle = lifecycle
        self._predicting = predicting
        self._explainer = explainer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        explainer = self._explainer
        if explainer is None:
            await send_detail(send, HTTPStatus.NOT_FOUND, f"Not Found: {_OFF}")
            return
        served = await find_served(self._lifecycle, scope, send)
        if served is None:
            return
        try:
            table = await self._receive(served, scope, receive)
            explanation = await explainer.explain(table)
            await send_json(send, HTTPStatus.OK, _sign(explanation, served))
        except InputError as error:
            await send_problems(send, error)
        except ClientDisconnect:
            return

    async def _receive(self, served: Served, scope: Scope, receive: Receive) -> Table:
        """Return the rows; while they are explained, their body takes no room from others."""
        check_json(scope)
        with self._predicting.take() as place:
            body = await self._predicting.bodies.read(scope, receive, place)
            table, rows = await self._predicting.read(
                len(body), lambda: served.loaded.reader.read(parse_body(body, TABLE_KEYS))
            )
        self._predicting.check_rows(rows)
        return table


def _sign(explanation: bytes, served: Served) -> bytes:
    """Say at the end of a JSON object, which may be long, which model it is about."""
    return b'%s,"model":%s}' % (explanation.removesuffix(b"}"), orjson.dumps(served.identity))
