"""The load as a child process, with its figures at hand while it runs."""

import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from regisseur_devcluster.commands import tail
from regisseur_devcluster.demo.outcomes import Summary
from regisseur_devcluster.errors import DevclusterError
from regisseur_devcluster.settings import environment

END_SECONDS = 60.0


def local_command(url: str) -> list[str]:
    """Return the command of a load that runs on this machine."""
    return [sys.executable, "-m", "regisseur_devcluster.demo.load", url]


class LoadProcess:
    """A load that runs from entering the context until `stop` or the end of the context.

    Args:
        command: Starts the load: `local_command`, or one that starts it elsewhere.
        body: The JSON document that is posted.
        options: Further arguments of `python -m regisseur_devcluster.demo.load`.
    """

    def __init__(
        self, command: Sequence[str], body: Mapping[str, Any], options: Sequence[str] = ()
    ) -> None:
        self._command = [*command, "--json", "--body", json.dumps(body), *options]
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - __exit__ closes it
        self._process: subprocess.Popen[str] | None = None
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._so_far = Summary()
        self._final: Summary | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env=environment(),
        )
        self._reader.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._end(self._process)
        self._errors.close()

    @property
    def so_far(self) -> Summary:
        """The figures of at most a quarter of a second ago."""
        return self._final or self._so_far

    @property
    def is_running(self) -> bool:
        """Whether requests are still being sent."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> Summary:
        """Let the requests in flight finish and return the figures of all of them.

        Raises:
            DevclusterError: The load broke off; the message says what it said.
        """
        if self._process is not None:
            self._end(self._process)
        if self._final is None:
            self._errors.seek(0)
            raise DevclusterError(f"the load broke off: {tail(self._errors.read())}")
        return self._final

    def _end(self, process: subprocess.Popen[str]) -> None:
        if process.stdin:
            process.stdin.close()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._reader.join(END_SECONDS)
        if process.stdout:
            process.stdout.close()

    def _read(self) -> None:
        if self._process is None or self._process.stdout is None:
            return
        for line in self._process.stdout:
            report = json.loads(line)
            if "final" in report:
                self._final = Summary.from_json(report["final"])
            else:
                self._so_far = Summary.from_json(report["so_far"])
