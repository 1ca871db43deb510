"""Requests that schemathesis makes of `/openapi.json` get only answers that are written there."""

import subprocess
import sys
from pathlib import Path

import pytest

from support.running_servers import Running

pytestmark = pytest.mark.timeout(120, func_only=True)
"""A bounded number of requests, but on a busy machine."""

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "allow_header_conformance",
)
"""Left out is what cannot be written in OpenAPI: that data have as many values as their shape asks
for, or that nobody may send what happens to be good."""


def run_schemathesis(running: Running, directory: Path, examples: int) -> str:
    """Run it on a server and return its report, which is empty when all is well."""
    running.start_explaining()
    command = [
        *(str(Path(sys.executable).with_name("schemathesis")), "run"),
        f"http://{running.address}/openapi.json",
        *("--phases", "examples,coverage,fuzzing", "--max-examples", str(examples)),
        *("--mode", "all", "--generation-deterministic", "--no-shrink", "--workers", "1"),
        *("--request-timeout", "10", "--warnings", "off", "--checks", ",".join(CHECKS)),
    ]
    # Its cache of earlier runs goes with the folder: every run is the same.
    ended = subprocess.run(command, cwd=directory, check=False, capture_output=True, text=True)
    return "" if ended.returncode == 0 else ended.stdout + ended.stderr


def test_every_answer_is_documented(linear: Running, tmp_path: Path) -> None:
    assert run_schemathesis(linear, tmp_path, examples=5) == ""
    assert "Traceback" not in linear.server.log.read_text()


@pytest.mark.deep
@pytest.mark.timeout(600, func_only=True)
@pytest.mark.parametrize("kind", ["linear", "mixed", "summing"])
def test_many_answers_are_documented(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    running: Running = request.getfixturevalue(kind)

    assert run_schemathesis(running, tmp_path, examples=200) == ""
    assert "Traceback" not in running.server.log.read_text()
