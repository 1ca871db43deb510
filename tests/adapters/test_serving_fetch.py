"""`fetch` against MLflow's own artifact proxy, and against servers that mean no good."""

import shutil
import socket
from pathlib import Path
from urllib.parse import urlencode

import pytest

from regisseur_contract.exits import (
    ARTIFACT_INVALID,
    ARTIFACT_MISSING,
    CONFIGURATION,
    DISK_REFUSED,
    STORE_DENIED,
    STORE_UNAVAILABLE,
)
from support.hostile_store import Exchange, hostile_store
from support.mlflow_server import MlflowServer, free_port
from support.model_folders import ModelFolder
from support.model_versions import call, create_model_version
from support.serving_process import Ended, run_fetch

URI = "mlflow-artifacts:/1/model"
GONE = b'{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "No such artifact"}'
MLMODEL = {"path": "MLmodel", "is_dir": False, "file_size": "4"}


def register(server: MlflowServer, name: str, folder: Path) -> str:
    """Put a folder behind a model version and return where the registry says it is."""
    version = create_model_version(server, name, folder=folder)
    query = urlencode({"name": name, "version": version})
    found = call(server, "GET", f"/api/2.0/mlflow/model-versions/get-download-uri?{query}")
    return str(found["artifact_uri"])


def content(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def failure(ended: Ended, target: Path, code: int = STORE_UNAVAILABLE) -> str:
    """The reason of a failed fetch, which left nothing behind."""
    assert ended.returncode == code, ended.stderr
    assert "Traceback" not in ended.stderr
    assert not [path for path in target.parent.glob("*") if path.name != "termination-log"]
    last = ended.stderr.splitlines()[-1]
    assert last.startswith("error: ")
    return last


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "volume" / "current"


def test_a_registered_model_arrives_whole(
    mlflow_server: MlflowServer, model_name: str, linear_folder: ModelFolder, target: Path
) -> None:
    odd = target.parent.parent / "source"
    shutil.copytree(linear_folder.path, odd)
    (odd / "sub folder" / "deep").mkdir(parents=True)
    (odd / "sub folder" / "deep" / "ünïcode &+.bin").write_bytes(b"x" * 3_000_000)
    (odd / "sub folder" / "empty").write_bytes(b"")
    uri = register(mlflow_server, model_name, odd)
    first = run_fetch(uri, mlflow_server.url, target)
    assert first.returncode == 0, first.stderr
    assert first.stdout.startswith(f"fetched {len(content(odd))} files, ")
    assert content(target) == content(odd)
    assert first.stderr == ""
    again = run_fetch(uri, mlflow_server.url, target)
    assert again.stdout == f"{target} holds the model already\n"


def test_a_version_that_points_at_nothing_is_said_so(
    mlflow_server: MlflowServer, model_name: str, target: Path
) -> None:
    uri = register(mlflow_server, model_name, target.parent)
    ended = run_fetch(uri, mlflow_server.url, target)
    assert "there is no file MLmodel" in failure(ended, target, ARTIFACT_MISSING)


def test_the_reason_reaches_the_termination_log(target: Path) -> None:
    target.parent.mkdir()
    log = target.parent / "termination-log"
    log.touch()
    ended = run_fetch("gs://bucket/model", "http://127.0.0.1:1", target)
    assert "only mlflow-artifacts:/<path> and s3://" in failure(ended, target, ARTIFACT_INVALID)
    assert log.read_text() == ended.stderr.strip().replace("error:", "fetch:")


@pytest.mark.parametrize("address", ["mlflow:5000", "ftp://mlflow", "http://", "http://m:port"])
def test_an_address_that_is_none_is_said_so(address: str, target: Path) -> None:
    ended = run_fetch(URI, address, target)
    assert "http://host:port" in failure(ended, target, CONFIGURATION)


def test_credentials_in_the_address_are_refused_and_not_repeated(target: Path) -> None:
    ended = run_fetch(URI, "http://user:example@mlflow", target)
    reason = failure(ended, target, CONFIGURATION)
    assert "holds a user name" in reason
    assert "example" not in reason


def test_a_server_that_is_away_for_a_moment_costs_a_moment(target: Path) -> None:
    def behave(exchange: Exchange) -> None:
        if exchange.number in {1, 3}:
            exchange.answer(b"busy", status=503)
        elif exchange.number == 4:
            exchange.answer(b"ab", length=4)
        elif exchange.listed:
            exchange.answer_files(MLMODEL)
        else:
            exchange.answer(b"abcd")

    with hostile_store(behave) as url:
        ended = run_fetch(URI, url, target)
    assert ended.returncode == 0, ended.stderr
    assert (target / "MLmodel").read_bytes() == b"abcd"
    assert ended.stderr.count("trying again") == 3


def test_a_server_that_is_not_there_is_named(target: Path) -> None:
    address = f"http://127.0.0.1:{free_port()}"
    reason = failure(run_fetch(URI, address, target, timeout_seconds=1.5), target)
    assert f"cannot reach {address.removeprefix('http://')}" in reason
    assert "took longer than 1.5 s" in reason


def test_a_server_that_accepts_and_says_nothing_is_given_up(target: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        reason = failure(run_fetch(URI, address, target, timeout_seconds=1), target)
    assert "took longer than 1 s" in reason


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        pytest.param(b"", b"H", id="no status line"),
        pytest.param(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n", id="endless headers"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b" ", id="slow listing"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"1\r\n \r\n",
            id="slow chunks",
        ),
    ],
)
def test_a_dripping_server_cannot_outlast_the_deadline(
    start: bytes, piece: bytes, target: Path
) -> None:
    def behave(exchange: Exchange) -> None:
        exchange.wfile.write(start)
        exchange.drip(piece)

    with hostile_store(behave) as url:
        reason = failure(run_fetch(URI, url, target, timeout_seconds=1), target)
    assert "took longer than 1 s; stopped before the list of files was complete" in reason


