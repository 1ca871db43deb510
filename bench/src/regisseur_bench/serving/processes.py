"""A server on a core of its own, from its start to its end."""

import http.client
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from regisseur_bench.serving.contestants import Contestant, Place
from regisseur_bench.serving.loads import Json

SERVER_CORE: Final = "0"
_START_SECONDS: Final = 120.0
_MEBIBYTE: Final = 2**20


class BenchError(Exception):
    """The benchmark cannot go on; says why in one line."""


@dataclass(frozen=True)
class Running:
    """A server that answers.

    Attributes:
        start_seconds: From the start of the process to its first prediction.
    """

    contestant: Contestant
    port: int
    pid: int
    body: bytes
    start_seconds: float

    def read_memory_mebibytes(self) -> float:
        """Return what the process and its children hold."""
        return sum(_read_resident_bytes(pid) for pid in _list_family(self.pid)) / _MEBIBYTE


@contextmanager
def run_server(contestant: Contestant, place: Place, body: Json) -> Iterator[Running]:
    """Start a server, wait for its first prediction, and end it afterwards.

    Raises:
        BenchError: It does not answer.
    """
    log = place.scratch / f"{contestant.name.replace(' ', '-')}-{place.model}.log"
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    started = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["taskset", "-c", SERVER_CORE, contestant.python, *contestant.arguments(place)],
            env={**os.environ, **threads, **contestant.environment(place)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=place.scratch,
            start_new_session=True,
        )
    raw = json.dumps(body).encode()
    try:
        _wait_for_answer(process, place.port, contestant.path, raw, log)
        seconds = time.monotonic() - started
        yield Running(contestant, place.port, process.pid, raw, seconds)
    finally:
        with suppress(ProcessLookupError):  # it has ended by itself
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_for_answer(
    process: "subprocess.Popen[bytes]", port: int, path: str, body: bytes, log: Path
) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            status, answer = _post(port, path, body)
        except OSError:
            time.sleep(0.02)
            continue
        if status == http.client.OK:
            return
        if status < http.client.INTERNAL_SERVER_ERROR and status != http.client.NOT_FOUND:
            raise BenchError(f"a server answers {status}: {answer[:200]!r}; see {log.name}")
        time.sleep(0.02)
    tail = log.read_text(errors="replace").splitlines()[-5:]
    raise BenchError(f"a server does not answer; its last lines: {' | '.join(tail)}")


def _post(port: int, path: str, body: bytes) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def _list_family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(member for child in children for member in _list_family(int(child)))]


def _read_resident_bytes(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
