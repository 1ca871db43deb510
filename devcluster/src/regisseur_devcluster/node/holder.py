"""Who holds the node of this machine: there can only be one at a time.

Kube-proxy and kubelet take iptables, control groups and kernel settings for their own, so two
clusters with a node would break each other.
"""

from pathlib import Path

from regisseur_devcluster.errors import DevclusterError
from regisseur_devcluster.node.before import Before
from regisseur_devcluster.node.layout import RUN, Layout
from regisseur_devcluster.node.leftovers import live_processes, sweep
from regisseur_devcluster.steps import step

LOCK = RUN / "lock"
FOREIGN = frozenset({"kubelet", "kube-proxy", "k3s-server", "k3s-agent"})


def take_node(layout: Layout) -> None:
    """Make the node ours: note what the machine is like, unless we hold the node already.

    What a cluster left that was killed, or whose state folder is gone, is swept away first.

    Raises:
        DevclusterError: Another cluster holds the node and is alive.
    """
    before = Before.read()
    if before is not None and not _is_ours(before, layout):
        _refuse_living(before)
        with step(f"sweeping up after a cluster that is no more ({before.folder})"):
            sweep(before)
        before = None
    if before is None:
        _refuse_foreign_kubernetes()
        Before.observe(layout.folder).write()


def _is_ours(before: Before, layout: Layout) -> bool:
    return before.folder == str(layout.folder) and layout.folder.exists()


def _refuse_living(before: Before) -> None:
    folder = Path(before.folder)
    alive = live_processes(Layout(folder))
    if folder.exists() and alive:
        raise DevclusterError(
            f"another cluster with a node runs on this machine (state folder {folder.parent}, "
            f"{len(alive)} processes) and there can be one at a time: stop it with "
            f"`REGISSEUR_STATE={folder.parent} make cluster-down`"
        )


def _refuse_foreign_kubernetes() -> None:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and _is_foreign(entry):
            raise DevclusterError(
                f"another Kubernetes runs a node on this machine (process {entry.name}, "
                f"{(entry / 'comm').read_text().strip()}): stop it, or use it with "
                "`make demo KUBECONFIG=… IMAGE_REGISTRY=…`"
            )


def _is_foreign(process: Path) -> bool:
    """Return whether a process is a node of Kubernetes in this machine's own network."""
    try:
        is_node = (process / "comm").read_text().strip() in FOREIGN
        here = Path("/proc/self/ns/net").readlink()
        return is_node and (process / "ns" / "net").readlink() == here
    except OSError:
        return False
