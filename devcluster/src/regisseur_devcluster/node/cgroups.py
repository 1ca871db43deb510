"""The control groups of the pods: one tree of our own in every hierarchy, old or new."""

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from regisseur_devcluster.node.layout import CGROUP
from regisseur_devcluster.processes import Identity, identify

MOUNTS = Path("/proc/self/mounts")


def create_cgroups() -> None:
    """Make the parent group, which the kubelet expects to find."""
    for folder in _our_trees():
        parent = folder.parent
        controllers = parent / "cgroup.controllers"
        if controllers.exists():
            wanted = " ".join(f"+{name}" for name in controllers.read_text().split())
            # Some controllers refuse while the machine's own setup holds them; runc then says so.
            with suppress(OSError):
                (parent / "cgroup.subtree_control").write_text(wanted)
        folder.mkdir(exist_ok=True)
        for name in ("cpuset.cpus", "cpuset.mems"):
            # An old-style group without processors and memory accepts no process.
            if (folder / name).exists() and not controllers.exists():
                (folder / name).write_text((parent / name).read_text())


def pod_processes() -> list[Identity]:
    """Return all processes that run inside pods."""
    pids = {
        int(pid)
        for folder in _our_trees()
        if folder.exists()
        for procs in folder.rglob("cgroup.procs")
        for pid in _read(procs).split()
    }
    return [identity for pid in sorted(pids) if (identity := identify(pid))]


def remove_cgroups() -> bool:
    """Remove the groups, the innermost first; return whether all of them are gone."""
    for folder in _our_trees():
        groups = [path for path in folder.rglob("*") if path.is_dir()] if folder.exists() else []
        for group in [*sorted(groups, reverse=True), folder]:
            with suppress(OSError):
                group.rmdir()
    return not any(folder.exists() for folder in _our_trees())


def _our_trees() -> Iterator[Path]:
    for line in MOUNTS.read_text().splitlines():
        if found := re.match(r"\S+ (\S+) cgroup2? ", line):
            yield Path(found[1]) / CGROUP


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
