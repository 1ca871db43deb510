"""A bucket of S3, or of a server that speaks its protocol, over Amazon's own client.

The client finds credentials as Amazon's tools do: the environment, a role of the pod's service
account, files of configuration, the role of the machine. Importing it takes half a second, so only
models that are in a bucket pay for it. It tries nothing again by itself and follows no redirect
but Amazon's to the region of a bucket; every fault becomes a `FetchError`, transient or not.
"""

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cached_property
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import boto3.session
from botocore import exceptions as faults
from botocore.config import Config
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError, InsecureRequestWarning

from regisseur_serving.adapters.bounded_answers import bound_answers
from regisseur_serving.core.listing import check_names, parse_keys
from regisseur_serving.core.refusals import to_one_line
from regisseur_serving.core.s3_refusals import (
    CREDENTIALS_HINT,
    WRONG_REGION,
    S3Refusal,
    translate_s3_refusal,
)
from regisseur_serving.errors import (
    DeniedError,
    FetchError,
    SettingsError,
    TransientFetchError,
    UnservableError,
)
from regisseur_serving.ports.artifacts import Entry

_PIECE_BYTES = 1 << 20
_LOG_IN_IN_ADDRESS = (
    "the address of the bucket's server holds a user name, which is not supported "
    "there; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
)
_MAX_ENTRIES = 10_000
_NO_CREDENTIALS = (faults.NoCredentialsError, faults.PartialCredentialsError)
_MOMENTARY = (
    faults.ConnectionError,
    faults.HTTPClientError,
    faults.IncompleteReadError,
    faults.ResponseStreamingError,
    faults.FlexibleChecksumError,
    faults.CredentialRetrievalError,
    faults.PaginationError,
    HTTPError,
    OSError,
)


