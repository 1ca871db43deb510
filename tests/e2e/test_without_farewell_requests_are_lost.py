"""The rollout test can fail: a server that does not ask its clients to leave loses requests."""

from collections.abc import Callable
from pathlib import Path

import pytest

from regisseur_devcluster.buildah import build_image, save_image
from regisseur_devcluster.cluster import Cluster
from regisseur_devcluster.images import PREFIX, Built
from regisseur_devcluster.settings import REPOSITORY
from support.stage import Stage
from support.wine import start_wine

FAREWELL = '(b"connection", b"close")'
NONE = '(b"x-farewell", b"none")'
MODULE = Path("regisseur_serving/api/lifecycle.py")
DOCKERFILE = f"""\
ARG BASE_IMAGE
FROM ${{BASE_IMAGE}}
COPY lifecycle.py /opt/venv/lib/python3.11/site-packages/{MODULE}
"""
MOST_ROLLOUTS = 6

pytestmark = pytest.mark.deep


@pytest.fixture
def silent_image(stage: Stage, node_cluster: Cluster, tmp_path: Path) -> str:
    """Return the name of a serving image whose server drains without a word."""
    source = (REPOSITORY / "serving" / "src" / MODULE).read_text()
    assert source.count(FAREWELL) == 1
    context = tmp_path / "context"
    context.mkdir()
    (context / "lifecycle.py").write_text(source.replace(FAREWELL, NONE))
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    silent = Built(f"{PREFIX}/serving-without-farewell:test", tmp_path / "image.tar")
    build_image(
        silent.reference,
        dockerfile=tmp_path / "Dockerfile",
        context=context,
        base=stage.images["serving"],
    )
    save_image(silent.reference, silent.archive)
    node_cluster.load([silent])
    return silent.reference


@pytest.mark.timeout(600, func_only=True)
def test_rollouts_lose_requests_when_the_server_does_not_ask_clients_to_leave(
    stage: Stage, silent_image: str, note_figure: Callable[[str], None]
) -> None:
    served = stage.create_served("silent")
    old, new = start_wine(served, serving={"image": silent_image}).versions

    with served.load(220.0, "--count", "200000", "--seconds", "600", by="node") as load:
        rollouts = 0
        while load.so_far.failed == 0 and rollouts < MOST_ROLLOUTS:
            served.promote(new)
            served.wait_until_served(new)
            old, new = new, old
            rollouts += 1
        summary = load.stop()

    note_figure(f"without a farewell, {rollouts} rollouts: {summary.describe()}")
    assert summary.failed > 0
