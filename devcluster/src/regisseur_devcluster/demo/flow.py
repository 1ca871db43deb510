"""The demo from an empty machine to a rollout that loses no request."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from regisseur_devcluster.demo.chart import build_values, install_chart
from regisseur_devcluster.demo.ground import Ground
from regisseur_devcluster.demo.kubectl import Kubectl
from regisseur_devcluster.demo.loadprocess import LoadProcess
from regisseur_devcluster.demo.mlflowserver import (
    INSIDE_URL,
    apply_mlflow,
    production_version,
    wait_for_mlflow,
)
from regisseur_devcluster.demo.outcomes import Summary
from regisseur_devcluster.demo.picture import Picture
from regisseur_devcluster.demo.pods import PodWatch
from regisseur_devcluster.demo.prediction import BODY, ask
from regisseur_devcluster.demo.reach import Reach
from regisseur_devcluster.demo.rollout import follow_rollout
from regisseur_devcluster.demo.workspace import FOREST, LINEAR, Workspace
from regisseur_devcluster.settings import REPOSITORY
from regisseur_devcluster.steps import step

EXAMPLE: Final = REPOSITORY / "examples" / "modeldeployment.yaml"
NAME: Final = "wine"
NAMESPACE: Final = "default"
READY_SECONDS: Final = 180
LOAD: Final = ("--rate", "120", "--count", "100000", "--seconds", "400")
AFTER_SECONDS: Final = 3.0
"""How long the load goes on after the rollout: what it broke would show."""


def show(text: str = "") -> None:
    """Tell the person in front of it something."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def install(ground: Ground) -> None:
    """Put MLflow and the operator on the cluster."""
    with step("MLflow and the operator"):
        apply_mlflow(ground.kubectl, ground.images["mlflow"])
        values = build_values(
            operator_image=ground.images["operator"],
            serving_image=ground.images["serving"],
            registry_url=INSIDE_URL,
        )
        install_chart(ground.kubectl, values)
        wait_for_mlflow(ground.kubectl)


def play(ground: Ground, scratch: Path) -> int:
    """Train, promote, deploy, predict, and roll to another version; return the exit code."""
    kubectl, reach = ground.kubectl, ground.reach
    with reach.mlflow() as registry_url:
        workspace = Workspace(scratch / "workspace", registry_url)
        workspace.create()
        if production_version(registry_url, workspace.model) is None:
            _promote(workspace, _train(workspace, LINEAR))
        with ThreadPoolExecutor(max_workers=1) as background:
            other = FOREST if workspace.algorithm == LINEAR else LINEAR
            training = background.submit(_train, workspace, other)
            _deploy(kubectl)
            before = _predict(reach)
            version = training.result()
        seconds, summary = _roll(ground, workspace, version)
    show(
        f"\n{summary.total} requests, {summary.failed} failed, "
        f"v{before} → v{version} in {seconds:.1f} s"
    )
    _explain(summary)
    hints = "\n  ".join(reach.hints(NAME))
    show(f"\nIt stays up. Try next:\n  {hints}\nStop it: make demo-down")
    return 1 if summary.failed else 0


def _train(workspace: Workspace, algorithm: str) -> str:
    with step(f"training {workspace.model} by {algorithm.replace('_', ' ')}"):
        return workspace.train(algorithm)


def _promote(workspace: Workspace, version: str) -> None:
    with step(f"promoting {workspace.model} v{version}"):
        said = workspace.promote(version)
    show(f"    {said}")


def _deploy(kubectl: Kubectl) -> None:
    with step(f"kubectl apply -f {EXAMPLE.relative_to(REPOSITORY)}"):
        kubectl("apply", "-n", NAMESPACE, "-f", EXAMPLE)
    with step(f"kubectl wait --for=condition=Ready mdep/{NAME}"):
        kubectl(
            *(
                "wait",
                "--for=condition=Ready",
                f"mdep/{NAME}",
                "-n",
                NAMESPACE,
                f"--timeout={READY_SECONDS}s",
            ),
            timeout_seconds=READY_SECONDS + 30,
        )


def _predict(reach: Reach) -> str:
    with reach.service(NAME) as address:
        prediction = ask(address)
    show(f"    a pod answers: {prediction.text}")
    return prediction.version


def _roll(ground: Ground, workspace: Workspace, version: str) -> tuple[float, Summary]:
    """Promote a version under load; return the rollout's seconds and the load's figures."""
    kubectl = ground.kubectl
    replicas = int(kubectl.read("mdep", NAME, "-n", NAMESPACE)["spec"]["replicas"])
    picture = Picture(sys.stdout)
    with (
        PodWatch(kubectl, NAMESPACE, NAME) as watch,
        LoadProcess(ground.reach.load_command(NAME), BODY, LOAD) as load,
    ):
        show("  load runs: new connections, checked and unchecked keep-alive; nobody retries")
        _promote(workspace, version)
        seconds = follow_rollout(watch, load, version, replicas, picture.show)
        time.sleep(AFTER_SECONDS)
        return seconds, load.stop()


def _explain(summary: Summary) -> None:
    show("(from the promotion until all pods are of the new version and the last old one is gone)")
    for cause, count in summary.causes.items():
        show(f"  failed: {count} × {cause}")
