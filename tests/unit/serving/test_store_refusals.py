"""Whose fault an answer of the store is, and that no message holds a secret."""

import pytest

from regisseur_contract import exits
from regisseur_serving.app.exit_codes import exit_code
from regisseur_serving.core.authorization import ANONYMOUS, Authorization, authorize
from regisseur_serving.core.refusals import translate_refusal
from regisseur_serving.core.s3_refusals import S3Refusal, translate_s3_refusal
from regisseur_serving.errors import (
    FetchError,
    ModelError,
    PredictionError,
    ServingError,
    SettingsError,
    TransientFetchError,
)

GONE = b'{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "No such artifact"}'


def refuse(status: int, body: bytes = b"", who: Authorization = ANONYMOUS) -> FetchError:
    return translate_refusal("mlflow:5000", status, body, who)


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        pytest.param(404, GONE, exits.ARTIFACT_MISSING, id="MLflow knows no such artifact"),
        pytest.param(404, b"<html>", exits.STORE_UNAVAILABLE, id="an ingress knows no MLflow"),
        pytest.param(404, b'{"message": "x"}', exits.STORE_UNAVAILABLE, id="another's JSON"),
        pytest.param(400, GONE, exits.STORE_UNAVAILABLE, id="another status"),
        pytest.param(401, b"", exits.STORE_DENIED, id="no credentials"),
        pytest.param(403, b"Permission denied", exits.STORE_DENIED, id="no permission"),
        pytest.param(307, b"", exits.STORE_UNAVAILABLE, id="a redirect"),
        pytest.param(500, GONE, exits.STORE_UNAVAILABLE, id="a fault"),
    ],
)
def test_an_answer_tells_whose_fault_it_is(status: int, body: bytes, code: int) -> None:
    assert exit_code(refuse(status, body)) == code


@pytest.mark.parametrize(
    ("status", "said", "code"),
    [
        pytest.param(404, "NoSuchBucket", exits.ARTIFACT_MISSING, id="no bucket"),
        pytest.param(404, "NoSuchKey", exits.ARTIFACT_MISSING, id="no key"),
        pytest.param(404, "404", exits.STORE_UNAVAILABLE, id="an ingress"),
        pytest.param(403, "AccessDenied", exits.STORE_DENIED, id="no permission"),
        pytest.param(401, "401", exits.STORE_DENIED, id="a proxy wants a login"),
        pytest.param(400, "ExpiredToken", exits.STORE_DENIED, id="a session that is over"),
        pytest.param(503, "SlowDown", exits.STORE_UNAVAILABLE, id="too many requests"),
        pytest.param(400, "InvalidRequest", exits.STORE_UNAVAILABLE, id="another code"),
    ],
)
def test_an_answer_of_s3_tells_whose_fault_it_is(status: int, said: str, code: int) -> None:
    refusal = S3Refusal("s3:443", "GetObject", status, said, "words")
    assert exit_code(translate_s3_refusal(refusal, ())) == code


@pytest.mark.parametrize(
    ("status", "code", "is_momentary"),
    [
        (503, "SlowDown", True),
        (500, "InternalError", True),
        (429, "429", True),
        (400, "RequestTimeout", True),
        (400, "InvalidRequest", False),
        (403, "AccessDenied", False),
        (301, "PermanentRedirect", False),
    ],
)
def test_only_what_may_go_well_in_a_moment_is_asked_again(
    status: int, code: str, is_momentary: bool
) -> None:
    error = translate_s3_refusal(S3Refusal("s3:443", "GetObject", status, code, ""), ())
    assert isinstance(error, TransientFetchError) is is_momentary


def test_a_role_that_cannot_be_taken_is_told_from_a_key_that_cannot_be_read() -> None:
    refusal = S3Refusal("sts:443", "AssumeRoleWithWebIdentity", 400, "InvalidIdentityToken", "x")
    error = translate_s3_refusal(refusal, ())
    assert exit_code(error) == exits.STORE_DENIED
    assert str(error).endswith("let the role trust the ServiceAccount of the pods")


def test_what_s3_repeats_is_not_repeated() -> None:
    refusal = S3Refusal("s3:443", "GetObject", 400, "InvalidToken", "you\nsent example-token")
    message = str(translate_s3_refusal(refusal, ("example-token",)))
    assert "InvalidToken: you sent [redacted]; correct AWS_ACCESS_KEY_ID" in message


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SettingsError("x"), exits.CONFIGURATION),
        (ModelError("x"), exits.ARTIFACT_INVALID),
        (PredictionError("x"), exits.ARTIFACT_INVALID),
        (FetchError("x"), exits.STORE_UNAVAILABLE),
        (ServingError("x"), 1),
    ],
)
def test_every_error_has_a_code(error: ServingError, code: int) -> None:
    assert exit_code(error) == code


def test_no_exit_is_two_faults() -> None:
    assert not exits.FAULTS_OF_THE_VERSION & exits.FAULTS_OF_THE_SURROUNDINGS


def test_nobody_is_nobody() -> None:
    assert authorize("", "", "").headers == {}


def test_a_user_and_a_password_win_over_a_token() -> None:
    assert authorize("ann", "pa:ss", "t").headers == {"Authorization": "Basic YW5uOnBhOnNz"}
    assert authorize("", "", "t-1").headers == {"Authorization": "Bearer t-1"}


@pytest.mark.parametrize(
    ("username", "password", "token", "variable"),
    [
        ("ann", "", "", "MLFLOW_TRACKING_PASSWORD"),
        ("", "example-pass", "", "MLFLOW_TRACKING_USERNAME"),
        ("an:n", "example-pass", "", "MLFLOW_TRACKING_USERNAME"),
        ("", "", "example-pass\r\nX-Evil: 1", "MLFLOW_TRACKING_TOKEN"),
        ("", "", "example-pass two", "MLFLOW_TRACKING_TOKEN"),
        ("", "", "example-passé", "MLFLOW_TRACKING_TOKEN"),
    ],
)
def test_credentials_that_cannot_be_sent_are_named_and_not_shown(
    username: str, password: str, token: str, variable: str
) -> None:
    with pytest.raises(SettingsError, match=variable) as caught:
        authorize(username, password, token)
    assert "example-pass" not in str(caught.value)


@pytest.mark.parametrize(
    "who", [authorize("ann", "example-pass", ""), authorize("", "", "example-pass")], ids=repr
)
def test_a_server_that_repeats_the_credentials_is_not_repeated(who: Authorization) -> None:
    echo = f"you sent {who.header} and example-pass".encode()
    message = str(refuse(401, echo, who))
    assert "[redacted]" in message
    assert "refuses these credentials" in message
    for secret in who.secrets:
        assert secret not in message + repr(who)
