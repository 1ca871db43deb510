"""What an artifact server means with an answer that is not 200.

Whose fault it is decides what becomes of a version, so a 404 counts as a missing artifact only
when MLflow itself says so: the 404 of an ingress in between is an outage.
"""

import json
from http import HTTPStatus

from regisseur_serving.core.authorization import Authorization
from regisseur_serving.errors import DeniedError, FetchError, MissingError, TransientFetchError

_SHOWN_CHARACTERS = 200
_MISSING_CODES = {"RESOURCE_DOES_NOT_EXIST", "NOT_FOUND"}
_DENIALS = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
_TRANSIENT: set[int] = {
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}
_HINTS: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "the server wants credentials; set MLFLOW_TRACKING_USERNAME and "
    "MLFLOW_TRACKING_PASSWORD by the Secret in spec.serving.modelAccess.credentialsSecretRef",
    HTTPStatus.FORBIDDEN: "check the permissions, and that MLFLOW_SERVER_ALLOWED_HOSTS of the "
    "MLflow server names this host and port",
    HTTPStatus.NOT_FOUND: "the URL is not that of an MLflow server that proxies artifacts",
}
_REFUSED_CREDENTIALS = (
    "the server refuses these credentials; correct the Secret in "
    "spec.serving.modelAccess.credentialsSecretRef"
)
_GONE = "the artifact is gone; register the version again"


def translate_refusal(
    authority: str, status: int, body: bytes, authorization: Authorization
) -> FetchError:
    """Return the error of an answer.

    Args:
        authority: Host and port of the server.
        status: Status of the answer.
        body: The beginning of its body.
        authorization: What the server was told; it is not repeated.
    """
    code, said = _read_body(body)
    said = authorization.redact(said)  # before white space is changed that a secret may hold
    said = to_one_line(said)
    message = f"{authority} answered {status}"
    if said:
        message = f"{message}: {said}"
    if status == HTTPStatus.NOT_FOUND and code in _MISSING_CODES:
        return MissingError(f"{message}; {_GONE}")
    if status == HTTPStatus.UNAUTHORIZED and authorization.header:
        return DeniedError(f"{message}; {_REFUSED_CREDENTIALS}")
    if hint := _HINTS.get(status):
        message = f"{message}; {hint}"
    if status in _DENIALS:
        return DeniedError(message)
    return (TransientFetchError if status in _TRANSIENT else FetchError)(message)


def to_one_line(text: str) -> str:
    """Return the beginning of what a server said, as a part of a message."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line[:_SHOWN_CHARACTERS]


def _read_body(body: bytes) -> tuple[str, str]:
    """Return MLflow's error code and message; without them, no code and the text."""
    text = body.decode("utf-8", "replace")
    try:
        document = json.loads(text)
        return str(document["error_code"]), str(document["message"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return "", text
