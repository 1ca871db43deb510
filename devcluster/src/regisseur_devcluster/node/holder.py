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
    if before is not None and before.folder != str(layout.folder):
        if alive := live_processes(Layout(Path(before.folder))):
            raise DevclusterError(
                f"another cluster with a node runs on this machine (state folder "
                f"{Path(before.folder).parent}, {len(alive)} processes); there can be one at a "
                f"time: stop it with `REGISSEUR_STATE={Path(before.folder).parent} "
                "make cluster-down`"
            )
        with step(f"sweeping up after a cluster that was killed ({before.folder})"):
            sweep(before)
        before = None
    _refuse_foreign_kubernetes(layout)
    (before or Before.observe(layout.folder)).write()


def _refuse_foreign_kubernetes(layout: Layout) -> None:
    ours = {process.pid for process in live_processes(layout)}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) not in ours and _is_foreign(entry):
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
