"""People try a server out with curl: its own types, its own ways of sending."""

import gzip
import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support.running_servers import Running

pytestmark = pytest.mark.timeout(60, func_only=True)
"""Most of that is for the start of a server on a busy machine."""

PREDICT = "/predict"
INVOCATIONS = "/invocations"
INFER = "/v2/models/wine/infer"
_ABOUT = "%{http_code} %{content_type}"


@dataclass(frozen=True)
class Printed:
    """What curl printed."""

    body: str
    status: int
    content_type: str
    log: str

    @property
    def json(self) -> dict[str, Any]:
        """The body, which is a JSON object."""
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed


def curl(running: Running, path: str, *options: str) -> Printed:
    program = shutil.which("curl")
    assert program, "curl is missing; run `make clients`"
    command = [program, "--silent", "--verbose", "--max-time", "10", "--write-out", f"\n{_ABOUT}"]
    ended = subprocess.run(
        [*command, *options, f"http://{running.address}{path}"],
        check=False,
        capture_output=True,
        text=True,
        timeout=15,
    )
    assert ended.returncode == 0, ended.stderr
    body, _, about = ended.stdout.rpartition("\n")
    status, _, content_type = about.partition(" ")
    return Printed(body, int(status), content_type, ended.stderr)


def document(running: Running, path: str, rows: int = 2) -> dict[str, Any]:
    if path == INFER:
        values = running.folder.data.head(rows).to_numpy()
        tensor = {"name": "x", "shape": list(values.shape), "datatype": "FP64"}
        return {"inputs": [{**tensor, "data": values.ravel().tolist()}]}
    return {"records" if path == PREDICT else "dataframe_records": running.folder.records(rows)}


def predictions(answer: dict[str, Any]) -> list[Any]:
    found: list[Any] = (
        answer["predictions"] if "predictions" in answer else answer["outputs"][0]["data"]
    )
    return found


@pytest.mark.parametrize("path", [PREDICT, INVOCATIONS, INFER])
def test_what_is_said_to_be_json(linear: Running, path: str) -> None:
    printed = curl(linear, path, "--json", json.dumps(document(linear, path)))

    assert (printed.status, printed.content_type) == (200, "application/json")
    assert predictions(printed.json) == linear.folder.predictions[:2]


def test_data_is_taken_where_the_type_means_nothing(linear: Running) -> None:
    """With `-d` alone curl says that it sends a form."""
    printed = curl(linear, INFER, "-d", json.dumps(document(linear, INFER)))

    assert printed.status == 200
    assert "application/x-www-form-urlencoded" in printed.log


@pytest.mark.parametrize("path", [PREDICT, INVOCATIONS])
def test_elsewhere_the_refusal_names_the_type(linear: Running, path: str) -> None:
    printed = curl(linear, path, "-d", json.dumps(document(linear, path)))

    assert printed.status == 415
    assert "Content-Type should be application/json" in printed.body


@pytest.mark.parametrize("path", [PREDICT, INVOCATIONS, INFER])
def test_two_megabytes_are_asked_for_and_taken(linear: Running, path: str, tmp_path: Path) -> None:
    body = json.dumps(document(linear, path, rows=178))
    file = tmp_path / "body.json"
    file.write_text(body + " " * (2 * 2**20 - len(body)))

    printed = curl(linear, path, "--json", f"@{file}")

    assert printed.status == 200
    assert predictions(printed.json) == linear.folder.predictions
    assert "HTTP/1.1 100 Continue" in printed.log


@pytest.mark.parametrize("path", [PREDICT, INVOCATIONS, INFER])
def test_a_file_that_is_packed(linear: Running, path: str, tmp_path: Path) -> None:
    file = tmp_path / "body.json.gz"
    file.write_bytes(gzip.compress(json.dumps(document(linear, path)).encode()))

    printed = curl(
        linear, path, "--json", f"@{file}", "-H", "Content-Encoding: gzip", "--compressed"
    )

    assert predictions(printed.json) == linear.folder.predictions[:2]


WAYS = [
    pytest.param(["--http1.0"], id="HTTP 1.0"),
    pytest.param(["-H", "Transfer-Encoding: chunked"], id="chunks"),
    pytest.param(["-H", "Host:"], id="no host"),
    pytest.param(["-H", "Expect: 100-continue"], id="asking first"),
    pytest.param(["-H", "Accept: text/html"], id="it would rather have HTML"),
    pytest.param(["--http2"], id="it offers HTTP 2, as Java does"),
]


@pytest.mark.parametrize("options", WAYS)
@pytest.mark.parametrize("path", [PREDICT, INVOCATIONS, INFER])
def test_other_ways_to_send(linear: Running, path: str, options: list[str]) -> None:
    printed = curl(linear, path, "--json", json.dumps(document(linear, path)), *options)

    assert (printed.status, printed.content_type) == (200, "application/json")
    assert predictions(printed.json) == linear.folder.predictions[:2]


def test_csv_as_it_is(linear: Running, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    linear.folder.data.head(3).to_csv(file, index=False)

    printed = curl(linear, INVOCATIONS, "-H", "Content-Type: text/csv", "--data-binary", f"@{file}")

    assert printed.json == {"predictions": linear.folder.predictions[:3]}


@pytest.mark.parametrize(
    ("path", "status"), [("/healthz", 200), ("/ping", 200), ("/v2", 200), ("/v2/", 200), ("/", 404)]
)
def test_a_look_at_what_is_there(linear: Running, path: str, status: int) -> None:
    assert curl(linear, path).status == status


def test_a_put_is_told_what_to_do_instead(linear: Running) -> None:
    printed = curl(linear, PREDICT, "-X", "PUT", "-d", "{}")

    assert printed.status == 405
    assert "allow: POST" in printed.log
