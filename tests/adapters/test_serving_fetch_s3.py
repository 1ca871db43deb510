"""`fetch` from a bucket of a real server of S3's protocol: what arrives, and who is let in."""

from pathlib import Path

import pytest

from regisseur_contract.exits import (
    ARTIFACT_INVALID,
    ARTIFACT_MISSING,
    CONFIGURATION,
    DIGEST_MISMATCH,
    STORE_DENIED,
    STORE_UNAVAILABLE,
)
from support.hostile_store import Exchange, hostile_store
from support.mlflow_server import MlflowServer, free_port
from support.model_folders import ModelFolder
from support.model_versions import digest_folder
from support.s3_server import ADMIN, BUCKET, READER, STRANGER, S3Server, as_user
from support.serving_process import Ended, run_fetch

NO_REGISTRY = "http://127.0.0.1:1"

STS_REFUSAL = (
    b"<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>"
    b"<Message>Not authorized to perform sts:AssumeRoleWithWebIdentity</Message></Error>"
    b"</ErrorResponse>"
)
STS_ANSWER = (
    "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>"
    f"<AccessKeyId>{READER[0]}</AccessKeyId><SecretAccessKey>{READER[1]}</SecretAccessKey>"
    "<SessionToken></SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>"
    "</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"
)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "volume" / "current"
    folder.parent.mkdir()
    return folder


def fetch(server: S3Server, prefix: str, target: Path, **more: str) -> Ended:
    environment = {"MLFLOW_S3_ENDPOINT_URL": server.url} | as_user(READER) | more
    return run_fetch(
        f"s3://{BUCKET}/{prefix}", NO_REGISTRY, target, timeout_seconds=15.0, **environment
    )


def failure(ended: Ended, code: int) -> str:
    """The reason of a failed fetch: one line without a secret."""
    assert ended.returncode == code, ended.stderr
    assert "Traceback" not in ended.stderr
    assert "secret" not in ended.stderr.replace("AWS_SECRET_ACCESS_KEY", "")
    last = ended.stderr.splitlines()[-1]
    assert last.startswith("error: ")
    return last


