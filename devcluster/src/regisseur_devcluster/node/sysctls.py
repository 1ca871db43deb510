"""The kernel settings that a node changes, so that they can be put back."""

from collections.abc import Mapping
from pathlib import Path

ROOT = Path("/proc/sys")

FORWARDING = "net/ipv4/ip_forward"
CHANGED = (
    # Turning forwarding on or off changes settings of every interface, so it is put back first.
    FORWARDING,
    "net/ipv4/conf/*/*",
    "net/ipv6/conf/all/forwarding",
    "net/bridge/*",
    "net/netfilter/nf_conntrack_max",
    "net/netfilter/nf_conntrack_tcp_timeout_*",
    "net/netfilter/nf_conntrack_tcp_be_liberal",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_max*",
    "vm/overcommit_memory",
    "vm/panic_on_oom",
)
"""What the kubelet, kube-proxy and the network plugins are known to write."""


def read_sysctls() -> dict[str, str]:
    """Return the present values by path."""
    found: dict[str, str] = {}
    for pattern in CHANGED:
        for path in sorted(ROOT.glob(pattern)):
            if (value := _read(path)) is not None:
                found[str(path.relative_to(ROOT))] = value
    return found


def restore_sysctls(before: Mapping[str, str]) -> list[str]:
    """Write back what differs and return what cannot be written.

    Interfaces that are gone meanwhile are left out.
    """
    left: list[str] = []
    for name, value in before.items():
        path = ROOT / name
        if _read(path) not in {value, None}:
            try:
                path.write_text(value)
            except OSError:
                left.append(name)
    return left


def _read(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except OSError:
        # Some settings can only be written, and interfaces come and go.
        return None
