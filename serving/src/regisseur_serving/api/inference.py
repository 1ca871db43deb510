"""The routes below `/v2`: the Open Inference Protocol, for tritonclient, KServe's client and curl.

What real clients need was measured: they follow no redirect, take only status 200, read errors only
as `{"error": text}` sent as exactly `application/json`, and say what a body is by the header
`Inference-Header-Content-Length` alone; the content type that they send means nothing. Answers are
never compressed, whatever a client offers: it cannot read errors and metadata that are, and what
packing an answer costs on the pod's one core is more than what it saves on the way.
"""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

import orjson
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from regisseur_contract.http import ROUTE_V2
from regisseur_serving.api.answers import Headers, advise, lower_status, send_json
from regisseur_serving.api.bodies import find_header, parse_json
from regisseur_serving.api.lifecycle import Lifecycle, Phase, Served
from regisseur_serving.api.predicting import Predicting
from regisseur_serving.core.inference import Inference, build_outputs, describe_outputs
from regisseur_serving.core.tensors import Json, refuse_tensor
from regisseur_serving.errors import InputError

JSON_LENGTH: Final = b"inference-header-content-length"
EXTENSIONS: Final = ("binary_tensor_data",)
SERVER_NAME: Final = "regisseur"

_MODELS: Final = f"{ROUTE_V2}/models/"
_VERSIONS: Final = "/versions/"
_NO_ROUTE: Final = "this server has no such route"

_MOST_DIGITS: Final = 12
"""Of a length; Python itself reads no number of some thousands."""

Answering = Callable[[Served, Scope, Receive, Send], Awaitable[None]]


