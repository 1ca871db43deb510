"""The quickstart as a person types it: the demo, every command after it, and its end."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from regisseur_devcluster.cluster import Cluster
from support.documents import ROOT, read_commands

LAST_LINE = r"[1-9][0-9]* requests, 0 failed, v1 → v2 in [0-9.]+ s"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the checkout, so that training in it leaves the real one alone."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    copy = tmp_path / "regisseur"
    # Nothing in the copy is newer than the environment: make must not install it from there.
    made = (ROOT / ".venv" / ".synced").stat().st_mtime_ns - 1_000_000_000
    for name in filter(None, listing.split("\0")):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, copy / name)
        os.utime(copy / name, ns=(made, made))
    (copy / ".venv").symlink_to(ROOT / ".venv")
    subprocess.run(["git", "init", "--quiet"], cwd=copy, check=True)  # DVC works in a clone only
    return copy


@pytest.mark.timeout(1500)
def test_every_command_of_the_quickstart_works(
    vacant_node: Cluster, checkout: Path, tmp_path: Path, note_figure: Callable[[str], None]
) -> None:
    state = vacant_node.layout.folder.parent  # sockets below it need a short name
    environment = {**os.environ, "REGISSEUR_STATE": str(state), "GIT_COMMIT": "0" * 40}
    for name in ("KUBECONFIG", "MLFLOW_TRACKING_URI", "MAKEFLAGS", "MAKELEVEL"):
        environment.pop(name, None)
    script = tmp_path / "quickstart.sh"
    script.write_text("\n".join(["set -euxo pipefail", *read_commands("docs/QUICKSTART.md"), ""]))
    try:
        result = subprocess.run(
            ["bash", script],
            cwd=checkout,
            env=environment,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
    finally:
        subprocess.run(["make", "--silent", "demo-down"], cwd=checkout, env=environment, check=True)
    assert result.returncode == 0, result.stdout[-6000:]
    summary = [line for line in result.stdout.splitlines() if " requests, " in line]
    assert any(re.fullmatch(LAST_LINE, line) for line in summary), summary
    note_figure(summary[-1])
