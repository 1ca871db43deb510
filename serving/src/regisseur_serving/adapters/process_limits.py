"""What a process that works for another one does to itself, so that it harms nobody."""

import ctypes
import os
import re
import resource
import signal
from contextlib import suppress
from pathlib import Path
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_FIRST_TO_GO: Final = "1000"


def limit_memory(more_bytes: int) -> None:
    """Have no more memory from now on than so much beside what is there, and no core file."""
    status = Path("/proc/self/status").read_text("ascii")
    found = re.search(r"VmData:\s+([0-9]+) kB", status)
    most = (int(found[1]) * 1024 if found else 0) + more_bytes
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def end_with(parent: int) -> None:
    """End as soon as the process that started this one has ended, whatever is being done.

    Args:
        parent: The one that is meant: it may have ended before it could be watched.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def step_back(niceness: int) -> None:
    """Let others go first on the processor, and go first when memory runs out."""
    os.nice(niceness)
    with suppress(OSError):  # some sandboxes have no such file
        Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_GO, "ascii")
