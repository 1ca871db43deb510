"""Everything at once: a node, the operator's chart, MLflow as a pod, models in it."""

from collections.abc import Callable

import pytest

from regisseur_devcluster.cluster import Cluster
from support.stage import Stage, set_stage
from support.wine import Wine, start_wine

FIGURE = "figure"


@pytest.fixture(scope="session")
def stage(node_cluster: Cluster) -> Stage:
    """Return the cluster with the operator and MLflow on it, which all tests share."""
    return set_stage(node_cluster)


@pytest.fixture(scope="session")
def shared_wine(stage: Stage) -> Wine:
    """Return the ModelDeployment that most tests share: its pods take a while to start."""
    return start_wine(stage.create_served("wine"))


@pytest.fixture
def wine(shared_wine: Wine) -> Wine:
    """Return a ModelDeployment that serves one of two versions, whichever a test left it at."""
    shared_wine.served.wait_until_ready()
    return shared_wine


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