class InferenceRoutes:
    """Answers everything below `/v2`.

    Args:
        server_version: Told to who asks for the server's metadata.
    """

    def __init__(
        self,
        lifecycle: Lifecycle,
        predicting: Predicting,
        *,
        server_version: str,
    ) -> None:
        self._lifecycle = lifecycle
        self._predicting = predicting
        self._about_server = {
            "name": SERVER_NAME,
            "version": server_version,
            "extensions": list(EXTENSIONS),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            await self._route(scope, receive, send)
        except InputError as error:
            status = lower_status(error)
            await _refuse(send, status, _describe(error), advise(status))
        except ClientDisconnect:
            return

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].rstrip("/")
        if path == ROUTE_V2:
            await _get(scope, send, self._about_server)
        elif path in {f"{ROUTE_V2}/health/live", f"{ROUTE_V2}/health/ready"}:
            await self._tell_health(scope, send, path)
        elif path == f"{ROUTE_V2}/repository/index":
            await self._tell_index(scope, send)
        elif path.startswith(_MODELS):
            await self._route_model(path.removeprefix(_MODELS), scope, receive, send)
        else:
            await _refuse(send, HTTPStatus.NOT_FOUND, _NO_ROUTE)

    # ---- the server ----

    async def _tell_health(self, scope: Scope, send: Send, path: str) -> None:
        is_ready = self._lifecycle.phase is Phase.READY
        is_fine = is_ready or path.endswith("/live")
        status = HTTPStatus.OK if is_fine else HTTPStatus.SERVICE_UNAVAILABLE
        await _get(scope, send, {"live": True, "ready": is_ready}, status)

    async def _tell_index(self, scope: Scope, send: Send) -> None:
        if scope["method"] != "POST":
            await _refuse_method(send, b"POST")
            return
        served = self._lifecycle.served
        index = [] if served is None else [_describe_state(served)]
        await send_json(send, HTTPStatus.OK, orjson.dumps(index))

    # ---- the model ----

    async def _route_model(self, rest: str, scope: Scope, receive: Receive, send: Send) -> None:
        served = self._lifecycle.served
        if served is None:
            later = [(b"retry-after", b"1")]
            await _refuse(send, HTTPStatus.SERVICE_UNAVAILABLE, "the model is being loaded", later)
            return
        actions: dict[str | None, Answering] = {
            None: self._refuse_model,
            "": self._tell_model,
            "ready": self._tell_readiness,
            "infer": self._infer,
        }
        answer = actions.get(_find_action(served, rest), self._refuse_action)
        await answer(served, scope, receive, send)

    async def _refuse_action(
        self, _served: Served, _scope: Scope, _receive: Receive, send: Send
    ) -> None:
        await _refuse(send, HTTPStatus.NOT_FOUND, _NO_ROUTE)

    async def _refuse_model(
        self, served: Served, _scope: Scope, _receive: Receive, send: Send
    ) -> None:
        text = f"this server has model {served.name!r} in version {served.version!r} only"
        await _refuse(send, HTTPStatus.NOT_FOUND, text)

    async def _tell_model(
        self, served: Served, scope: Scope, _receive: Receive, send: Send
    ) -> None:
        loaded = served.loaded
        await _get(
            scope,
            send,
            {
                "name": served.name,
                "versions": [served.version],
                "platform": "sklearn",
                "inputs": loaded.inference.describe_inputs(),
                "outputs": describe_outputs(loaded.calibration.sample, loaded.predictor.classes),
            },
        )

    async def _tell_readiness(
        self, served: Served, scope: Scope, _receive: Receive, send: Send
    ) -> None:
        is_ready = self._lifecycle.phase is Phase.READY
        status = HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE
        await _get(scope, send, {"name": served.name, "ready": is_ready}, status)

    async def _infer(self, served: Served, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            await _refuse_method(send, b"POST")
            return
        length = find_header(scope, JSON_LENGTH)
        with self._predicting.take() as place:
            body = await self._predicting.bodies.read(scope, receive, place)
            inference = await self._predicting.read(len(body), lambda: _read(served, body, length))
            prediction = await self._predicting.predict(
                served,
                inference.table,
                inference.rows,
                place,
                with_probabilities=inference.wants_probabilities,
            )
        outputs, tail = build_outputs(inference, prediction)
        answer: Json = {"model_name": served.name, "model_version": served.version}
        if inference.request_id is not None:
            answer["id"] = inference.request_id
        head = orjson.dumps({**answer, "outputs": outputs}, option=orjson.OPT_SERIALIZE_NUMPY)
        if any(output.is_binary for output in inference.outputs):
            sizes = [(JSON_LENGTH, str(len(head)).encode())]
            await _send_binary(send, head + tail, sizes)
        else:
            await send_json(send, HTTPStatus.OK, head)


def asks_for_readiness(served: Served | None, path: str) -> bool:
    """Tell whether a path is the one of the model's readiness."""
    rest = path.rstrip("/")
    if served is None or not rest.startswith(_MODELS):
        return False
    return _find_action(served, rest.removeprefix(_MODELS)) == "ready"


def _find_action(served: Served, rest: str) -> str | None:
    """Return what is asked of the model: a name may hold slashes, so it is looked for whole."""
    name = served.name.rstrip("/")
    if rest != name and not rest.startswith(f"{name}/"):
        return None
    rest = rest.removeprefix(name)
    if rest.startswith(_VERSIONS):
        version, _, action = rest.removeprefix(_VERSIONS).partition("/")
        return action if version == served.version else None
    return rest.removeprefix("/")


def _describe_state(served: Served) -> Json:
    return {"name": served.name, "version": served.version, "state": "READY", "reason": ""}


def _read(served: Served, body: bytes, length: bytes) -> Inference:
    if not length:
        return served.loaded.inference.read(parse_json(body))
    if not length.isdigit() or len(length) > _MOST_DIGITS or int(length) > len(body):
        raise refuse_tensor("Inference-Header-Content-Length is no length within the body")
    head = int(length)
    return served.loaded.inference.read(parse_json(body[:head]), body[head:])


def _describe(error: InputError) -> str:
    return "; ".join(
        f"{'.'.join(map(str, problem.location[2:]))}: {problem.message}"
        if len(problem.location) > 2  # noqa: PLR2004 - "body" and the field that we made
        else problem.message
        for problem in error.problems
    )


# ---- answers -----------------------------------------------------------------------------------


async def _get(scope: Scope, send: Send, body: Json, status: HTTPStatus = HTTPStatus.OK) -> None:
    if scope["method"] != "GET":
        await _refuse_method(send, b"GET")
    else:
        await send_json(send, status, orjson.dumps(body))


async def _refuse_method(send: Send, allowed: bytes) -> None:
    headers = [(b"allow", allowed)]
    await _refuse(send, HTTPStatus.METHOD_NOT_ALLOWED, "Method Not Allowed", headers)


async def _refuse(send: Send, status: HTTPStatus, text: str, headers: Headers = ()) -> None:
    await send_json(send, status, orjson.dumps({"error": text}), headers)


async def _send_binary(send: Send, body: bytes, headers: Headers) -> None:
    length = (b"content-length", str(len(body)).encode())
    kind = (b"content-type", b"application/octet-stream")
    start = {"type": "http.response.start", "status": 200, "headers": [kind, length, *headers]}
    await send(start)
    await send({"type": "http.response.body", "body": body})
