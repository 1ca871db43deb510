"""The operator as a process of its own, with what it takes of the machine."""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from regisseur_bench.operator.errors import BenchError
from regisseur_bench.operator.ground import LEASE_NAMESPACE, Ground

POLL_SECONDS: Final = 5.0
LEASE: Final = (15.0, 10.0, 2.0)
_MEBIBYTE: Final = 2**20
_LINE: Final = re.compile(r"^(\w+?)(?:\{[^}]*\})? ([-+.\deE]+)$", re.MULTILINE)


@dataclass(frozen=True)
class Habits:
    """How an operator is configured.

    Attributes:
        lease: Duration, renew deadline and retry, in seconds.
    """

    user: str = "operator-1"
    poll_seconds: float = POLL_SECONDS
    lease: tuple[float, float, float] = LEASE


@dataclass(frozen=True)
class OperatorProcess:
    """An operator that runs.

    Attributes:
        started: When, in seconds of the epoch.
    """

    process: "subprocess.Popen[bytes]"
    user: str
    port: int
    log: Path
    started: float

    def read_cpu_seconds(self) -> float:
        """Return the processor time that it has used so far."""
        fields = self._proc("stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def read_memory_mebibytes(self) -> float:
        """Return what it holds."""
        pages = int(self._proc("statm").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / _MEBIBYTE

    async def read_metrics(self) -> dict[str, float]:
        """Return the sums of its metrics by name; none while it does not answer."""
        return parse_metrics(await asyncio.to_thread(self._scrape))

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """End it as Kubernetes does."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)

    def _proc(self, name: str) -> str:
        if self.process.poll() is not None:
            lines = self.log.read_text(errors="replace").splitlines()[-3:]
            raise BenchError(f"the operator has ended; its last lines: {' | '.join(lines)}")
        return Path(f"/proc/{self.process.pid}/{name}").read_text()

    def _scrape(self) -> str:
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.port}/metrics", timeout=5
            ) as found:
                return str(found.read().decode())
        except (urllib.error.URLError, OSError):
            return ""


def parse_metrics(text: str) -> dict[str, float]:
    """Return the sum of each metric over its labels."""
    sums: dict[str, float] = {}
    for name, value in _LINE.findall(text):
        sums[name] = sums.get(name, 0.0) + float(value)
    return sums


@contextmanager
def run_operator(
    ground: Ground, registry_url: str, habits: Habits | None = None
) -> Iterator[OperatorProcess]:
    """Start an operator; at the end of the block it is ended, if it still runs."""
    habits = habits or Habits()
    port = _find_free_port()
    log = ground.plane.folder / "logs" / f"{habits.user}-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "regisseur_operator"],
            env=_build_environment(ground, registry_url, habits, port),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    running = OperatorProcess(process, habits.user, port, log, time.time())
    try:
        yield running
    finally:
        if process.poll() is None:
            running.stop()


def _build_environment(
    ground: Ground, registry_url: str, habits: Habits, port: int
) -> dict[str, str]:
    registries = ground.plane.folder / f"{habits.user}-registries.yaml"
    entry = {"url": registry_url, "pollIntervalSeconds": habits.poll_seconds}
    registries.write_text(json.dumps({"registries": [entry]}))
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("REGISSEUR_")}
    duration, deadline, retry = map(str, habits.lease)
    return inherited | {
        "KUBECONFIG": str(ground.kubeconfig(habits.user)),
        "REGISSEUR_REGISTRIES_FILE": str(registries),
        "REGISSEUR_SERVING_IMAGE": "regisseur/serving:bench",
        "REGISSEUR_ROLLOUTS_AT_ONCE": "0",  # what is measured is the operator, not who waits
        "REGISSEUR_IDENTITY": habits.user,
        "REGISSEUR_WEB_HOST": "127.0.0.1",
        "REGISSEUR_WEB_PORT": str(port),
        "REGISSEUR_LOG_LEVEL": "warning",
        "REGISSEUR_LEASE_NAMESPACE": LEASE_NAMESPACE,
        "REGISSEUR_LEASE_DURATION_SECONDS": duration,
        "REGISSEUR_LEASE_RENEW_DEADLINE_SECONDS": deadline,
        "REGISSEUR_LEASE_RETRY_SECONDS": retry,
    }


def _find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def wait_until(
    is_it: Callable[[], bool], seconds: float, describe: Callable[[], str]
) -> float:
    """Wait until something holds and return when it did, in seconds of the epoch.

    Raises:
        BenchError: It does not come to hold.
    """
    deadline = time.monotonic() + seconds
    while not is_it():
        if time.monotonic() > deadline:
            raise BenchError(f"after {seconds:g} s: {describe()}")
        await asyncio.sleep(0.05)
    return time.time()
