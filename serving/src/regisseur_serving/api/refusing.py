"""Refuse a request before its route has seen it, in the shape of that route's protocol."""

from http import HTTPStatus

import orjson
from starlette.types import Scope, Send

from regisseur_contract.http import ROUTE_INVOCATIONS, ROUTE_V2
from regisseur_serving.api.answers import Headers, send_detail, send_json
from regisseur_serving.core.invocations import describe_error
from regisseur_serving.errors import Problem


async def refuse(
    scope: Scope, send: Send, status: HTTPStatus, text: str, headers: Headers = ()
) -> None:
    """Send an error that clients of the route can read.

    Args:
        scope: Of the request.
        send: Where the answer goes.
        status: The answer's.
        text: What is wrong.
        headers: Of the answer, beside those that describe its body.
    """
    path: str = scope["path"]
    if path == ROUTE_INVOCATIONS:
        body = describe_error([Problem((), "refused", text)], status)
        await send_json(send, status, orjson.dumps(body), headers)
    elif path == ROUTE_V2 or path.startswith(f"{ROUTE_V2}/"):
        await send_json(send, status, orjson.dumps({"error": text}), headers)
    else:
        await send_detail(send, status, text, headers)
