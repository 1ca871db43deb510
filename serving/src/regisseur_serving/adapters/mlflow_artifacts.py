"""The artifact proxy of an MLflow server, over the standard library's HTTP client.

One connection is kept for all files, and it goes to one host: a redirect is an error, so that
credentials reach nobody else. Every fault becomes a `FetchError`, transient or not; the body of
an answer is read in pieces and never beyond what was announced.
"""

import http.client
import json
import ssl
from collections.abc import Callable
from http import HTTPStatus
from types import TracebackType
from typing import Self
from urllib.parse import quote, urlsplit

from regisseur_contract.runtime import HEADER_WORKSPACE
from regisseur_serving.core.authorization import ANONYMOUS, Authorization
from regisseur_serving.core.listing import parse_listing
from regisseur_serving.core.refusals import translate_refusal
from regisseur_serving.errors import FetchError, SettingsError, TransientFetchError
from regisseur_serving.ports.artifacts import Entry

_ROUTE = "/api/2.0/mlflow-artifacts/artifacts"
_PIECE_BYTES = 1 << 20
_MAX_LISTING_BYTES = 8 << 20
_MAX_REFUSAL_BYTES = 16 << 10


class MlflowArtifacts:
    """Reads artifacts through an MLflow server.

    Args:
        base_url: Address of the server, with or without a path.
        read_timeout_seconds: Longest silence of the server.
        authorization: What the server is told with every request.
        workspace: Which of its workspaces is meant; empty for a server without.
        ca_file: PEM file with certificates to believe beside those of the system, or empty.

    Raises:
        SettingsError: The address is no HTTP address, or the certificates cannot be read.
    """

    def __init__(
        self,
        base_url: str,
        *,
        read_timeout_seconds: float,
        authorization: Authorization = ANONYMOUS,
        workspace: str = "",
        ca_file: str = "",
    ) -> None:
        self._base_path, self._connection = _connect(base_url, read_timeout_seconds, ca_file)
        workspaces = {HEADER_WORKSPACE: workspace} if workspace else {}
        self._headers = {**authorization.headers, **workspaces}
        self._authority = f"{self._connection.host}:{self._connection.port}"
        self._authorization = authorization

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()

    def list_folder(self, path: str) -> list[Entry]:
        """Return what lies directly in a folder.

        Raises:
            FetchError: The server refused, or answered no listing.
        """
        body = bytearray()
        self._get(f"{_ROUTE}?path={quote(path, safe='')}", body.extend, _MAX_LISTING_BYTES)
        try:
            document = json.loads(body)
        except (ValueError, RecursionError):
            raise TransientFetchError(
                f"{self._authority} answered a listing that is not JSON; "
                "is it an MLflow server that proxies artifacts?"
            ) from None
        return parse_listing(document)

    def read_file(self, path: str, size_bytes: int, write: Callable[[bytes], object]) -> None:
        """Hand the bytes of a file to `write`.

        Raises:
            FetchError: The server refused, or sent another number of bytes than `size_bytes`.
        """
        received = self._get(f"{_ROUTE}/{quote(path)}", write, size_bytes)
        if received != size_bytes:
            raise TransientFetchError(
                f"{self._authority} sent {received} of {size_bytes} bytes of {path}"
            )

    def _get(self, target: str, write: Callable[[bytes], object], limit_bytes: int) -> int:
        try:
            self._connection.request("GET", self._base_path + target, headers=self._headers)
            answer = self._connection.getresponse()
            if answer.status != HTTPStatus.OK:
                body = answer.read(_MAX_REFUSAL_BYTES)
                raise translate_refusal(self._authority, answer.status, body, self._authorization)
            return self._copy(answer, write, limit_bytes)
        except FetchError:
            self._connection.close()
            raise
        except http.client.HTTPException as error:
            self._connection.close()
            raise TransientFetchError(
                f"{self._authority} broke off its answer ({type(error).__name__})"
            ) from None
        except OSError as error:
            self._connection.close()
            raise TransientFetchError(
                f"cannot reach {self._authority}: {error.strerror or error}"
            ) from None

    def _copy(
        self, answer: http.client.HTTPResponse, write: Callable[[bytes], object], limit_bytes: int
    ) -> int:
        received = 0
        while piece := answer.read1(_PIECE_BYTES):
            received += len(piece)
            if received > limit_bytes:
                raise TransientFetchError(
                    f"{self._authority} sends more than the {limit_bytes} bytes it may"
                )
            write(piece)
        if answer.length:
            raise TransientFetchError(f"{self._authority} broke off its answer")
        # Python leaves an answer open that was read to its announced end by `read1`, and then
        # refuses the next request on the connection.
        answer.close()
        return received


def _connect(
    base_url: str, timeout_seconds: float, ca_file: str
) -> tuple[str, http.client.HTTPConnection]:
    try:
        parts = urlsplit(base_url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query:
        raise SettingsError(
            "the registry's address is not of the form http://host:port or https://host:port"
        )
    if parts.username is not None:
        raise SettingsError(
            "the registry's address holds a user name, which is not supported there; "
            "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
        )
    path = parts.path.rstrip("/")
    if parts.scheme == "http":
        return path, http.client.HTTPConnection(parts.hostname, port, timeout=timeout_seconds)
    trust = _build_trust(ca_file)
    secure = http.client.HTTPSConnection(
        parts.hostname, port, timeout=timeout_seconds, context=trust
    )
    return path, secure


def _build_trust(ca_file: str) -> ssl.SSLContext:
    trust = ssl.create_default_context()
    if ca_file:
        try:
            trust.load_verify_locations(ca_file)
        except OSError as error:  # SSLError is one
            problem = "holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
            raise SettingsError(f"{ca_file} (REGISSEUR_CA_FILE): {problem}") from None
    return trust
