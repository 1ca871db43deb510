"""GET requests to an MLflow server that may be down, slow, or not an MLflow server at all.

One hard deadline covers a whole call: a server that drips bytes defeats every time-out between
them. Sizes are capped, redirects are not followed, and whatever is not the JSON object that was
asked for counts as no answer.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp

from regisseur_operator.adapters.mlflow_access import MlflowAccess
from regisseur_operator.api.reasons import Reason
from regisseur_operator.errors import OperatorError, TerminalError, UnreachableError

LARGEST_ANSWER_BYTES: Final = 16 * 1024 * 1024
CONNECTIONS: Final = 8
_LOOKED_AT: Final = 16 * 1024
_SHOWN: Final = 200
_DENIED: Final = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}


class MissingError(UnreachableError):
    """MLflow says itself that what was asked for does not exist."""


class TooLargeError(UnreachableError):
    """The answer is larger than what is read of one; less may be asked for at a time."""


class MlflowHttp:
    """One MLflow server.

    Args:
        url: Base address.
        access: What it is shown and trusted by.
        timeout_seconds: Hard deadline of one call.
        count: Told of each call whether it was `answered` or `failed`.
    """

    def __init__(
        self,
        url: str,
        access: MlflowAccess,
        timeout_seconds: float,
        count: Callable[[str], None],
    ) -> None:
        self.url = url
        self._access = access
        self._timeout_seconds = timeout_seconds
        self._count = count
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def get(self, path: str, params: Mapping[str, str]) -> dict[str, Any]:
        """Call the REST API and return the JSON object.

        Raises:
            MissingError: There is no such model, version or alias.
            TooLargeError: The answer is too large.
            UnreachableError: No answer in time, nonsense, or an error of the server.
            TerminalError: 401 or 403, or there are no credentials to show.
        """
        try:
            document = await self._get(path, params)
        except MissingError:
            self._count("answered")
            raise
        except OperatorError:
            self._count("failed")
            raise
        self._count("answered")
        return document

    async def _get(self, path: str, params: Mapping[str, str]) -> dict[str, Any]:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                status, content_type, body = await self._read(path, params)
        except TimeoutError:
            raise UnreachableError(
                f"{self.url} did not answer within {self._timeout_seconds:g} s"
            ) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:  # UnicodeError: no host name
            reason = str(error) or type(error).__name__
            raise UnreachableError(f"{self.url} cannot be reached: {reason}") from None
        document = _parse(body)
        if status != HTTPStatus.OK:
            raise self._translate(status, document, body)
        if document is None:
            raise UnreachableError(
                f"{self.url} answered {content_type or 'something'} instead of a JSON object:"
                " is it the address of an MLflow server?"
            )
        return document

    async def _read(self, path: str, params: Mapping[str, str]) -> tuple[int, str, bytes]:
        headers, trust = self._access.headers(), self._access.trust()
        async with self._open().get(
            self.url + path, params=params, headers=headers, ssl=trust, allow_redirects=False
        ) as response:
            body = bytearray()
            async for chunk in response.content.iter_any():
                body += chunk
                if len(body) > LARGEST_ANSWER_BYTES:
                    raise TooLargeError(
                        f"{self.url} answered more than {LARGEST_ANSWER_BYTES >> 20} MiB"
                    )
            return response.status, response.content_type, bytes(body)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=CONNECTIONS),
                timeout=aiohttp.ClientTimeout(total=self._timeout_seconds),
                headers={"Accept": "application/json"},
            )
        return self._session

    def _translate(
        self, status: int, document: dict[str, Any] | None, body: bytes
    ) -> OperatorError:
        text = self._access.redact(body[:_LOOKED_AT].decode(errors="replace").strip())
        if "Invalid Host header" in text:
            return TerminalError(Reason.REGISTRY_DENIED, self._explain_host())
        code = str((document or {}).get("error_code", ""))
        said = self._access.redact(str((document or {}).get("message", "") or text))[:_SHOWN]
        if status in _DENIED:
            return TerminalError(
                Reason.REGISTRY_DENIED, f"{self.url} refuses the operator ({status}): {said}"
            )
        if code == "RESOURCE_DOES_NOT_EXIST" or said.startswith("Registered model alias"):
            return MissingError(said)
        return UnreachableError(f"{self.url} answered {status} {code}: {said}".strip(": "))

    def _explain_host(self) -> str:
        host = urlsplit(self.url).hostname
        return (
            f"{self.url} refuses the host name in its address: start MLflow with"
            f" --allowed-hosts '{host}*' (MLFLOW_SERVER_ALLOWED_HOSTS)"
        )


def _parse(body: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None
