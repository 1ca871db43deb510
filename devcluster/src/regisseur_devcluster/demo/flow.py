"""The demo from an empty machine to a rollout that loses no request."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from regisseur_contract.names import LABEL_REHEARSAL
from regisseur_devcluster.demo.belongings import DEPLOYED as NAME
from regisseur_devcluster.demo.belongings import DEPLOYED_IN as NAMESPACE
from regisseur_devcluster.demo.belongings import mark_deployed
from regisseur_devcluster.demo.chart import NAMESPACE as OPERATOR_NAMESPACE
from regisseur_devcluster.demo.chart import (
    build_values,
    create_restricted_namespace,
    install_chart,
)
from regisseur_devcluster.demo.ground import Ground
from regisseur_devcluster.demo.kubectl import Kubectl
from regisseur_devcluster.demo.loadprocess import LoadProcess
from regisseur_devcluster.demo.mlflowserver import (
    INSIDE_URL,
    apply_mlflow,
    production_version,
    promoted_at,
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
READY_SECONDS: Final = 180
LOAD: Final = ("--rate", "120", "--count", "100000", "--seconds", "400")
AFTER_SECONDS: Final = 3.0
"""How long the load goes on after the rollout: what it broke would show."""


def show(text: str = "") -> None:
    """Tell the person in front of it something."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def play(ground: Ground, scratch: Path) -> int:
    """Install, train, promote, predict, and roll to another version; return the exit code."""
    workspace = Workspace(scratch / "workspace")
    with ThreadPoolExecutor(max_workers=1) as background:
        fitting = background.submit(_fit_first, workspace)
        _install(ground)
        fitting.result()
    with ground.reach.mlflow() as registry_url:
        if production_version(registry_url, workspace.model) is None:
            _promote(workspace, _train(workspace, LINEAR, registry_url), registry_url)
        with ThreadPoolExecutor(max_workers=1) as background:
            other = FOREST if workspace.algorithm == LINEAR else LINEAR
            training = background.submit(_train, workspace, other, registry_url)
            _deploy(ground.kubectl)
            before = _predict(ground.reach)
            after = training.result()
        seconds, summary = _roll(ground, workspace, after, registry_url)
    _conclude(f"v{before} → v{after} in {seconds:.1f} s", summary, ground)
    return 1 if summary.failed else 0


def _fit_first(workspace: Workspace) -> None:
    """Do what training needs no registry for."""
    workspace.create()
    if not workspace.has_registered:
        with step(f"fitting and evaluating {workspace.model}"):
            workspace.fit(LINEAR)


def _install(ground: Ground) -> None:
    """Put MLflow and the operator on the cluster."""
    with step("MLflow and the operator"):
        # The first to come and the last to go: by its mark the demo is known.
        create_restricted_namespace(ground.kubectl, OPERATOR_NAMESPACE)
        apply_mlflow(ground.kubectl, ground.images["mlflow"])
        values = build_values(
            operator_image=ground.images["operator"],
            serving_image=ground.images["serving"],
            registry_url=INSIDE_URL,
        )
        install_chart(ground.kubectl, values)
        wait_for_mlflow(ground.kubectl)


def _train(workspace: Workspace, algorithm: str, registry_url: str) -> str:
    with step(f"training and registering {workspace.model}: {algorithm.replace('_', ' ')}"):
        return workspace.train(algorithm, registry_url)


def _promote(workspace: Workspace, version: str, registry_url: str) -> None:
    with step(f"promoting {workspace.model} v{version}"):
        said = workspace.promote(version, registry_url)
    show(f"    {said}")


def _deploy(kubectl: Kubectl) -> None:
    with step(f"kubectl apply -f {EXAMPLE.relative_to(REPOSITORY)}"):
        kubectl("apply", "-n", NAMESPACE, "-f", EXAMPLE)
        mark_deployed(kubectl)
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


def _roll(
    ground: Ground, workspace: Workspace, version: str, registry_url: str
) -> tuple[float, Summary]:
    """Promote a version under load; return the rollout's seconds and the load's figures."""
    kubectl = ground.kubectl
    replicas = int(kubectl.read("mdep", NAME, "-n", NAMESPACE)["spec"]["replicas"])
    picture = Picture(sys.stdout)
    with (
        PodWatch(kubectl, NAMESPACE, NAME) as watch,
        PodWatch(kubectl, NAMESPACE, NAME, LABEL_REHEARSAL) as rehearsals,
        LoadProcess(ground.reach.load_command(NAME), BODY, LOAD) as load,
    ):
        show("  load runs: new connections, checked and unchecked keep-alive; nobody retries")
        _promote(workspace, version, registry_url)
        seconds = follow_rollout(
            watch,
            rehearsals,
            load,
            version=version,
            replicas=replicas,
            promoted_at=promoted_at(registry_url, workspace.model, version),
            show=picture.show,
        )
        time.sleep(AFTER_SECONDS)
        _tell_rehearsal(kubectl, version)
        return seconds, load.stop()


def _tell_rehearsal(kubectl: Kubectl, version: str) -> None:
    """Show what was found out about a version before it met traffic."""
    found = kubectl.read("mdep", NAME, "-n", NAMESPACE)["status"].get("rehearsal", {})
    facts = found.get("facts")
    if facts is None or str(found["version"]) != version:
        return
    parts = (
        f"files {facts['digest'][:15]}…",
        f"loaded and tried in {facts['seconds']:.1f} s",
        f"{facts['memoryBytes'] / (1 << 20):.0f} MiB",
        f"{facts['latencySeconds'] * 1000:.1f} ms a prediction",
    )
    show(f"    v{version} was rehearsed before it met traffic: {', '.join(parts)}")


def _conclude(rollout: str, summary: Summary, ground: Ground) -> None:
    for cause, count in summary.causes.items():
        show(f"  failed: {count} × {cause}")
    show("  (seconds from the promotion until the last pod of the old version was gone)")
    show(f"\n{summary.total} requests, {summary.failed} failed, {rollout}")
    hints = "\n  ".join(ground.reach.hints(NAME))
    show(f"\nIt stays up. Try next:\n  {hints}\nStop it: {ground.end}")
