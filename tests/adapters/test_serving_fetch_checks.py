"""`fetch` takes the expected files from whoever may give them, and nothing else."""

from base64 import b64encode
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
from support.model_versions import create_model_version, digest_folder
from support.serving_process import run_fetch
from support.stored_files import StoredFiles

URI = "mlflow-artifacts:/1/model"
SERVED_URI = "mlflow-artifacts:/1/served"
OTHER_DIGEST = f"sha256:{'0' * 64}"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "volume" / "current"
    folder.parent.mkdir()
    return folder


@pytest.fixture
def stored(mlflow_server: MlflowServer, model_name: str, linear_folder: ModelFolder) -> StoredFiles:
    version = create_model_version(mlflow_server, model_name, folder=linear_folder.path)
    return StoredFiles(mlflow_server, model_name, version)


def serve_one_file(exchange: Exchange) -> None:
    if exchange.listed:
        exchange.answer_files({"path": "MLmodel", "is_dir": False, "file_size": "4"})
    else:
        exchange.answer(b"abcd")


def test_the_expected_files_are_let_in_and_their_digest_is_told(
    mlflow_server: MlflowServer, stored: StoredFiles, linear_folder: ModelFolder, target: Path
) -> None:
    digest = digest_folder(linear_folder.path)
    ended = run_fetch(
        stored.uri, mlflow_server.url, target, REGISSEUR_EXPECTED_DIGEST=digest.upper()
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.rstrip().endswith(digest)
    assert digest == stored.digest


def test_a_file_that_took_two_attempts_has_the_digest_of_one(tmp_path: Path, target: Path) -> None:
    def behave(exchange: Exchange) -> None:
        if exchange.number == 2:
            exchange.answer(b"ab", length=4)
        else:
            serve_one_file(exchange)

    (tmp_path / "same").mkdir()
    (tmp_path / "same" / "MLmodel").write_bytes(b"abcd")
    digest = digest_folder(tmp_path / "same")
    with hostile_store(behave) as url:
        ended = run_fetch(URI, url, target, REGISSEUR_EXPECTED_DIGEST=digest)
    assert ended.returncode == 0, ended.stderr
    assert "trying again" in ended.stderr


def test_an_artifact_that_was_overwritten_in_place_is_refused(
    mlflow_server: MlflowServer, stored: StoredFiles, target: Path
) -> None:
    before = stored.digest
    stored.overwrite("MLmodel", b"other: content\n")
    (target.parent / "termination-log").touch()
    ended = run_fetch(stored.uri, mlflow_server.url, target, REGISSEUR_EXPECTED_DIGEST=before)
    assert ended.returncode == DIGEST_MISMATCH
    assert before in ended.stderr
    assert stored.digest in ended.stderr
    assert "changed after the version was registered or checked; register a new" in ended.stderr
    assert not target.exists()
    assert (target.parent / "termination-log").read_text().startswith("fetch: the files at ")


def test_a_restarted_container_of_another_rollout_fetches_again(
    mlflow_server: MlflowServer, stored: StoredFiles, target: Path
) -> None:
    assert run_fetch(stored.uri, mlflow_server.url, target).returncode == 0
    ended = run_fetch(stored.uri, mlflow_server.url, target, REGISSEUR_EXPECTED_DIGEST=OTHER_DIGEST)
    assert ended.returncode == DIGEST_MISMATCH


def test_a_model_whose_files_are_gone_is_missing(
    mlflow_server: MlflowServer, model_name: str, target: Path
) -> None:
    version = create_model_version(mlflow_server, model_name)
    uri = StoredFiles(mlflow_server, model_name, version).uri
    ended = run_fetch(uri, mlflow_server.url, target)
    assert ended.returncode == ARTIFACT_MISSING
    assert "the version does not point at a model" in ended.stderr


def test_a_file_that_disappears_in_between_is_missing(target: Path) -> None:
    def behave(exchange: Exchange) -> None:
        if exchange.listed:
            serve_one_file(exchange)
        else:
            body = b'{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "No such artifact"}'
            exchange.answer(body, status=404)

    with hostile_store(behave) as url:
        ended = run_fetch(URI, url, target)
    assert ended.returncode == ARTIFACT_MISSING


def test_credentials_of_the_environment_open_the_store(target: Path) -> None:
    expected = f"Basic {b64encode(b'ann:example-pass').decode()}"

    def behave(exchange: Exchange) -> None:
        if exchange.headers["Authorization"] == expected:
            serve_one_file(exchange)
        else:
            exchange.answer(b"You are not authenticated.", status=401)

    with hostile_store(behave) as url:
        stranger = run_fetch(URI, url, target)
        wrong = run_fetch(
            *(URI, url, target),
            MLFLOW_TRACKING_USERNAME="ann",
            MLFLOW_TRACKING_PASSWORD="example-wrong",
        )
        right = run_fetch(
            *(URI, url, target),
            MLFLOW_TRACKING_USERNAME="ann",
            MLFLOW_TRACKING_PASSWORD="example-pass\n",
        )
    assert stranger.returncode == wrong.returncode == STORE_DENIED
    assert "the server wants credentials" in stranger.stderr
    assert "the server refuses these credentials" in wrong.stderr
    assert right.returncode == 0, right.stderr
    assert "example" not in wrong.stderr + right.stderr + right.stdout


def test_a_token_opens_the_store(target: Path) -> None:
    def behave(exchange: Exchange) -> None:
        if exchange.headers["Authorization"] == "Bearer example-token":
            serve_one_file(exchange)
        else:
            exchange.answer(str(exchange.headers).encode(), status=403)

    with hostile_store(behave) as url:
        right = run_fetch(URI, url, target, MLFLOW_TRACKING_TOKEN="example-token\n")
        wrong = run_fetch(SERVED_URI, url, target, MLFLOW_TRACKING_TOKEN="example-other")
        torn = run_fetch(SERVED_URI, url, target, MLFLOW_TRACKING_TOKEN="example\nother")
    assert right.returncode == 0, right.stderr
    assert wrong.returncode == STORE_DENIED
    assert "Bearer [redacted]" in wrong.stderr
    assert torn.returncode == CONFIGURATION
    assert "example" not in wrong.stderr + torn.stderr


def test_credentials_are_not_sent_to_where_a_redirect_leads(target: Path) -> None:
    elsewhere: list[str] = []

    def listen(exchange: Exchange) -> None:
        elsewhere.append(exchange.path)
        serve_one_file(exchange)

    with hostile_store(listen) as other:

        def behave(exchange: Exchange) -> None:
            exchange.answer(b"", status=307, Location=f"{other}{exchange.path}")

        with hostile_store(behave) as url:
            ended = run_fetch(URI, url, target, MLFLOW_TRACKING_TOKEN="example-token")
    assert ended.returncode == STORE_UNAVAILABLE
    assert "answered 307" in ended.stderr
    assert elsewhere == []


def test_the_served_versions_mlmodel_comes_along_alone(
    mlflow_server: MlflowServer, stored: StoredFiles, target: Path
) -> None:
    ended = run_fetch(
        stored.uri, mlflow_server.url, target, REGISSEUR_SERVED_ARTIFACT_URI=stored.uri
    )
    assert ended.returncode == 0, ended.stderr
    served = target.with_name("served")
    assert [path.name for path in served.iterdir()] == ["MLmodel"]
    assert (served / "MLmodel").read_bytes() == (target / "MLmodel").read_bytes()
    again = run_fetch(stored.uri, mlflow_server.url, target)
    assert again.returncode == 0, again.stderr


@pytest.mark.parametrize("uri", [SERVED_URI, "gs://bucket/served"])
def test_a_served_version_that_is_gone_leaves_a_note_and_no_fault(
    mlflow_server: MlflowServer, stored: StoredFiles, target: Path, uri: str
) -> None:
    ended = run_fetch(stored.uri, mlflow_server.url, target, REGISSEUR_SERVED_ARTIFACT_URI=uri)
    assert ended.returncode == 0, ended.stderr
    assert "the served version's MLmodel is gone" in ended.stdout
    assert not target.with_name("served").exists()
    assert uri in target.with_name("served.gone").read_text()
    back = run_fetch(
        stored.uri, mlflow_server.url, target, REGISSEUR_SERVED_ARTIFACT_URI=stored.uri
    )
    assert back.returncode == 0, back.stderr
    assert sorted(path.name for path in target.parent.iterdir()) == [
        *("current", "current.fetched", "served")
    ]


@pytest.mark.parametrize(
    ("status", "code"), [(403, STORE_DENIED), (404, STORE_UNAVAILABLE), (501, STORE_UNAVAILABLE)]
)
def test_a_store_that_fails_over_the_served_version_is_waited_for(
    target: Path, status: int, code: int
) -> None:
    def behave(exchange: Exchange) -> None:
        if exchange.listed and exchange.listed.endswith("served"):
            exchange.answer(b"", status=status)
        else:
            serve_one_file(exchange)

    with hostile_store(behave) as url:
        ended = run_fetch(URI, url, target, REGISSEUR_SERVED_ARTIFACT_URI=SERVED_URI)
    assert ended.returncode == code
    assert not target.with_name("served.gone").exists()


def test_a_place_of_another_kind_is_the_versions_own_fault(target: Path) -> None:
    ended = run_fetch("gs://bucket/model", f"http://127.0.0.1:{free_port()}", target)
    assert ended.returncode == ARTIFACT_INVALID


def test_a_model_larger_than_the_pod_takes_is_the_versions_own_fault(target: Path) -> None:
    asked: list[str] = []

    def behave(exchange: Exchange) -> None:
        asked.append(exchange.path)
        size = str(3 << 30)
        exchange.answer_files(
            {"path": "MLmodel", "is_dir": False, "file_size": "4"},
            {"path": "model.skops", "is_dir": False, "file_size": size},
        )

    (target.parent / "termination-log").touch()
    with hostile_store(behave) as url:
        ended = run_fetch(URI, url, target, REGISSEUR_MODEL_SIZE_LIMIT_BYTES=str(2 << 30))
    assert ended.returncode == ARTIFACT_INVALID
    said = (target.parent / "termination-log").read_text()
    assert "has 3221225476 bytes (3072 MiB), and a pod takes 2147483648 bytes (2048 MiB)" in said
    assert len(asked) == 1, "only the listing was asked for"
