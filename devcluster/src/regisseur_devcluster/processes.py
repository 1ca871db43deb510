"""Background processes that outlive the command which started them.

A process is known by its pid together with its start time and the boot it belongs to, so a pid
that the kernel has given to somebody else meanwhile is never taken for ours, let alone killed.
"""

import os
import signal
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from regisseur_devcluster.commands import tail
from regisseur_devcluster.errors import DevclusterError
from regisseur_devcluster.settings import environment

POLL_SECONDS = 0.05
STOP_SECONDS = 10.0
APPENDED = os.O_WRONLY | os.O_CREAT | os.O_APPEND


@dataclass(frozen=True)
class Identity:
    """One process, told apart from every other one that ever has the same pid."""

    pid: int
    started: str

    def is_alive(self) -> bool:
        """Return whether this very process still runs."""
        _reap(self.pid)
        return identify(self.pid) == self


def identify(pid: int) -> Identity | None:
    """Return the identity of a running process, or None when there is none with that pid."""
    process = Path(f"/proc/{pid}")
    try:
        stat = (process / "stat").read_text()
        threads = len(list((process / "task").iterdir()))
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name may hold spaces and brackets: fields are counted from the last bracket.
    state, *fields = stat.rpartition(")")[2].split()
    # A killed process is a zombie at once, but its other threads hold files and ports a bit longer.
    is_gone = state in "ZX" and threads == 1
    return None if is_gone else Identity(pid, f"{fields[18]}@{boot()}")


def boot() -> str:
    """Return what tells this boot of the machine from every other."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def end(processes: Iterable[Identity], *, first: signal.Signals = signal.SIGTERM) -> None:
    """End processes and wait until they are gone: first politely, then for good."""
    remaining = list(processes)
    for sign, seconds in ((first, STOP_SECONDS), (signal.SIGKILL, STOP_SECONDS)):
        remaining = [process for process in remaining if process.is_alive()]
        for process in remaining:
            _signal(process.pid, sign)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and any(process.is_alive() for process in remaining):
            time.sleep(POLL_SECONDS)
    if left := [process.pid for process in remaining if process.is_alive()]:
        raise DevclusterError(f"processes {left} do not end even when killed")


@dataclass(frozen=True)
class Daemon:
    """A named background process of a cluster: its pid file and its log."""

    name: str
    folder: Path

    @property
    def log(self) -> Path:
        """Where it writes."""
        return self.folder / "logs" / f"{self.name}.log"

    @property
    def identity(self) -> Identity | None:
        """The process of the pid file, if it is the one that still runs."""
        try:
            pid, started = self._pid_file.read_text().split()
        except (FileNotFoundError, ValueError):
            return None
        identity = Identity(int(pid), started)
        return identity if identity.is_alive() else None

    @property
    def _pid_file(self) -> Path:
        return self.folder / "pids" / self.name

    def start(self, arguments: Sequence[str | Path]) -> None:
        """Start it in a session of its own, unless it runs already."""
        if self.identity is not None:
            return
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._pid_file.parent.mkdir(parents=True, exist_ok=True)
        pid = os.posix_spawn(
            str(arguments[0]),
            [str(argument) for argument in arguments],
            environment(),
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, str(self.log), APPENDED, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
        )
        if identity := identify(pid):
            self._pid_file.write_text(f"{identity.pid} {identity.started}\n")

    def stop(self, first: signal.Signals = signal.SIGTERM) -> None:
        """End it, if it runs, and forget it."""
        if identity := self.identity:
            end([identity], first=first)
        self._pid_file.unlink(missing_ok=True)

    def last_words(self) -> str:
        """Return the end of its log."""
        return tail(self.log.read_text(errors="replace")) if self.log.exists() else "(no log)"


def _signal(pid: int, sign: signal.Signals) -> None:
    try:
        os.kill(pid, sign)
    except ProcessLookupError:
        return


def _reap(pid: int) -> None:
    """Take the exit status of a child of ours, which stays a zombie otherwise."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return
