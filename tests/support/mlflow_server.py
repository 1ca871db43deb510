"""A real MLflow server on loopback for the tests: sqlite, artifacts proxied from a local folder.

One server serves a whole test session (it takes seconds to start), so every test uses model
names of its own: the fixture `model_name`. A test that stops or kills a server starts its own.
"""

import itertools
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.eventually import eventually

START_DEADLINE_SECONDS = 90.0
STOP_DEADLINE_SECONDS = 15.0
_LOG_TAIL_CHARACTERS = 2000


class MlflowServer:
    """An `mlflow server` process group with its own database and artifacts.

    Args:
        directory: Holds the database, the artifacts and the log; survives a restart.
        port: Port on 127.0.0.1; a free one by default.
    """

    def __init__(self, directory: Path, *, port: int | None = None) -> None:
        self.directory = directory
        self.port = port if port is not None else free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Where it listens, for anybody."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """Base URL, without a slash at the end."""
        return self.address

    @property
    def log(self) -> Path:
        """What the server wrote."""
        return self.directory / "server.log"

    @property
    def artifacts(self) -> Path:
        """Folder behind the artifact proxy."""
        return self.directory / "artifacts"

    def start(self) -> None:
        """Start the server and return when it answers.

        Raises:
            AssertionError: It ended or did not answer in time; with the end of its log.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command(),
                env=self._environment(),
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            eventually(
                self._is_up_or_ended,
                deadline_seconds=START_DEADLINE_SECONDS,
                describe=lambda: (
                    f"MLflow on {self.address} is healthy; its log ends: {self._tail()}"
                ),
            )
        except BaseException:
            self.kill()
            raise
        assert self._process.poll() is None, f"MLflow ended while starting: {self._tail()}"

    def stop(self) -> None:
        """End the server as a service manager would, by force when it does not end in time."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the server at once, as a crash would."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop the server if it runs and start it again on the same port and data."""
        self.stop()
        self.start()

    def is_healthy(self) -> bool:
        """Tell whether the server answers its health check."""
        try:
            with urllib.request.urlopen(f"{self.address}/health", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def _command(self) -> list[str]:
        return [
            *(sys.executable, "-m", "mlflow", "server"),
            *("--host", "127.0.0.1", "--port", str(self.port), "--workers", "1"),
            *("--backend-store-uri", f"sqlite:///{self.directory / 'mlflow.db'}"),
            *("--serve-artifacts", "--artifacts-destination", str(self.artifacts)),
        ]

    def _environment(self) -> dict[str, str]:
        own = {key: value for key, value in os.environ.items() if not key.startswith("MLFLOW_")}
        return own | {
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "PYTHONWARNINGS": "ignore",
        }

    def _is_up_or_ended(self) -> bool:
        assert self._process is not None
        return self.is_healthy() or self._process.poll() is not None

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        _signal_group(process, how)
        try:
            process.wait(STOP_DEADLINE_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        finally:  # the workers of a parent that is gone already belong to the same group
            _signal_group(process, signal.SIGKILL)
            process.wait()

    def _tail(self) -> str:
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return text[-_LOG_TAIL_CHARACTERS:]


def free_port() -> int:
    """Return a port on 127.0.0.1 that nothing listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _signal_group(process: subprocess.Popen[bytes], how: signal.Signals) -> None:
    try:
        os.killpg(process.pid, how)
    except ProcessLookupError:
        return


@pytest.fixture(scope="session")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    """Return the MLflow server that all tests of the session share. Never stop or kill it."""
    server = MlflowServer(tmp_path_factory.mktemp("mlflow"))
    server.start()
    yield server
    server.stop()


_numbers = itertools.count(1)


@pytest.fixture
def model_name(request: pytest.FixtureRequest) -> str:
    """Return a registered model name that no other test of the session uses."""
    test = request.node.originalname or request.node.name
    return f"{test.removeprefix('test_')[:60]}-{next(_numbers)}"
