"""Taking away everything that the cluster brought to the machine, whether it still runs or not.

Nothing here relies on the cluster's own programs being alive: after a kill -9 of everything the
same steps find the same things.
"""

import shutil
import signal
import socket
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from regisseur_devcluster.controlplane import PROGRAMS
from regisseur_devcluster.errors import DevclusterError
from regisseur_devcluster.node.before import SHARED, Before
from regisseur_devcluster.node.cgroups import pod_processes, remove_cgroups
from regisseur_devcluster.node.containerd import NETWORK, Containerd
from regisseur_devcluster.node.firewall import remove_rules
from regisseur_devcluster.node.layout import NODE_PROGRAMS, OPTIONAL_PROGRAMS, RUN, Layout
from regisseur_devcluster.node.links import remove_links
from regisseur_devcluster.node.mounts import unmount_below
from regisseur_devcluster.node.sysctls import restore_sysctls
from regisseur_devcluster.processes import Identity, end, identify

PARTS = frozenset({"containerd", *PROGRAMS, *NODE_PROGRAMS, *OPTIONAL_PROGRAMS}) - {"kubectl"}
PATIENCE_SECONDS = 10.0
CONTAINER_LINKS = Path("/var/log/containers")
CNI_RESULTS = Path("/var/lib/cni/results")


def live_processes(layout: Layout) -> list[Identity]:
    """Return everything that runs for the cluster: its parts, the shims and the pods."""
    shims = _matching(lambda command: _is_shim(command, layout))
    return list(dict.fromkeys([*_parts(layout), *shims, *pod_processes()]))


def end_strays(layout: Layout, known: Iterable[Identity | None]) -> None:
    """End parts that no pid file knows of: they hold the ports of those that come."""
    end(set(_parts(layout)) - set(known), first=signal.SIGKILL)


def discard(layout: Layout) -> None:
    """Remove a cluster's folder and its parts, but nothing that all clusters have in common."""
    end(_parts(layout), first=signal.SIGKILL)
    _unmount([layout.folder])
    shutil.rmtree(layout.folder)


def sweep(before: Before) -> None:
    """End all processes of a cluster and remove all that it left on the machine."""
    layout = Layout(Path(before.folder))
    _end_processes(layout)
    sockets = _shim_sockets(layout)
    _unmount([layout.folder, RUN, layout.containerd_root])
    _forget_containers(layout)
    remove_links()
    remove_rules(spare_chains=before.chains, spare_tables=before.tables)
    _patiently(remove_cgroups, "the pods' control groups")
    left = restore_sysctls(before.sysctls)
    _remove_files(layout, sockets, before)
    if left:
        settings = ", ".join(f"{name} (was {before.sysctls[name]})" for name in left)
        raise DevclusterError(
            f"the cluster is gone, but kernel settings cannot be put back: {settings}"
        )


def _end_processes(layout: Layout) -> None:
    """End all processes; some start new ones while others end, so ask until none is left."""
    _patiently(lambda: _end_round(layout), "the cluster's processes")


def _end_round(layout: Layout) -> bool:
    found = live_processes(layout)
    end(found, first=signal.SIGKILL)
    return not found


def _forget_containers(layout: Layout) -> None:
    """Leave only images in the cache, or nothing where that does not work."""
    for folder in (layout.containerd_state, layout.runc_state):
        shutil.rmtree(folder, ignore_errors=True)
    try:
        Containerd(layout).forget_containers()
    except DevclusterError:
        shutil.rmtree(layout.containerd_root)


def _remove_files(layout: Layout, sockets: list[Path], before: Before) -> None:
    """Remove our folders, and what we put into folders that others use too."""
    brought = [folder for folder in SHARED if str(folder) not in before.folders]
    dead = [path for folder in brought for path in folder.glob("*") if _is_dead_socket(path)]
    for file in {*sockets, *dead, *_network_results(), *_container_links(layout)}:
        file.unlink(missing_ok=True)
    for folder in brought:
        # Not empty means that somebody else uses it meanwhile.
        with suppress(OSError):
            folder.rmdir()
    for folder in (layout.folder, RUN):
        if folder.exists():
            shutil.rmtree(folder)


def _is_dead_socket(path: Path) -> bool:
    """Return whether a path is a socket that nobody listens on any more."""
    if not path.is_socket():
        return False
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) != 0


def _network_results() -> list[Path]:
    """Return what the network plugins remember of our pods, also under names not ours."""
    ours = [path.name.split("-")[1] for path in CNI_RESULTS.glob(f"{NETWORK}-*")]
    return [path for pod in ours for path in CNI_RESULTS.glob(f"*-{pod}-*")]


def _container_links(layout: Layout) -> list[Path]:
    links = [path for path in CONTAINER_LINKS.glob("*") if path.is_symlink()]
    return [link for link in links if link.readlink().is_relative_to(layout.pod_logs)]


def _shim_sockets(layout: Layout) -> list[Path]:
    """Return the sockets of the shims, which lie at a place that containerd fixes."""
    notes = layout.containerd_state.glob("io.containerd.runtime.v2.task/*/*/address")
    return [Path(note.read_text().removeprefix("unix://")) for note in notes]


def _parts(layout: Layout) -> list[Identity]:
    """Return the processes of the cluster's own programs.

    They are found by their command lines, so a lost pid file hides nothing.
    """
    return _matching(lambda command: _is_part(command, layout))


def _is_part(command: list[str], layout: Layout) -> bool:
    names_our_folder = any(f"{layout.folder}/" in word for word in command[1:])
    return names_our_folder and Path(command[0]).name in PARTS


def _is_shim(command: list[str], layout: Layout) -> bool:
    """Return whether a process stands between our containerd and a container."""
    is_shim = Path(command[0]).name.startswith("containerd-shim")
    return is_shim and str(layout.containerd_socket) in command


def _matching(is_wanted: Callable[[list[str]], bool]) -> list[Identity]:
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    found = [identify(pid) for pid in pids if is_wanted(_command_line(pid))]
    return [identity for identity in found if identity]


def _unmount(folders: list[Path]) -> None:
    if left := unmount_below(folders):
        raise DevclusterError(f"still mounted, so nothing is deleted: {', '.join(left)}")


def _command_line(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return [""]


def _patiently(is_done: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_done():
        if time.monotonic() > deadline:
            raise DevclusterError(f"{what} cannot be removed")
        time.sleep(0.1)
