"""Everything at once: a node, the operator's chart, MLflow as a pod, models in it."""

import json
from collections.abc import Callable, Iterator

import pytest

from regisseur_devcluster.cluster import Cluster
from support.served import Served
from support.stage import Stage, set_stage
from support.wine import Wine, start_wine

FIGURE = "figure"


@pytest.fixture(scope="session")
def stage(node_cluster: Cluster) -> Stage:
    """Return the cluster with the operator and MLflow on it, which all tests share."""
    return set_stage(node_cluster)


@pytest.fixture
def served(stage: Stage, request: pytest.FixtureRequest) -> Iterator[Served]:
    """Return a ModelDeployment that is not applied yet, in a namespace of its own."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    metadata = {"generateName": "e2e-", "labels": labels}
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
    created = stage.kubectl("create", "-f", "-", "-o", "name", stdin=json.dumps(manifest))
    namespace = created.strip().removeprefix("namespace/")
    model = f"{request.node.originalname or request.node.name}-{namespace}"
    yield Served(stage.kubectl, stage.registry, namespace, model)
    stage.kubectl("delete", "namespace", namespace, "--wait=false")


@pytest.fixture
def wine(served: Served) -> Wine:
    """Return a ModelDeployment whose two versions are registered and whose first one serves."""
    return start_wine(served)


@pytest.fixture
def note_figure(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Return what a test tells its figures to; they are printed when all tests are over."""
    return lambda text: request.node.user_properties.append((FIGURE, text))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures that tests noted."""
    reports = [
        report
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, ())
        if any(name == FIGURE for name, _ in report.user_properties)
    ]
    if reports:
        terminalreporter.section("figures")
    for report in reports:
        terminalreporter.line(report.nodeid.rpartition("/")[2])
        figures = (value for name, value in report.user_properties if name == FIGURE)
        terminalreporter.line("".join(f"  {value}\n" for value in figures).rstrip())