def content(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_model_in_a_bucket_arrives_whole(
    s3_server: S3Server, model_name: str, linear_folder: ModelFolder, target: Path
) -> None:
    odd = {
        "sub folder/deep/ünïcode &+%2F?#.bin": b"x" * 3_000_000,
        "sub folder/empty": b"",
        "sub folder/deep/~!'()*;:@=,$[]": b"odd",
    }
    s3_server.put_folder(model_name, linear_folder.path)
    s3_server.put(model_name, odd)
    s3_server.put(f"{model_name}-2", {"MLmodel": b"of another model"})
    first = fetch(s3_server, model_name, target)
    assert first.returncode == 0, first.stderr
    assert content(target) == content(linear_folder.path) | odd
    assert first.stderr == ""
    assert first.stdout.rstrip().endswith(digest_folder(target))
    again = fetch(s3_server, model_name, target)
    assert again.stdout == f"{target} holds the model already\n"


def test_folders_that_a_console_made_are_no_files(
    s3_server: S3Server, model_name: str, target: Path
) -> None:
    s3_server.put(model_name, {"": b"", "MLmodel": b"m", "data/": b"", "data/x": b"1"})
    ended = fetch(s3_server, f"{model_name}/", target)
    assert ended.returncode == 0, ended.stderr
    assert content(target) == {"MLmodel": b"m", "data/x": b"1"}


@pytest.mark.deep
@pytest.mark.timeout(120, func_only=True)
def test_a_listing_of_many_pages_is_read_to_its_end(
    s3_server: S3Server, model_name: str, target: Path
) -> None:
    names = [f"part-{number:04}" for number in range(1010)]
    s3_server.put(model_name, {"MLmodel": b"m"} | dict.fromkeys(names, b""))
    ended = fetch(s3_server, model_name, target)
    assert ended.returncode == 0, ended.stderr
    assert sorted(content(target)) == ["MLmodel", *names]


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"])
def test_amazons_own_variables_name_the_server_too(
    s3_server: S3Server, model_name: str, target: Path, variable: str
) -> None:
    s3_server.put(model_name, {"MLmodel": b"m"})
    ended = fetch(
        s3_server, model_name, target, MLFLOW_S3_ENDPOINT_URL="", **{variable: s3_server.url}
    )
    assert ended.returncode == 0, ended.stderr


def test_credentials_of_a_file_open_the_bucket_and_line_breaks_of_a_secret_do_no_harm(
    s3_server: S3Server, model_name: str, target: Path
) -> None:
    s3_server.put(model_name, {"MLmodel": b"m"})
    torn = fetch(
        s3_server,
        model_name,
        target,
        **{name: f"{value}\n" for name, value in as_user(READER).items()},
        AWS_REGION="eu-central-1\n",
    )
    assert torn.returncode == 0, torn.stderr
    file = target.parent.parent / "credentials"
    keys = as_user(READER).items()
    file.write_text("[team]\n" + "".join(f"{name.lower()} = {value}\n" for name, value in keys))
    by_file = fetch(
        s3_server,
        f"{model_name}/",
        target,
        AWS_ACCESS_KEY_ID="",
        AWS_SECRET_ACCESS_KEY="",
        AWS_SHARED_CREDENTIALS_FILE=str(file),
        AWS_PROFILE="team",
        REGISSEUR_MODEL_DIR=str(target.with_name("by-file")),
    )
    assert by_file.returncode == 0, by_file.stderr


def test_what_was_overwritten_is_refused_by_its_digest(
    s3_server: S3Server, model_name: str, linear_folder: ModelFolder, target: Path
) -> None:
    s3_server.put_folder(model_name, linear_folder.path)
    digest = digest_folder(linear_folder.path)
    good = fetch(s3_server, model_name, target, REGISSEUR_EXPECTED_DIGEST=digest)
    assert good.returncode == 0, good.stderr
    s3_server.put(model_name, {"MLmodel": b"other: content\n"})
    other = target.with_name("other")
    ended = fetch(
        s3_server,
        model_name,
        target,
        REGISSEUR_EXPECTED_DIGEST=digest,
        REGISSEUR_MODEL_DIR=str(other),
    )
    assert "register a new version" in failure(ended, DIGEST_MISMATCH)
    assert not other.exists()


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        pytest.param(as_user(STRANGER), "AccessDenied: .*need s3:ListBucket", id="no permission"),
        pytest.param(
            {"AWS_SECRET_ACCESS_KEY": "example-wrong-secret"},
            "SignatureDoesNotMatch: .*correct AWS_ACCESS_KEY_ID",
            id="wrong secret",
        ),
        pytest.param(
            {"AWS_ACCESS_KEY_ID": "EXAMPLENOBODY"},
            "InvalidAccessKeyId: .*correct AWS_ACCESS_KEY_ID",
            id="unknown key",
        ),
        pytest.param(
            {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""},
            r"wants AWS credentials \(none was found\); set AWS_ACCESS_KEY_ID .* or give the Serv",
            id="none",
        ),
        pytest.param(
            {"AWS_SECRET_ACCESS_KEY": ""},
            r"\(Partial credentials found in env, missing: AWS_SECRET_ACCESS_KEY\)",
            id="half of them",
        ),
    ],
)
def test_who_is_not_let_in_is_told_what_to_set(
    s3_server: S3Server, model_name: str, target: Path, changes: dict[str, str], complaint: str
) -> None:
    s3_server.put(model_name, {"MLmodel": b"m"})
    ended = fetch(s3_server, model_name, target, **changes)
    with pytest.raises(AssertionError, match=complaint):
        raise AssertionError(failure(ended, STORE_DENIED))
    assert "trying again" not in ended.stderr
    assert not target.exists()


def test_a_bucket_or_a_key_that_is_not_there_is_missing(
    s3_server: S3Server, model_name: str, target: Path
) -> None:
    nothing = fetch(s3_server, model_name, target)
    assert f"no file MLmodel at s3://{BUCKET}/{model_name}" in failure(nothing, ARTIFACT_MISSING)
    bucket = run_fetch(
        "s3://elsewhere/model",
        NO_REGISTRY,
        target,
        timeout_seconds=15.0,
        MLFLOW_S3_ENDPOINT_URL=s3_server.url,
        **as_user(ADMIN),
    )
    assert "NoSuchBucket" in failure(bucket, ARTIFACT_MISSING)


