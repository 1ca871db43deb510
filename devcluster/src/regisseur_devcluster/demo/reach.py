"""How this machine reaches what runs in the cluster.

The ports of the devcluster's node are on the loopback. Into a person's own cluster only kubectl is
sure to lead: it forwards ports, and the load runs inside, because a forwarded port is tied to one
pod and would not survive a rollout.
"""

import io
import re
import subprocess
import zipfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import regisseur_contract
import regisseur_devcluster
from regisseur_contract.http import ROUTE_LIVE
from regisseur_devcluster.demo.kubectl import Kubectl
from regisseur_devcluster.demo.loadprocess import local_command
from regisseur_devcluster.demo.mlflowserver import NAMESPACE as MLFLOW_NAMESPACE
from regisseur_devcluster.demo.mlflowserver import OUTSIDE_URL
from regisseur_devcluster.errors import DevclusterError
from regisseur_devcluster.probes import wait_until_answers
from regisseur_devcluster.settings import environment

CARRIED: Final = (
    "errors",
    "endpoints",
    "ports",
    "demo/load",
    "demo/outcomes",
    "demo/target",
    "demo/wire",
)
"""The modules of the load."""

START: Final = "from regisseur_devcluster.demo.load import main\nraise SystemExit(main())\n"
ARCHIVE: Final = "/tmp/regisseur-load.pyz"


class Reach(Protocol):
    """Ways into a cluster."""

    def mlflow(self) -> AbstractContextManager[str]:
        """Lead to MLflow while the context lasts; its URL."""
        ...

    def service(self, name: str) -> AbstractContextManager[str]:
        """Lead to a Service while the context lasts; its URL."""
        ...

    def load_command(self, name: str) -> list[str]:
        """Return the command that sends load to a Service's `/predict`."""
        ...

    def hints(self, name: str) -> list[str]:
        """Return what a person can type to reach the Service and MLflow."""
        ...


@dataclass(frozen=True)
class NodeReach:
    """The devcluster's ways: ports of the node, which are on the loopback."""

    kubectl: Kubectl

    def mlflow(self) -> AbstractContextManager[str]:
        """Lead to MLflow; kube-proxy opens the port a moment after the pod is ready."""
        wait_until_answers(f"{OUTSIDE_URL}/health")
        return nullcontext(OUTSIDE_URL)

    def service(self, name: str) -> AbstractContextManager[str]:
        """Lead to a Service; the same moment may pass before its port opens."""
        address = self._address(name)
        wait_until_answers(f"{address}{ROUTE_LIVE}")
        return nullcontext(address)

    def load_command(self, name: str) -> list[str]:
        """Return the command of a load on this machine."""
        return local_command(f"{self._address(name)}/predict")

    def hints(self, name: str) -> list[str]:
        """Return a request, a look at the resource and MLflow's address."""
        return [
            f"curl -s {self._address(name)}/model",
            f"{self.kubectl.typed} get mdep",
            f"MLflow: {OUTSIDE_URL}  (promote another version there and watch)",
        ]

    def _address(self, name: str) -> str:
        port = self.kubectl.read("service", name, "-n", "default")["spec"]["ports"][0]
        if "nodePort" not in port:
            raise DevclusterError(f"the Service {name} is not of type NodePort")
        return f"http://127.0.0.1:{port['nodePort']}"


@dataclass(frozen=True)
class ForwardedReach:
    """The ways into a person's own cluster, all of them kubectl's."""

    kubectl: Kubectl

    def mlflow(self) -> AbstractContextManager[str]:
        """Lead to MLflow."""
        return self._forward(MLFLOW_NAMESPACE, "mlflow", 5000)

    def service(self, name: str) -> AbstractContextManager[str]:
        """Lead to a Service."""
        port = self.kubectl.read("service", name, "-n", "default")["spec"]["ports"][0]["port"]
        return self._forward("default", name, port)

    def load_command(self, name: str) -> list[str]:
        """Carry the load into MLflow's pod and return the command that starts it there."""
        service = self.kubectl.read("service", name, "-n", "default")["spec"]
        url = f"http://{service['clusterIP']}:{service['ports'][0]['port']}/predict"
        inside = ("exec", "-i", "-n", MLFLOW_NAMESPACE, "deployment/mlflow", "--")
        receive = f"import sys; open({ARCHIVE!r}, 'wb').write(sys.stdin.buffer.read())"
        subprocess.run(
            self.kubectl.command(*inside, "python", "-c", receive),
            input=pack_load(),
            check=True,
            timeout=60,
            env=environment(),
        )
        return self.kubectl.command(*inside, "python", ARCHIVE, "--inside", url)

    def hints(self, name: str) -> list[str]:
        """Return the same as for the devcluster, with the ports forwarded first."""
        kubectl = self.kubectl.typed
        forward = f"{kubectl} port-forward"
        return [
            f"{forward} svc/{name} 8080:80  (then: curl -s http://127.0.0.1:8080/model)",
            f"{kubectl} get mdep",
            f"{forward} -n {MLFLOW_NAMESPACE} svc/mlflow 5000  (MLflow: http://127.0.0.1:5000)",
        ]

    @contextmanager
    def _forward(self, namespace: str, service: str, port: int) -> Iterator[str]:
        arguments = ("port-forward", "-n", namespace, f"service/{service}", f":{port}")
        with subprocess.Popen(
            self.kubectl.command(*arguments),
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
        ) as process:
            try:
                said = process.stdout.readline() if process.stdout else ""
                found = re.search(r"127\.0\.0\.1:(\d+)", said)
                if found is None:
                    raise DevclusterError(f"kubectl forwards no port to {namespace}/{service}")
                yield f"http://127.0.0.1:{found[1]}"
            finally:
                process.terminate()


def pack_load() -> bytes:
    """Return the load as one file that any Python runs."""
    archive = io.BytesIO()
    contract = Path(regisseur_contract.__file__).parent
    devcluster = Path(regisseur_devcluster.__file__).parent
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("__main__.py", START)
        for name in ("__init__", "http"):
            packed.write(contract / f"{name}.py", f"regisseur_contract/{name}.py")
        for name in ("__init__", "demo/__init__", *CARRIED):
            packed.write(devcluster / f"{name}.py", f"regisseur_devcluster/{name}.py")
    return archive.getvalue()
