"""The Kubernetes API by itself: etcd, kube-apiserver and kube-controller-manager.

Without a node no pod ever runs, but everything else of the API is real. It needs neither root nor
Debian, only Go, and as many as one likes run side by side: this is what the cluster tests use.
The cluster with a node stands on the same class.
"""

import shutil
import signal
from pathlib import Path
from types import TracebackType
from typing import Self

from regisseur_devcluster.arguments import (
    apiserver_arguments,
    controllers_arguments,
    etcd_arguments,
)
from regisseur_devcluster.audit import audit_arguments
from regisseur_devcluster.certificates import Authority, Pair
from regisseur_devcluster.commands import run
from regisseur_devcluster.endpoints import Endpoints
from regisseur_devcluster.kubeconfig import write_kubeconfig
from regisseur_devcluster.probes import answers, wait_for
from regisseur_devcluster.processes import Daemon
from regisseur_devcluster.steps import step
from regisseur_devcluster.tools import prepare, tool

PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kubectl")
START_SECONDS = 120.0


class ControlPlane:
    """An API server with its store and its controllers, all under one folder.

    As a context manager it is gone without a trace at the end of the block.

    Attributes:
        folder: Certificates, data, logs and pid files.
        endpoints: Where the parts listen.
        url: Where the API server answers.
        authority: Signs the certificates of clients.
        kubeconfig: How an administrator reaches the API server.
        audit_log: What programs in the cluster asked of the API server.
    """

    def __init__(self, folder: Path, endpoints: Endpoints | None = None) -> None:
        self.folder = folder.resolve()
        self.endpoints = endpoints or Endpoints.remembered(self.folder / "endpoints.json")
        self.url = self.endpoints.api
        self.authority = Authority(self.folder / "certificates")
        self.kubeconfig = self.folder / "kubeconfig"
        self.audit_log = self.folder / "audit.log"
        self.etcd = Daemon("etcd", self.folder)
        self.apiserver = Daemon("kube-apiserver", self.folder)
        self.controllers = Daemon("kube-controller-manager", self.folder)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.remove()

    @property
    def administrator(self) -> Pair:
        """The client certificate of the administrator."""
        return self.authority.client("admin", user="regisseur-admin", group="system:masters")

    @property
    def certificate_authority(self) -> Path:
        """The certificate by which clients know the API server."""
        return self.authority.pair.certificate

    @property
    def is_ready(self) -> bool:
        """Whether the API server says that it is ready for everything."""
        return answers(f"{self.url}/readyz")

    def start(self) -> None:
        """Start whatever does not run, and wait until all of it is ready."""
        prepare(*PROGRAMS)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.authority.create()
        self.client_kubeconfig("kubeconfig", self.administrator)
        with step("control plane"):
            self.start_etcd()
            self.start_apiserver()
            self.start_controllers()

    def stop(self) -> None:
        """End the processes and keep the data: the next start goes on where this one ended."""
        self.controllers.stop(signal.SIGKILL)
        self.apiserver.stop(signal.SIGKILL)
        self.etcd.stop()

    def remove(self) -> None:
        """End the processes and delete the folder."""
        for daemon in (self.controllers, self.apiserver, self.etcd):
            daemon.stop(signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)

    def kubectl(self, *arguments: str | Path, stdin: str | None = None) -> str:
        """Run kubectl as the administrator and return what it printed."""
        return run([tool("kubectl"), "--kubeconfig", self.kubeconfig, *arguments], stdin=stdin)

    def client_kubeconfig(self, name: str, client: Pair) -> Path:
        """Write the kubeconfig of a client and return its path."""
        return write_kubeconfig(
            self.folder / name, url=self.url, authority=self.certificate_authority, client=client
        )

    # The processes one by one: some tests take them away for a while.

    def start_etcd(self) -> None:
        """Start the store and wait until it answers."""
        data = self.folder / "etcd"
        self.etcd.start([tool("etcd"), *etcd_arguments(self.endpoints, self.authority, data)])
        health = f"{self.endpoints.etcd_health}/readyz"
        wait_for(self.etcd, lambda: answers(health), seconds=START_SECONDS)

    def start_apiserver(self) -> None:
        """Start the API server and wait until it is ready."""
        arguments = [
            *apiserver_arguments(self.endpoints, self.authority),
            *audit_arguments(self.folder, self.audit_log),
        ]
        self.apiserver.start([tool("kube-apiserver"), *arguments])
        wait_for(self.apiserver, lambda: self.is_ready, seconds=START_SECONDS)

    def start_controllers(self) -> None:
        """Start the controllers and wait until they are well."""
        client = self.authority.client("controllers", user="system:kube-controller-manager")
        config = self.client_kubeconfig("controllers.kubeconfig", client)
        arguments = controllers_arguments(self.endpoints, self.authority, config)
        self.controllers.start([tool("kube-controller-manager"), *arguments])
        health = f"https://127.0.0.1:{self.endpoints.controllers_port}/healthz"
        wait_for(self.controllers, lambda: answers(health), seconds=START_SECONDS)

    def kill_apiserver(self) -> None:
        """Take the API server away at once, as a crash does."""
        self.apiserver.stop(signal.SIGKILL)

    def restart_apiserver(self) -> None:
        """Bring the API server back at the same address, with the same data."""
        self.kill_apiserver()
        self.start_apiserver()
