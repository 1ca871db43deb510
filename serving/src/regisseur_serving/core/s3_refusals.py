"""What S3 means with an answer that is an error.

The codes are S3's own and the same with every server that speaks its protocol. Whose fault it is
decides what becomes of a version, so a 404 counts as a missing artifact only with such a code: the
404 of anything in between is an outage.
"""

from dataclasses import dataclass
from http import HTTPStatus

from regisseur_serving.core.authorization import redact
from regisseur_serving.core.refusals import to_one_line
from regisseur_serving.errors import DeniedError, FetchError, MissingError, TransientFetchError

CREDENTIALS_HINT = (
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY by the Secret in "
    "spec.serving.modelAccess.credentialsSecretRef, or give the ServiceAccount in "
    "spec.serving.modelAccess.serviceAccountName a role that may read the bucket"
)
_ROLES = "AssumeRole"
_DENIALS = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
_DENIED_CODES = {"ExpiredToken", "InvalidToken", "TokenRefreshRequired", "AccessDenied"}
_TRANSIENT_CODES = {"RequestTimeout", "SlowDown", "Throttling", "ThrottlingException"}
_MISSING = {
    "NoSuchBucket": "there is no such bucket; register the version again, or set "
    "AWS_ENDPOINT_URL_S3 to the server that has it",
    "NoSuchKey": "the artifact is gone; register the version again",
}
_WRONG_CREDENTIALS = (
    "correct AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN in the Secret in "
    "spec.serving.modelAccess.credentialsSecretRef"
)
WRONG_REGION = "set AWS_REGION to the bucket's region, or AWS_ENDPOINT_URL_S3 to its server"
_NO_S3 = "that is no answer of S3: see that AWS_ENDPOINT_URL_S3 is the address of such a server"
_HINTS = {
    "AccessDenied": "the credentials need s3:ListBucket on the bucket and s3:GetObject on its keys",
    "InvalidAccessKeyId": _WRONG_CREDENTIALS,
    "SignatureDoesNotMatch": _WRONG_CREDENTIALS,
    "ExpiredToken": _WRONG_CREDENTIALS,
    "InvalidToken": _WRONG_CREDENTIALS,
    "RequestTimeTooSkewed": "correct the clock of the node",
    "InvalidObjectState": "the object is archived; restore it",
    "PermanentRedirect": WRONG_REGION,
    "TemporaryRedirect": WRONG_REGION,
    "AuthorizationHeaderMalformed": WRONG_REGION,
}


@dataclass(frozen=True, slots=True)
class S3Refusal:
    """An answer that is an error.

    Attributes:
        authority: Host and port of the server.
        operation: What was asked, such as `GetObject`.
        status: Status of the answer.
        code: S3's word for what is wrong; where it has none, anything else.
        said: Its message.
    """

    authority: str
    operation: str
    status: int
    code: str
    said: str


def translate_s3_refusal(refusal: S3Refusal, secrets: tuple[str, ...]) -> FetchError:
    """Return the error of an answer.

    Args:
        refusal: The answer.
        secrets: What no message may hold: a server may repeat what it was sent.
    """
    message = _tell(refusal, secrets)
    if refusal.code in _MISSING:
        return MissingError(f"{message}; {_MISSING[refusal.code]}")
    is_fault = refusal.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    if (
        is_fault
        or refusal.code in _TRANSIENT_CODES
        or refusal.status == HTTPStatus.TOO_MANY_REQUESTS
    ):
        return TransientFetchError(message)
    if refusal.operation.startswith(_ROLES):
        return DeniedError(f"{message}; let the role trust the ServiceAccount of the pods")
    hint = _NO_S3 if refusal.code.isdecimal() else _HINTS.get(refusal.code)
    message = f"{message}; {hint}" if hint else message
    is_denied = refusal.status in _DENIALS or refusal.code in _DENIED_CODES
    return (DeniedError if is_denied else FetchError)(message)


def _tell(refusal: S3Refusal, secrets: tuple[str, ...]) -> str:
    said = f"{refusal.code}: {refusal.said}" if refusal.said else refusal.code
    said = to_one_line(redact(said, secrets))
    return f"{refusal.authority} answered {refusal.status} to {refusal.operation}: {said}"
