"""`python -m regisseur_operator` as the container runs it: settings, probes, signals, log lines."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from support.eventually import eventually
from support.kube_client import KubeClient
from support.mlflow_server import MlflowServer, free_port
from support.modeldeployments import Subject

END_SECONDS = 15


class Process:
    """An operator process and what it wrote."""

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        own = {k: v for k, v in os.environ.items() if not k.startswith("REGISSEUR_")}
        self.log = log
        self.port = int(environment["REGISSEUR_WEB_PORT"])
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "regisseur_operator"],
                env={**own, **environment},
                stdout=output,
                stderr=output,
            )

    def get(self, route: str) -> tuple[int, str]:
        """Ask its web server; (0, "") while there is none."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{route}", timeout=5) as found:
                return int(found.status), found.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def lines(self) -> list[dict[str, str]]:
        """Return its log lines."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def end(self) -> int:
        """Send SIGTERM and return the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(END_SECONDS)


Launch = Callable[..., Process]


@pytest.fixture
def launch(kube: KubeClient, mlflow_server: MlflowServer, tmp_path: Path) -> Iterator[Launch]:
    """Return a function that starts the operator; what is left of it is killed at the end."""
    processes: list[Process] = []
    registries = tmp_path / "registries.yaml"
    registry = {"url": mlflow_server.url, "pollIntervalSeconds": 0.5}
    registries.write_text(json.dumps({"registries": [registry]}))

    def launch(**changes: str) -> Process:
        environment = {
            "KUBECONFIG": str(kube.plane.kubeconfig),
            "REGISSEUR_REGISTRIES_FILE": str(registries),
            "REGISSEUR_SERVING_IMAGE": "regisseur/serving:test",
            "REGISSEUR_LEASE_NAMESPACE": kube.namespace,
            "REGISSEUR_WEB_HOST": "127.0.0.1",
            "REGISSEUR_WEB_PORT": str(free_port()),
            **changes,
        }
        log = tmp_path / f"operator-{len(processes)}.log"
        processes.append(Process(environment, log))
        return processes[-1]

    yield launch
    for process in processes:
        process.process.kill()
        process.process.wait()


@pytest.mark.usefixtures("kubelet")
def test_it_serves_tells_and_ends(launch: Launch, subject: Subject, promoted: str) -> None:
    subject.create(promoted)
    process = launch()

    subject.wait_until_served(1)
    eventually(lambda: process.get("/readyz")[0] == 200, deadline_seconds=10)
    assert process.get("/healthz") == (200, "alive\n")
    metrics = process.get("/metrics")[1]
    assert "regisseur_operator_leader 1.0" in metrics
    created = 'kind="Deployment",reason="ChildCreated",verb="create"'
    assert f"regisseur_operator_writes_total{{{created}}} 1.0" in metrics
    assert f'model="{promoted}",name="wine"' in metrics
    assert process.end() == 0

    lease = subject.kube.read("leases", "regisseur-operator")
    assert lease["spec"]["holderIdentity"] == ""
    lines = process.lines()
    assert not [line for line in lines if line["level"] in {"error", "critical"}]
    assert not [line for line in lines if line["logger"].startswith("kopf")]
    about = f"{subject.kube.namespace}/{subject.name}"
    told = [line for line in lines if line.get("modeldeployment") == about]
    assert {line["reason"] for line in told} >= {"ChildCreated", "RolloutComplete"}
    messages = [(line["message"], line.get("modeldeployment")) for line in lines]
    assert len(messages) == len(set(messages))


def test_it_waits_for_an_api_server_with_one_line(
    launch: Launch, kube: KubeClient, tmp_path: Path
) -> None:
    nowhere = tmp_path / "kubeconfig"
    text = kube.plane.kubeconfig.read_text()
    nowhere.write_text(text.replace(kube.plane.url, f"https://127.0.0.1:{free_port()}"))

    process = launch(KUBECONFIG=str(nowhere), REGISSEUR_LEASE_RETRY_SECONDS="0.2")

    eventually(lambda: process.get("/readyz")[0] == 503, deadline_seconds=20)
    assert "not answered" in process.get("/readyz")[1]
    eventually(lambda: "cannot be reached" in process.log.read_text(), deadline_seconds=10)
    assert process.get("/healthz")[0] == 200
    assert process.end() == 0
    complaints = [line for line in process.lines() if "cannot be reached" in line["message"]]
    assert len(complaints) == 1


@pytest.mark.parametrize(
    ("change", "named"),
    [
        pytest.param({"KUBECONFIG": "/nowhere"}, "KUBECONFIG", id="no API server"),
        pytest.param({"REGISSEUR_SERVING_IMAGE": ""}, "REGISSEUR_SERVING_IMAGE", id="no image"),
        pytest.param({"REGISSEUR_REGISTRIES_FILE": "/nowhere"}, "/nowhere", id="no registries"),
    ],
)
def test_a_wrong_setting_is_one_line(launch: Launch, change: dict[str, str], named: str) -> None:
    process = launch(**change)

    assert process.process.wait(END_SECONDS) == 2
    (line,) = process.log.read_text().splitlines()
    assert line.startswith("error: ")
    assert named in line
