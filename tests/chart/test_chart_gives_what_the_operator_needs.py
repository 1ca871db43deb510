"""The real operator, with the configuration and the rights of the chart and no others."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from regisseur_devcluster.controlplane import ControlPlane
from support.chart import NAMESPACE, RELEASE, Manifest, render, select
from support.eventually import eventually
from support.kube_client import KubeClient
from support.kubelet_double import KubeletDouble
from support.mlflow_server import MlflowServer
from support.model_versions import create_model_version

OPERATOR = f"system:serviceaccount:{NAMESPACE}:{RELEASE}"
END_SECONDS = 15.0


class OperatorProcess:
    """`python -m regisseur_operator` as the operator's service account."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self.log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "regisseur_operator"],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def text(self) -> str:
        """What it wrote so far."""
        return self.log.read_text(errors="replace")

    def end(self) -> int:
        """Tell it to stop, wait, and return its exit code."""
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(END_SECONDS)
        finally:
            self._process.kill()


@pytest.fixture
def operator_process(
    control_plane: ControlPlane,
    release: list[Manifest],
    mlflow_server: MlflowServer,
    tmp_path: Path,
) -> Iterator[OperatorProcess]:
    """The operator on the release's environment, following the tests' MLflow server."""
    manifests = render(
        *("--set", f"registries.default.url={mlflow_server.url}", "--set", "log.format=text"),
        *("--set-json", "registries.default.pollIntervalSeconds=0.5"),
    )
    registries = tmp_path / "registries.yaml"
    registries.write_text(select(manifests, "ConfigMap")["data"]["registries.yaml"])
    container = select(release, "Deployment")["spec"]["template"]["spec"]["containers"][0]
    client = control_plane.authority.client("chart-operator", user=OPERATOR)
    chosen = {entry["name"]: entry["value"] for entry in container["env"] if "value" in entry}
    process = OperatorProcess(
        os.environ
        | chosen
        | {
            "KUBECONFIG": str(control_plane.client_kubeconfig("chart-operator.kubeconfig", client)),
            "REGISSEUR_REGISTRIES_FILE": str(registries),
            "REGISSEUR_LEASE_NAMESPACE": NAMESPACE,
            "REGISSEUR_IDENTITY": "chart-test",
            "REGISSEUR_WEB_HOST": "127.0.0.1",
            "REGISSEUR_WEB_PORT": "0",
        },
        tmp_path / "operator.log",
    )
    yield process
    process.end()


@pytest.fixture
def kubelet(control_plane: ControlPlane, namespace: str) -> Iterator[KubeletDouble]:
    """Let the rehearsal pass and the pods become ready."""
    with KubeletDouble(KubeClient(control_plane, namespace)) as double:
        yield double


@pytest.mark.usefixtures("kubelet")
@pytest.mark.timeout(120)
def test_its_rights_are_enough_for_a_whole_life(
    control_plane: ControlPlane,
    namespace: str,
    operator_process: OperatorProcess,
    mlflow_server: MlflowServer,
    model_name: str,
) -> None:
    version = create_model_version(mlflow_server, model_name)
    resource = {
        "apiVersion": "regisseur.dev/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": {"name": "wine", "namespace": namespace},
        "spec": {"model": {"name": model_name, "version": version}, "replicas": 2},
    }
    control_plane.kubectl("create", "-f", "-", stdin=json.dumps(resource))

    def read(kind: str) -> Manifest:
        listing = control_plane.kubectl("get", kind, "-n", namespace, "-o", "json")
        items: list[Manifest] = json.loads(listing)["items"]
        assert items, operator_process.text()[-3000:]
        return items[0]

    def written() -> bool:
        status = read("mdep").get("status", {})
        assert status.get("reference"), operator_process.text()[-3000:]
        kinds = ("deployments", "services", "pdb", "controllerrevisions", "events")
        return all(read(kind) for kind in kinds)

    eventually(written, deadline_seconds=60, describe="children, status and an Event")
    owner = read("deployments")["metadata"]["ownerReferences"][0]
    assert owner["blockOwnerDeletion"] is True
    lease = control_plane.kubectl("get", "lease", RELEASE, "-n", NAMESPACE, "-o", "yaml")
    assert yaml.safe_load(lease)["spec"]["holderIdentity"]

    control_plane.kubectl("scale", "mdep/wine", "-n", namespace, "--replicas=3")
    eventually(
        lambda: read("deployments")["spec"]["replicas"] == 3,
        deadline_seconds=20,
        describe="the Deployment follows the scale",
    )

    assert operator_process.end() == 0
    assert "forbidden" not in operator_process.text().lower()
