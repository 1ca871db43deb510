"""Everything at once: a node, the operator's chart, MLflow as a pod, models in it."""

from collections.abc import Callable

import pytest

from regisseur_devcluster.cluster import Cluster
from support.faulty_image import build_faulty_image
from support.faulty_versions import Versions
from support.model_folders import ModelFolder
from support.stage import Stage, set_stage
from support.victim import Case, Victim
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


@pytest.fixture(scope="session")
def shared_victim(
    stage: Stage,
    node_cluster: Cluster,
    linear_folder: ModelFolder,
    tmp_path_factory: pytest.TempPathFactory,
) -> Victim:
    """Return the ModelDeployment that all faulty versions are tried on."""
    scratch = tmp_path_factory.mktemp("faults")
    faulty = build_faulty_image(stage.images["serving"], scratch)
    node_cluster.load([faulty])
    served = stage.create_served("victim")
    versions = Versions(
        registry=served.registry,
        model=served.model,
        folder=linear_folder.path,
        scratch=scratch,
        image=stage.images["serving"],
        faulty_image=faulty.reference,
    )
    return Victim.start(served, versions)


@pytest.fixture
def victim(shared_victim: Victim) -> Victim:
    """Return a ModelDeployment that serves a good version, whatever the test before left."""
    return shared_victim.recover()


@pytest.fixture
def case(
    victim: Victim, request: pytest.FixtureRequest, note_figure: Callable[[str], None]
) -> Callable[..., Case]:
    """Return what puts the victim under load and watches it for the time of a `with` block."""
    return lambda *, deaths=False: Case(
        victim.served, note_figure, request.node.name.removeprefix("test_"), deaths=deaths
    )


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
