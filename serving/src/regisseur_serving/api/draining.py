"""Ask clients to leave while the server drains: `Connection: close` on every answer.

A keep-alive connection is pinned to its pod for as long as it lives, whatever the Service says.
When the server ends, it closes idle connections, and a client that is just sending its next
request on one loses it. No waiting avoids that; telling clients with their last answer does:
they open a new connection, which leads to another pod. So between SIGTERM and the end every
answer carries the header, also those of probes and errors.
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from regisseur_serving.api.lifecycle import Lifecycle

_CLOSE = (b"connection", b"close")


class Draining:
    """ASGI middleware around everything else."""

    def __init__(self, app: ASGIApp, lifecycle: Lifecycle) -> None:
        self._app = app
        self._lifecycle = lifecycle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application does, plus the header while draining."""

        async def send_with_farewell(message: Message) -> None:
            if message["type"] == "http.response.start" and self._lifecycle.is_draining:
                message["headers"] = [*message.get("headers", ()), _CLOSE]
            await send(message)

        await self._app(scope, receive, send_with_farewell)