@pytest.mark.parametrize(
    ("changes", "code", "complaint"),
    [
        ({"MLFLOW_S3_ENDPOINT_URL": "minio:9000"}, CONFIGURATION, "MLFLOW_S3_ENDPOINT_URL"),
        ({"AWS_PROFILE": "nobody"}, CONFIGURATION, "config profile .nobody. could not be found"),
    ],
)
def test_a_senseless_configuration_is_named(
    s3_server: S3Server, target: Path, changes: dict[str, str], code: int, complaint: str
) -> None:
    ended = fetch(s3_server, "model", target, **changes)
    with pytest.raises(AssertionError, match=complaint):
        raise AssertionError(failure(ended, code))


def test_a_model_larger_than_the_pod_takes_is_the_versions_own_fault(
    s3_server: S3Server, model_name: str, target: Path
) -> None:
    s3_server.put(model_name, {"MLmodel": b"m" * 100})
    ended = fetch(s3_server, model_name, target, REGISSEUR_MODEL_SIZE_LIMIT_BYTES="99")
    assert "has 100 bytes" in failure(ended, ARTIFACT_INVALID)


def test_the_role_of_a_service_account_opens_the_bucket(
    s3_server: S3Server, model_name: str, target: Path
) -> None:
    """What Amazon's webhook puts into the fetch container: a role and a token in a file."""
    s3_server.put(model_name, {"MLmodel": b"m"})
    token = target.parent / "token"
    token.write_text("example-token")
    asked: list[bytes] = []

    def exchange_token(exchange: Exchange) -> None:
        asked.append(exchange.rfile.read(int(exchange.headers["Content-Length"])))
        if len(asked) == 1:
            exchange.answer(STS_REFUSAL, status=403)
        else:
            exchange.answer(STS_ANSWER.encode())

    with hostile_store(exchange_token) as sts:
        environment = {
            "AWS_ACCESS_KEY_ID": "",
            "AWS_SECRET_ACCESS_KEY": "",
            "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/wine-reader",
            "AWS_WEB_IDENTITY_TOKEN_FILE": str(token),
            "AWS_REGION": "eu-central-1",
            "AWS_ENDPOINT_URL_STS": sts,
        }
        refused = fetch(s3_server, model_name, target, **environment)
        allowed = fetch(s3_server, model_name, target, **environment)
    assert "let the role trust the ServiceAccount" in failure(refused, STORE_DENIED)
    assert b"WebIdentityToken=example-token" in asked[0]
    assert allowed.returncode == 0, allowed.stderr


def test_the_served_version_may_be_in_another_store(
    s3_server: S3Server, mlflow_server: MlflowServer, model_name: str, target: Path
) -> None:
    s3_server.put(model_name, {"MLmodel": b"old"})
    s3_server.put(f"{model_name}-2", {"MLmodel": b"new"})
    served = target.with_name("served")
    ended = fetch(
        s3_server,
        f"{model_name}-2",
        target,
        REGISSEUR_SERVED_ARTIFACT_URI=f"s3://{BUCKET}/{model_name}",
    )
    assert ended.returncode == 0, ended.stderr
    assert (served / "MLmodel").read_bytes() == b"old"
    gone = run_fetch(
        f"s3://{BUCKET}/{model_name}-2",
        mlflow_server.url,
        target,
        timeout_seconds=15.0,
        MLFLOW_S3_ENDPOINT_URL=s3_server.url,
        REGISSEUR_SERVED_ARTIFACT_URI="mlflow-artifacts:/none/such",
        **as_user(READER),
    )
    assert gone.returncode == 0, gone.stderr
    assert "the served version's MLmodel is gone" in gone.stdout


def test_a_server_that_is_not_there_is_waited_for_and_named(target: Path) -> None:
    address = f"http://127.0.0.1:{free_port()}"
    ended = run_fetch(
        f"s3://{BUCKET}/model",
        NO_REGISTRY,
        target,
        timeout_seconds=4.0,
        MLFLOW_S3_ENDPOINT_URL=address,
        **as_user(READER),
    )
    reason = failure(ended, STORE_UNAVAILABLE)
    assert "took longer than 4 s" in reason
    assert address in reason
    assert "trying again" in ended.stderr
