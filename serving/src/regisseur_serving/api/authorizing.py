"""Answer only who has a token, where the server was given some.

Probes need none: the kubelet has no secrets. The admin port needs none either, as nothing of the
cluster's clients is led to it.
"""

from http import HTTPStatus
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from regisseur_contract.http import ROUTE_LIVE, ROUTE_PING, ROUTE_READY, ROUTE_V2
from regisseur_serving.adapters.token_file import TokenFile
from regisseur_serving.api.bodies import find_header
from regisseur_serving.api.inference import asks_for_readiness
from regisseur_serving.api.lifecycle import Lifecycle
from regisseur_serving.api.refusing import refuse

_HEALTH: Final = frozenset(
    {
        *(ROUTE_LIVE, ROUTE_READY, ROUTE_PING),
        *(f"{ROUTE_V2}/health/live", f"{ROUTE_V2}/health/ready"),
    }
)
_SCHEME: Final = b"bearer"
_CHALLENGE: Final = ((b"www-authenticate", b"Bearer"),)


class Authorizing:
    """ASGI middleware around the routes for clients."""

    def __init__(self, app: ASGIApp, tokens: TokenFile, lifecycle: Lifecycle) -> None:
        self._app = app
        self._tokens = tokens
        self._lifecycle = lifecycle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application does, or not at all."""
        if self._has_token(scope) or self._is_about_health(scope["path"]):
            await self._app(scope, receive, send)
        else:
            text = "Send a valid token as Authorization: Bearer"
            await refuse(scope, send, HTTPStatus.UNAUTHORIZED, text, _CHALLENGE)

    def _has_token(self, scope: Scope) -> bool:
        scheme, _, token = find_header(scope, b"authorization").partition(b" ")
        return scheme.lower() == _SCHEME and self._tokens.allows(token.strip())

    def _is_about_health(self, path: str) -> bool:
        return path.rstrip("/") in _HEALTH or asks_for_readiness(self._lifecycle.served, path)
