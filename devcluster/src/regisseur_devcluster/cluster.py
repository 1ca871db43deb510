"""The cluster with a node: a control plane and everything that lets its pods run for real."""

import json
import os
from collections.abc import Iterable
from pathlib import Path

from regisseur_devcluster.controlplane import PROGRAMS, ControlPlane
from regisseur_devcluster.errors import DevclusterError
from regisseur_devcluster.images import Built, pause_image
from regisseur_devcluster.locking import exclusive
from regisseur_devcluster.node.addons import addons, volume_folders
from regisseur_devcluster.node.before import Before
from regisseur_devcluster.node.cgroups import create_cgroups
from regisseur_devcluster.node.containerd import Containerd
from regisseur_devcluster.node.dns import Dns
from regisseur_devcluster.node.firewall import add_rules
from regisseur_devcluster.node.holder import LOCK, take_node
from regisseur_devcluster.node.kubelet import Kubelet
from regisseur_devcluster.node.layout import ENDPOINTS, NODE_PROGRAMS, OPTIONAL_PROGRAMS, Layout
from regisseur_devcluster.node.leftovers import discard, end_strays, sweep
from regisseur_devcluster.node.links import add_node_address
from regisseur_devcluster.node.metrics import MetricsServer
from regisseur_devcluster.node.proxy import Proxy
from regisseur_devcluster.node.scheduler import Scheduler
from regisseur_devcluster.packages import NODE_PACKAGES, refuse_unfit_machine, require
from regisseur_devcluster.probes import wait_for
from regisseur_devcluster.processes import Daemon
from regisseur_devcluster.settings import state_folder
from regisseur_devcluster.steps import step
from regisseur_devcluster.tools import prepare

FOLDER_LIMIT = 60
"""Longest folder name in bytes: sockets below it may not have more than 107 bytes."""


class Cluster:
    """The one cluster with a node of this machine.

    Attributes:
        layout: Its folders, below the state folder.
        plane: Its control plane.
        kubeconfig: How an administrator reaches it.
    """

    def __init__(self, state: Path | None = None) -> None:
        self.layout = Layout((state or state_folder()).resolve() / "cluster")
        self.plane = ControlPlane(self.layout.folder, ENDPOINTS)
        self.kubeconfig = self.plane.kubeconfig
        self._containerd = Containerd(self.layout)
        self._kubelet = Kubelet(self.layout, self.plane)
        self._proxy = Proxy(self.layout, self.plane)
        self._dns = Dns(self.layout, self.plane)
        self._scheduler = Scheduler(self.layout, self.plane)
        self._metrics = MetricsServer(self.layout, self.plane)

    @property
    def daemons(self) -> tuple[Daemon, ...]:
        """All parts that are processes of this machine."""
        plane = self.plane
        parts = (self._scheduler, self._dns, self._containerd, self._kubelet, self._proxy)
        optional = (self._metrics.daemon,) if self._metrics.is_wanted else ()
        node = (*(part.daemon for part in parts), *optional)
        return (plane.etcd, plane.apiserver, plane.controllers, *node)

    @property
    def is_up(self) -> bool:
        """Whether every part runs and the API answers."""
        return all(daemon.identity for daemon in self.daemons) and self.plane.is_ready

    def up(self) -> None:
        """Start whatever does not run, and wait until pods can run.

        Raises:
            DevclusterError: This machine cannot carry a node, or another cluster holds it.
        """
        self._refuse_long_folder()
        # Even to look at the machine as it is takes programs of these packages.
        require(*NODE_PACKAGES)
        with exclusive(LOCK, waiting_for="start or stop of a cluster"):
            take_node(self.layout)
            end_strays(self.layout, [daemon.identity for daemon in self.daemons])
            prepare(*PROGRAMS, *NODE_PROGRAMS)
            pause = pause_image()
            self._prepare_machine()
            self.plane.start()
            with step("node"):
                self._start_node(pause)
            if self._metrics.is_wanted:
                self.start_metrics()

    def start_metrics(self) -> None:
        """Start the metrics server of a cluster that is up; from now on it belongs to it.

        Raises:
            DevclusterError: The cluster is not up.
        """
        if not (self._holds_node() and self.plane.is_ready):
            raise DevclusterError("there is no cluster to measure: start it with `make cluster-up`")
        prepare(*OPTIONAL_PROGRAMS)
        with step("metrics server"):
            self._metrics.start()

    def down(self) -> bool:
        """Remove the cluster and all its traces; return whether there was one."""
        if not (self._holds_node() or self.layout.folder.exists()):
            return False
        refuse_unfit_machine()
        with exclusive(LOCK, waiting_for="start or stop of a cluster"):
            before = Before.read()
            if before is None or not self._holds_node():
                # The machine was started anew, or the node is another cluster's by now.
                discard(self.layout)
            else:
                with step("removing the cluster"):
                    sweep(before)
        return True

    def load(self, images: Iterable[Built]) -> None:
        """Bring images into the node."""
        self._containerd.load(images)

    def _prepare_machine(self) -> None:
        add_node_address()
        create_cgroups()
        add_rules()

    def _start_node(self, pause: Built) -> None:
        for folder in volume_folders(self.layout.volumes):
            folder.mkdir(parents=True, exist_ok=True)
            # Pods that are not root write here.
            folder.chmod(0o777)
        self._containerd.start(pause)
        self.plane.kubectl("apply", "-f", "-", stdin=json.dumps(addons(self.layout.volumes)))
        self._dns.start()
        self._scheduler.start()
        self._kubelet.start()
        self._proxy.start()
        wait_for(self._kubelet.daemon, self._node_is_ready)

    def _holds_node(self) -> bool:
        before = Before.read()
        return before is not None and before.folder == str(self.layout.folder)

    def _node_is_ready(self) -> bool:
        condition = '{.items[*].status.conditions[?(@.type=="Ready")].status}'
        return self.plane.kubectl("get", "nodes", "-o", f"jsonpath={condition}") == "True"

    def _refuse_long_folder(self) -> None:
        if len(os.fsencode(self.layout.folder)) > FOLDER_LIMIT:
            raise DevclusterError(
                f"the state folder {self.layout.folder.parent} has too long a name (sockets lie "
                f"below it): choose one with REGISSEUR_STATE=…"
            )
