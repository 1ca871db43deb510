"""What the figures were measured on."""

import platform
from pathlib import Path


def describe_machine() -> str:
    """Return the number of cores and the name of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return f"{len(names)} cores, {names[0]}" if names else platform.machine()
