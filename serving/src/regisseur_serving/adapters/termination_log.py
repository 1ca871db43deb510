"""Tell the kubelet why a container ends: it shows the file's content in the pod's status."""

from pathlib import Path

_MAX_BYTES = 4096


def write_termination_log(path: Path, reason: str) -> None:
    """Write the reason, when the file is there.

    It is made by the kubelet; where there is none, nobody reads it. A reason that cannot be
    written is not worth another failure: it is on standard error as well.
    """
    if not path.exists():
        return
    try:
        path.write_bytes(reason.encode("utf-8", "replace")[:_MAX_BYTES])
    except OSError:
        return
