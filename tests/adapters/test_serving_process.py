"""The server as a process, over real sockets."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from regisseur_contract.drift import FILE_NAME, DriftReference, Edges, describe_drift_reference
from regisseur_contract.exits import ARTIFACT_INVALID, CONFIGURATION, USAGE
from support.eventually import eventually
from support.model_folders import ModelFolder
from support.serving_process import COMMAND, ServingProcess, own_environment

pytestmark = pytest.mark.timeout(60, func_only=True)
"""Most of that is for the start of a server on a busy machine."""


@pytest.mark.parametrize("kind", ["linear_folder", "forest_folder", "mixed_folder"])
def test_a_model_is_served(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    folder: ModelFolder = request.getfixturevalue(kind)
    with ServingProcess(folder.path, tmp_path) as server:
        server.wait_until_ready()
        reply = server.ask("/predict", {"records": folder.records(20)})
        assert reply.status == 200
        assert reply.json == {
            "predictions": folder.predictions[:20],
            "model": {"name": "wine", "version": "7", "run_id": "r-7"},
        }
        assert reply.headers["x-model-version"] == "7"
        described = server.ask("/model").json
        assert described["sklearn_version"]
        assert server.ask("/predict", {"records": described["input_example"]}).status == 200
        metrics = server.ask_admin("/metrics").body.decode()
        assert 'regisseur_serving_model_info{name="wine",run_id="r-7",version="7"} 1.0' in metrics


def test_what_is_measured_is_told_on_the_admin_port_alone(
    linear_folder: ModelFolder, tmp_path: Path
) -> None:
    with ServingProcess(linear_folder.path, tmp_path) as server:
        server.wait_until_ready()
        assert server.ask_admin("/metrics").status == 200
        assert server.ask("/metrics").status == 404
        assert server.ask_admin("/predict").status == 404
        assert server.ask_admin("/docs").status == 404
        for route in ("/healthz", "/readyz"):
            assert server.ask_admin(route).status == server.ask(route).status == 200


def test_rows_are_counted_on_the_bins_that_came_with_the_model(
    linear_folder: ModelFolder, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(linear_folder.path, folder)
    reference = DriftReference({"alcohol": Edges((0.0, 100.0))}, ())
    (folder / FILE_NAME).write_text(json.dumps(describe_drift_reference(reference)))
    with ServingProcess(folder, tmp_path) as server:
        server.wait_until_ready()
        server.ask("/predict", {"records": linear_folder.records(150)})
        told = server.ask_admin("/monitoring/profile").json
    assert told["rows"] == 150
    assert told["features"]["alcohol"]["counts"] == [0, 150, 0]
    (prediction,) = told["predictions"]
    answers = linear_folder.predictions[:150]
    assert prediction["counts"] == [answers.count(label) for label in prediction["categories"]]


def test_a_wrong_value_is_named_by_row_and_field(
    linear_folder: ModelFolder, tmp_path: Path
) -> None:
    records = linear_folder.records(3)
    records[2]["alcohol"] = "much"
    with ServingProcess(linear_folder.path, tmp_path) as server:
        server.wait_until_ready()
        reply = server.ask("/predict", {"records": records})
    assert reply.status == 422
    assert reply.json == {
        "detail": [
            {
                "loc": ["body", "records", 2, "alcohol"],
                "msg": "Input should be a valid number",
                "type": "float_type",
            }
        ]
    }


def test_a_broken_model_ends_the_process_with_its_reason(tmp_path: Path) -> None:
    with ServingProcess(tmp_path / "nothing", tmp_path) as server:
        assert server.wait() == ARTIFACT_INVALID
    (line,) = [line for line in server.log.read_text().splitlines() if "error" in line]
    assert line.startswith("error: there is no file MLmodel")
    assert server.termination_log.read_text() == line.replace("error:", "serve:")


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (["serve"], CONFIGURATION, "error: REGISSEUR_MODEL_NAME: Field required"),
        (["fetch"], CONFIGURATION, "error: REGISSEUR_ARTIFACT_URI is not set"),
        ([], USAGE, "usage: python -m regisseur_serving {fetch,convert,rehearse,serve}"),
        (["train"], USAGE, "usage: python -m regisseur_serving {fetch,convert,rehearse,serve}"),
    ],
)
def test_a_wrong_call_is_answered_in_one_line(arguments: list[str], code: int, line: str) -> None:
    ended = subprocess.run(
        [*COMMAND, *arguments],
        env=own_environment(),
        check=False,
        capture_output=True,
        text=True,
        timeout=15,
    )
    assert (ended.returncode, ended.stdout) == (code, "")
    assert ended.stderr.startswith(line)
    assert ended.stderr.count("\n") == 1


def test_strangers_and_endless_heads_are_refused(
    linear_folder: ModelFolder, tmp_path: Path
) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text("an-example-token\n")
    body = {"records": linear_folder.records(1)}
    settings = {"REGISSEUR_TOKEN_FILE": str(tokens)}
    with ServingProcess(linear_folder.path, tmp_path, settings=settings) as server:
        server.wait_until_ready()
        assert server.ask("/predict", body).status == 401
        assert server.ask("/predict", body, Authorization="Bearer an-example-token").status == 200
        reply = server.ask("/predict", body, Cookie="SECRET" * 10_000)
        assert (reply.status, reply.headers["connection"]) == (431, "close")
        assert server.ask(f"/{'SECRET' * 2000}").status == 414
        assert server.ask("/readyz").status == 200
    assert "SECRET" not in server.log.read_text()


def test_a_token_file_that_is_not_there_ends_the_process_with_its_reason(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    with ServingProcess(
        tmp_path, tmp_path, settings={"REGISSEUR_TOKEN_FILE": str(missing)}
    ) as server:
        assert server.wait() == CONFIGURATION
    reason = f"the token file {missing} cannot be used: No such file or directory"
    assert server.log.read_text() == f"error: {reason}\n"
    assert server.termination_log.read_text() == f"serve: {reason}"


def test_sigterm_while_loading_ends_it_at_once(linear_folder: ModelFolder, tmp_path: Path) -> None:
    with ServingProcess(linear_folder.path, tmp_path, drain_seconds=600) as server:
        server.wait_until_listening()
        assert server.ask("/readyz").json == {"status": "loading"}
        server.terminate()
        assert server.wait() == 0
    assert "serving wine" not in server.log.read_text()


def test_sigterm_turns_it_unready_and_a_second_one_ends_it(
    linear_folder: ModelFolder, tmp_path: Path
) -> None:
    with ServingProcess(linear_folder.path, tmp_path, drain_seconds=600) as server:
        server.wait_until_ready()
        server.terminate()
        eventually(lambda: server.ask("/readyz").status == 503, deadline_seconds=5)
        reply = server.ask("/predict", {"records": linear_folder.records(1)})
        assert (reply.status, reply.headers["connection"]) == (200, "close")
        assert server.ask("/healthz").status == 200
        server.terminate()
        assert server.wait() == 0


def test_libraries_of_the_server_are_not_loaded_by_fetch() -> None:
    code = "import sys, regisseur_serving.app.fetch; print(*sys.modules)"
    listed = subprocess.run(
        [COMMAND[0], "-c", code], check=True, capture_output=True, text=True, timeout=15
    ).stdout.split()
    heavy = {"numpy", "sklearn", "pandas", "fastapi", "pydantic", "uvicorn", "yaml", "asyncio"}
    assert not heavy & set(listed)
