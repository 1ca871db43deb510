"""The cluster with a node, for end-to-end tests: one for the whole run, in a state of its own."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from regisseur_devcluster.cluster import Cluster
from regisseur_devcluster.locking import exclusive
from regisseur_devcluster.settings import state_folder
from support.control_plane import trust


@pytest.fixture(scope="session")
def cluster_of_tests() -> Iterator[Cluster]:
    """Return the cluster of the tests, whether it runs or not, when no other run uses it.

    Its folder is always the same, so a run that was killed is swept up by the next one.
    """
    lock = Path(tempfile.gettempdir()) / "regisseur-e2e.lock"
    with exclusive(lock, waiting_for="run of the end-to-end tests"):
        yield Cluster(state_folder() / "e2e")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run tests that start and stop the cluster themselves before it is started for all."""
    items.sort(key=lambda item: "vacant_node" not in getattr(item, "fixturenames", ()))


@pytest.fixture
def vacant_node(cluster_of_tests: Cluster) -> Iterator[Cluster]:
    """Return a cluster that does not run yet; what the test leaves of it is removed."""
    cluster = cluster_of_tests
    assert not cluster.is_up, "tests of the cluster itself run before the others"
    cluster.down()
    trust(cluster.plane.url)
    yield cluster
    cluster.down()


@pytest.fixture(scope="session")
def node_cluster(cluster_of_tests: Cluster) -> Iterator[Cluster]:
    """Return the running cluster that all end-to-end tests share; the chart brings the CRD."""
    cluster = cluster_of_tests
    cluster.down()
    cluster.up()
    trust(cluster.plane.url)
    yield cluster
    cluster.down()