def test_a_dripping_file_tells_how_far_it_came(target: Path) -> None:
    def behave(exchange: Exchange) -> None:
        if exchange.listed:
            exchange.answer_files({**MLMODEL, "file_size": "99999"})
        else:
            exchange.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n")
            exchange.drip(b"x")

    with hostile_store(behave) as url:
        reason = failure(run_fetch(URI, url, target, timeout_seconds=1), target)
    assert "stopped after 0 of 1 files, 0 of 99999 bytes" in reason


@pytest.mark.parametrize(
    ("body", "length"),
    [
        pytest.param(b"abc", None, id="less than listed"),
        pytest.param(b"abcde", None, id="more than listed"),
        pytest.param(b"abc", 4, id="less than announced"),
    ],
)
def test_a_file_of_another_size_is_no_file(body: bytes, length: int | None, target: Path) -> None:
    def behave(exchange: Exchange) -> None:
        if exchange.listed:
            exchange.answer_files(MLMODEL)
        else:
            exchange.answer(body, length=length)

    with hostile_store(behave) as url:
        reason = failure(run_fetch(URI, url, target, timeout_seconds=1.5), target)
    assert "last trouble: " in reason


@pytest.mark.parametrize("name", ["../escape", "/etc/cron.d/escape", "..", "a/../../escape"])
def test_a_name_cannot_leave_the_folder(name: str, target: Path) -> None:
    def behave(exchange: Exchange) -> None:
        if exchange.listed:
            exchange.answer_files(MLMODEL, {"path": name, "is_dir": False, "file_size": "4"})
        else:
            exchange.answer(b"evil")

    with hostile_store(behave) as url:
        reason = failure(run_fetch(URI, url, target), target, ARTIFACT_INVALID)
    assert "no plain file name" in reason


def test_folders_without_end_are_given_up(target: Path) -> None:
    def behave(exchange: Exchange) -> None:
        exchange.answer_files(MLMODEL, {"path": "again", "is_dir": True})

    with hostile_store(behave) as url:
        reason = failure(run_fetch(URI, url, target), target, ARTIFACT_INVALID)
    assert "that is no model folder" in reason


@pytest.mark.parametrize(
    ("status", "body", "complaint", "code"),
    [
        (401, b"", "answered 401; the server wants credentials", STORE_DENIED),
        (403, b"Invalid Host header\r\n", "Invalid Host header; check the perm", STORE_DENIED),
        (404, b"<html>", "the URL is not that of an MLflow server", STORE_UNAVAILABLE),
        (404, GONE, "No such artifact; the artifact is gone", ARTIFACT_MISSING),
        (302, b"", "answered 302", STORE_UNAVAILABLE),
        (200, b"<html>", "a listing that is not JSON", STORE_UNAVAILABLE),
        (200, b"[]", "no listing of files", STORE_UNAVAILABLE),
    ],
)
def test_a_refusal_says_whose_fault_it_is_and_what_to_look_at(
    status: int, body: bytes, complaint: str, code: int, target: Path
) -> None:
    with hostile_store(lambda exchange: exchange.answer(body, status=status)) as url:
        ended = run_fetch(URI, url, target, timeout_seconds=1.5)
    assert complaint in failure(ended, target, code)
    assert ("trying again" in ended.stderr) is (body == b"<html>" and status == 200)


def test_a_volume_that_cannot_be_written_is_no_fault_of_the_store(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with hostile_store(lambda exchange: exchange.answer_files(MLMODEL)) as url:
        ended = run_fetch(URI, url, tmp_path / "file" / "current")
    assert ended.returncode == DISK_REFUSED
    assert "the volume must be writable and large enough" in ended.stderr
