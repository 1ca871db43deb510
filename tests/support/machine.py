"""What a machine is like, so that two moments can be compared."""

import os
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

VOLATILE_SETTINGS = re.compile(
    r"fs/(.*-nr|.*-state|quota/.*|inotify/.*|aio-nr)|kernel/(random|ns_last_pid|pty|sched_domain)"
    r"|kernel/(perf|usermodehelper|sched_|threads|tainted)|net/netfilter/nf_conntrack_count"
    r"|net/ipv4/(neigh|route)|net/ipv6/(neigh|route)|vm/(stat_refresh|compact_memory|drop_caches)"
    r"|fs/binfmt_misc|dev/.*|net/core/.*"
)
FOLDERS = ("/run", "/run/netns", "/etc", "/etc/cni", "/opt", "/var/lib", "/var/log")
HIERARCHIES = Path("/sys/fs/cgroup")


def observe_machine() -> Counter[str]:
    """Return everything that a cluster with a node may change, one line a thing."""
    return Counter(
        [
            *(f"link {line.split()[0]}" for line in _lines("ip", "-brief", "link", "show")),
            *(f"address {line}" for line in _lines("ip", "-brief", "address", "show")),
            *(f"route {line}" for line in _lines("ip", "route", "show", "table", "all")),
            *(f"mount {point}" for point in _mounts()),
            *(f"cgroup {path}" for path in HIERARCHIES.glob("*/*") if path.is_dir()),
            *(f"iptables {rule}" for rule in _rules("iptables-save")),
            *(f"ip6tables {rule}" for rule in _rules("ip6tables-save")),
            *(f"sysctl {setting}" for setting in _settings(Path("/proc/sys"))),
            *(f"file {path}" for folder in FOLDERS for path in Path(folder).glob("*")),
        ]
    )


def changes(before: Counter[str], after: Counter[str]) -> list[str]:
    """Return what is different, as a diff would show it."""
    gone = [f"- {line}" for line in sorted((before - after).elements())]
    return gone + [f"+ {line}" for line in sorted((after - before).elements())]


def processes_with(mark: str) -> list[str]:
    """Return the processes that inherited a mark in their environment, or run inside a pod."""
    return [line for process in _others() if (line := _described(process, mark))]


def _described(process: Path, mark: str) -> str:
    with suppress(OSError):
        is_marked = mark.encode() in (process / "environ").read_bytes()
        is_pod = "/regisseur" in (process / "cgroup").read_text()
        if is_marked or is_pod:
            return (process / "cmdline").read_text().replace("\0", " ")
    return ""


def _others() -> list[Path]:
    own = {"self", str(os.getpid())}
    return [path for path in Path("/proc").glob("[0-9]*") if path.name not in own]


def _mounts() -> Iterator[str]:
    for line in Path("/proc/self/mounts").read_text().splitlines():
        point = line.split()[1]
        # Somebody may be building images at the same time.
        if "/buildah/" not in point:
            yield point


def _settings(folder: Path) -> Iterator[str]:
    for entry in sorted(folder.iterdir()):
        name = str(entry.relative_to("/proc/sys"))
        if VOLATILE_SETTINGS.match(name):
            continue
        if entry.is_dir():
            yield from _settings(entry)
        else:
            with suppress(OSError, UnicodeDecodeError):
                yield f"{name} = {entry.read_text().strip()}"


def _rules(program: str) -> list[str]:
    without_counters = (re.sub(r"\[\d+:\d+\]", "", line) for line in _lines(program))
    return [line for line in without_counters if not line.startswith("#")]


def _lines(*command: str) -> list[str]:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
