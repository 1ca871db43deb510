"""What holds for every tier: time limits, and fixtures that bring real parts."""

from pathlib import Path

import pytest

pytest_plugins = [
    "support.mlflow_server",
    "support.guarded_mlflow_server",
    "support.workspaced_mlflow_server",
    "support.model_folders",
    "support.running_servers",
    "support.s3_server",
    "support.control_plane",
    "support.node_cluster",
]

TESTS = Path(__file__).parent

LIMIT_SECONDS = {
    "unit": 2,
    "adapters": 20,
    "cluster": 60,
    "chart": 60,
    "pipeline": 120,
    "repo": 60,
    "e2e": 300,
}
"""Time limit of one test by tier; setting up a shared fixture does not count."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give every test the time limit of its tier, unless it names its own."""
    for item in items:
        tier = item.path.relative_to(TESTS).parts[0]
        if item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(LIMIT_SECONDS[tier], func_only=True))