class S3Artifacts:
    """Reads the keys of a bucket.

    Args:
        bucket: Its name.
        read_timeout_seconds: Longest silence of the server.
        endpoint_url: Address of the server; empty for what Amazon's own configuration says.
        ignores_tls: Whether the server's certificate is not looked at.
    """

    def __init__(
        self,
        bucket: str,
        *,
        read_timeout_seconds: float,
        endpoint_url: str = "",
        ignores_tls: bool = False,
    ) -> None:
        self._bucket = bucket
        self._read_timeout_seconds = read_timeout_seconds
        if "@" in endpoint_url:
            raise SettingsError(_LOG_IN_IN_ADDRESS)
        self._endpoint_url = endpoint_url
        self._ignores_tls = ignores_tls
        self._secrets: tuple[str, ...] = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if "_client" in vars(self):
            self._client.close()

    def list_folder(self, path: str) -> list[Entry]:
        """Return what lies directly below a key.

        Raises:
            FetchError: The server refused, or answered no listing.
            SettingsError: Amazon's configuration in the environment is senseless.
        """
        prefix = f"{path}/"
        entries: list[Entry] = []
        with self._translating():
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._bucket, Prefix=prefix, Delimiter="/"):
                entries += parse_keys(page, prefix)
                if len(entries) > _MAX_ENTRIES:
                    raise UnservableError(
                        f"s3://{self._bucket}/{prefix} holds more than {_MAX_ENTRIES} keys; "
                        "that is no model folder"
                    )
        return check_names(entries)

    def read_file(self, path: str, size_bytes: int, write: Callable[[bytes], object]) -> None:
        """Hand the bytes of an object to `write`.

        Raises:
            FetchError: The server refused, or sent another number of bytes than `size_bytes`.
            SettingsError: Amazon's configuration in the environment is senseless.
        """
        received = 0
        with self._translating():
            answer = self._client.get_object(Bucket=self._bucket, Key=path)
            with closing(answer["Body"]) as body:
                while received <= size_bytes and (piece := body.read(_PIECE_BYTES)):
                    received += len(piece)
                    if received <= size_bytes:
                        write(piece)
        if received != size_bytes:
            much = "more than" if received > size_bytes else f"{received} of"
            raise TransientFetchError(
                f"{self._authority} sent {much} {size_bytes} bytes of s3://{self._bucket}/{path}"
            )

    @cached_property
    def _client(self) -> Any:  # noqa: ANN401 - the library makes its classes as it goes
        _strip_line_breaks()
        if self._ignores_tls:
            warnings.simplefilter("ignore", InsecureRequestWarning)
        session = boto3.session.Session()
        credentials = session.get_credentials()
        if credentials is None:
            raise faults.NoCredentialsError
        frozen = credentials.get_frozen_credentials()
        self._secrets = tuple(secret for secret in (frozen.secret_key, frozen.token) if secret)
        client = session.client(
            "s3",
            endpoint_url=self._endpoint_url or None,
            verify=False if self._ignores_tls else None,
            config=Config(
                connect_timeout=self._read_timeout_seconds,
                read_timeout=self._read_timeout_seconds,
                retries={"total_max_attempts": 1, "mode": "standard"},
            ),
        )
        if "@" in urlsplit(client.meta.endpoint_url).netloc:
            raise SettingsError(_LOG_IN_IN_ADDRESS)
        bound_answers(client)
        return client

    @property
    def _authority(self) -> str:
        known = self._client.meta.endpoint_url if "_client" in vars(self) else self._endpoint_url
        return urlsplit(known).netloc or "Amazon's server"

    @contextmanager
    def _translating(self) -> Iterator[None]:
        """Translate what the client and the libraries below it raise."""
        try:
            yield
        except FetchError:
            raise
        except faults.ClientError as error:
            raise translate_s3_refusal(self._read_refusal(error), self._secrets) from None
        except RecursionError:  # the client asks for the bucket's region, and so on
            raise FetchError(
                f"{self._authority} answers every question with a redirect; {WRONG_REGION}"
            ) from None
        except ResponseParserError:
            raise TransientFetchError(
                f"{self._authority} answered what S3 never does; is it a server of its protocol?"
            ) from None
        except (faults.BotoCoreError, HTTPError, OSError, ValueError) as error:
            raise _find_own(error) or self._translate(error) from None

    def _read_refusal(self, error: Any) -> S3Refusal:  # noqa: ANN401 - of an untyped library
        details = error.response.get("Error", {})
        metadata = error.response.get("ResponseMetadata", {})
        return S3Refusal(
            authority=self._authority,
            operation=error.operation_name,
            status=metadata.get("HTTPStatusCode", 0),
            code=str(details.get("Code", "")),
            said=str(details.get("Message", "")),
        )

    def _translate(self, error: Exception) -> Exception:
        said = to_one_line(str(error))
        if isinstance(error, _NO_CREDENTIALS):
            reason = said if isinstance(error, faults.PartialCredentialsError) else "none was found"
            return DeniedError(
                f"s3://{self._bucket} wants AWS credentials ({reason}); {CREDENTIALS_HINT}"
            )
        if isinstance(error, _MOMENTARY):
            return TransientFetchError(f"cannot read s3://{self._bucket}: {said}")
        return SettingsError(
            f"s3://{self._bucket} cannot be asked for: {said}; correct the variables AWS_* and "
            "MLFLOW_S3_ENDPOINT_URL in the Secret in spec.serving.modelAccess.credentialsSecretRef"
        )


def _find_own(error: BaseException | None) -> FetchError | None:
    """Return our own error that the client took for one of the connection: a deadline's."""
    while error is not None and not isinstance(error, FetchError):
        error = error.__context__
    return error


def _strip_line_breaks() -> None:
    """Take the line breaks away that files end in from which Secrets are made."""
    for name, value in os.environ.items():
        if name.startswith("AWS_") and value != value.rstrip("\r\n"):
            os.environ[name] = value.rstrip("\r\n")
