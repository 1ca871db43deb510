"""Lists of objects and the stream of what happens to them."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal

import aiohttp

from regisseur_operator.adapters.kubernetes_api import KubernetesApi, describe, path_of
from regisseur_operator.adapters.kubernetes_errors import translate_answer
from regisseur_operator.errors import UnreachableError
from regisseur_operator.ports import Kind, Manifest

PAGE = 500
SILENCE_SECONDS = 75.0
"""The API server sends a bookmark a minute: a stream that is silent for longer is dead."""

STREAM_SECONDS = (240, 300)
CONNECT_SECONDS = 10.0

ChangeType = Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK"]


@dataclass(frozen=True)
class Listing:
    """All objects of a kind at one moment."""

    version: int
    items: tuple[Manifest, ...]


@dataclass(frozen=True)
class Change:
    """One step in the life of an object; a bookmark has a resourceVersion and nothing else."""

    type: ChangeType
    manifest: Manifest


class KubernetesWatching:
    """Lists and watches of one kind, in one namespace or across all."""

    def __init__(
        self,
        api: KubernetesApi,
        kind: Kind,
        *,
        selector: str = "",
        namespace: str | None = None,
    ) -> None:
        self._api = api
        self.kind = kind
        self.namespace = namespace
        self._selector = {"labelSelector": selector} if selector else {}

    @property
    def title(self) -> str:
        """Name it in log lines."""
        where = f" in {self.namespace}" if self.namespace else ""
        return f"{self.kind.plural}{where}"

    async def list(self, *, is_exact: bool) -> Listing:
        """List all objects; what is not exact comes from the server's cache and is cheaper."""
        params = {**self._selector} if is_exact else {**self._selector, "resourceVersion": "0"}
        if is_exact:
            params["limit"] = str(PAGE)
        # The items of a list do not say what they are.
        named = {"apiVersion": self.kind.api_version, "kind": self.kind.kind}
        items: list[Manifest] = []
        while True:
            _, page = await self._api.request(
                "GET", path_of(self.kind, self.namespace), params=params
            )
            items += (named | item for item in page.get("items") or ())
            metadata = page["metadata"]
            if not metadata.get("continue"):
                return Listing(int(metadata["resourceVersion"]), tuple(items))
            params["continue"] = metadata["continue"]

    async def watch(self, since: int) -> AsyncIterator[Change]:
        """Stream what happened after a resourceVersion until the server ends the stream.

        Raises:
            OperatorError: The stream broke; `GoneError` when one must list again.
        """
        params = {
            **self._selector,
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": str(since),
            "timeoutSeconds": str(random.randint(*STREAM_SECONDS)),  # noqa: S311
        }
        timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=CONNECT_SECONDS, sock_read=SILENCE_SECONDS
        )
        url = self._api.url(path_of(self.kind, self.namespace))
        try:
            async with self._api.session.get(url, params=params, timeout=timeout) as response:
                if response.status != HTTPStatus.OK:
                    raise translate_answer(response.status, await response.read())
                async for line in _lines(response.content):
                    yield _parse(line)
        except (aiohttp.ClientError, OSError, asyncio.IncompleteReadError) as error:
            raise UnreachableError(describe(error)) from None


async def _lines(content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """Split by hand: aiohttp's own lines are limited in length, objects are not."""
    rest = b""
    async for chunk in content.iter_any():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line:
                yield line


def _parse(line: bytes) -> Change:
    try:
        document = json.loads(line)
        kind, manifest = document["type"], document["object"]
    except (ValueError, KeyError, TypeError):
        raise UnreachableError("the API server streamed something that is not an event") from None
    if kind == "ERROR":
        raise translate_answer(int(manifest.get("code", 500)), json.dumps(manifest).encode())
    return Change(kind, manifest)
