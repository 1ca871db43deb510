"""The real commands of the serving image as processes of this machine."""

import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from regisseur_contract.rehearsal import RehearsalVerdict, parse_verdict
from support.eventually import eventually
from support.mlflow_server import free_port

_START_SECONDS = 40.0
_ANSWER_SECONDS = 35.0
_END_SECONDS = 40.0
_REHEARSE_SECONDS = 40.0
_FETCH_START_SECONDS = 15.0
_CONVERT_SECONDS = 50.0
COMMAND = (sys.executable, "-m", "regisseur_serving")


@dataclass(frozen=True)
class Reply:
    """An answer over a real socket."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        """The body, which is a JSON object."""
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed


class ServingProcess:
    """`python -m regisseur_serving serve` on ports of its own.

    Args:
        model_dir: The model folder.
        directory: For its log and its termination log.
        drain_seconds: Its drain time.
        settings: More environment variables, which win.
        command: What to run instead, with the same environment.
    """

    def __init__(
        self,
        model_dir: Path,
        directory: Path,
        *,
        drain_seconds: float = 0.0,
        settings: Mapping[str, str] | None = None,
        command: Sequence[str] = (*COMMAND, "serve"),
    ) -> None:
        self.port = free_port()
        self.admin_port = free_port()
        self.log = directory / f"serve-{self.port}.log"
        self.termination_log = directory / f"termination-{self.port}"
        self.termination_log.touch()
        self._command = command
        self._environment = own_environment() | {
            "REGISSEUR_MODEL_NAME": "wine",
            "REGISSEUR_MODEL_VERSION": "7",
            "REGISSEUR_RUN_ID": "r-7",
            "REGISSEUR_MODEL_DIR": str(model_dir),
            "REGISSEUR_DRAIN_SECONDS": str(drain_seconds),
            "REGISSEUR_LISTEN_HOST": "127.0.0.1",
            "REGISSEUR_LISTEN_PORT": str(self.port),
            "REGISSEUR_LISTEN_ADMIN_PORT": str(self.admin_port),
            "REGISSEUR_TERMINATION_LOG": str(self.termination_log),
            **(settings or {}),
        }

    def __enter__(self) -> Self:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command, env=self._environment, stdin=subprocess.DEVNULL, stderr=log
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.process.wait()

    def wait_until_listening(self) -> None:
        """Return when the port is open."""
        self._wait_for("/healthz")

    def wait_until_ready(self) -> None:
        """Return when the model is loaded."""
        self._wait_for("/readyz")

    def ask(self, path: str, body: object = None, **headers: str) -> Reply:
        """Send one request on a connection of its own; a body makes it a POST."""
        raw = None if body is None else json.dumps(body).encode()
        types = {} if body is None else {"Content-Type": "application/json"}
        return self.send(path, raw, types | headers)

    def ask_admin(self, path: str) -> Reply:
        """Send one GET to the admin port."""
        return _send(self.admin_port, path, None, {})

    def send(
        self, path: str, raw: bytes | None, headers: Mapping[str, str], *, method: str = ""
    ) -> Reply:
        """Send a body as it is; it makes a POST unless another method is named."""
        return _send(self.port, path, raw, headers, method=method)

    @property
    def resident_bytes(self) -> int:
        """The memory that it holds now."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    @property
    def open_files(self) -> int:
        """How many files and sockets it holds now."""
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def terminate(self) -> None:
        """Send SIGTERM, as the kubelet does."""
        self.process.send_signal(signal.SIGTERM)

    def wait(self) -> int:
        """Wait for the end and return the exit code."""
        return self.process.wait(_END_SECONDS)

    def _wait_for(self, path: str) -> None:
        def is_there() -> bool:
            assert self.process.poll() is None, f"it ended: {self.log.read_text()}"
            try:
                return self.ask(path).status == http.HTTPStatus.OK
            except OSError:
                return False

        eventually(is_there, deadline_seconds=_START_SECONDS, interval=0.02, describe=path)


def _send(
    port: int, path: str, raw: bytes | None, headers: Mapping[str, str], *, method: str = ""
) -> Reply:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_ANSWER_SECONDS)
    try:
        usual = "GET" if raw is None else "POST"
        connection.request(method or usual, path, raw, dict(headers))
        answer = connection.getresponse()
        return Reply(answer.status, dict(answer.headers), answer.read())
    finally:
        connection.close()


Ended = subprocess.CompletedProcess[str]


def run_fetch(
    uri: str, registry_url: str, model_dir: Path, *, timeout_seconds: float = 15.0, **more: str
) -> Ended:
    """Run `python -m regisseur_serving fetch` to its end, with more environment variables."""
    environment = {
        "REGISSEUR_ARTIFACT_URI": uri,
        "REGISSEUR_REGISTRY_URL": registry_url,
        "REGISSEUR_FETCH_TIMEOUT_SECONDS": str(timeout_seconds),
    }
    return _run("fetch", model_dir, environment | more, timeout_seconds + _FETCH_START_SECONDS)


def run_convert(model_dir: Path, **environment: str) -> Ended:
    """Run `python -m regisseur_serving convert` to its end."""
    return _run("convert", model_dir, environment, _CONVERT_SECONDS)


def run_rehearse(model_dir: Path, **environment: str) -> tuple[Ended, RehearsalVerdict | None]:
    """Run `python -m regisseur_serving rehearse` to its end and read the verdict it left."""
    log = model_dir.parent / "termination-log"
    log.write_bytes(b"")
    ended = _run("rehearse", model_dir, environment, _REHEARSE_SECONDS)
    return ended, parse_verdict(log.read_text())


def _run(
    command: str, model_dir: Path, environment: dict[str, str], timeout_seconds: float
) -> Ended:
    places = {
        "REGISSEUR_MODEL_DIR": str(model_dir),
        "REGISSEUR_TERMINATION_LOG": str(model_dir.parent / "termination-log"),
    }
    return subprocess.run(
        [*COMMAND, command],
        env=own_environment() | places | environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=timeout_seconds,
    )


def own_environment() -> dict[str, str]:
    """Return the environment without anything that would configure the server."""
    ours = ("REGISSEUR_", "MLFLOW_", "AWS_")
    others = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
    return others | {
        # Nobody's own credentials, and no question to the machine that this one may run on.
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
