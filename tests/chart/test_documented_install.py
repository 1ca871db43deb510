"""The commands that install the operator, as the documents print them, on a fresh API server."""

import os
import subprocess
from collections.abc import Callable

import pytest

from regisseur_devcluster.controlplane import ControlPlane
from regisseur_devcluster.tools import tool
from support.documents import ROOT, read_commands
from support.eventually import eventually


@pytest.mark.parametrize("document", ["README.md", "charts/regisseur/README.md"])
def test_the_install_commands_work(
    start_own_control_plane: Callable[[], ControlPlane], document: str
) -> None:
    plane = start_own_control_plane()
    folders = [str(tool("helm").parent), str(tool("kubectl").parent), os.environ["PATH"]]
    environment = {
        **os.environ,
        "KUBECONFIG": str(plane.kubeconfig),
        "PATH": os.pathsep.join(folders),
    }
    commands = [line for line in read_commands(document) if not line.startswith("make ")]
    assert commands

    def succeeds(command: str) -> bool:
        result = subprocess.run(
            ["bash", "-euc", command], cwd=ROOT, env=environment, check=False, capture_output=True
        )
        return result.returncode == 0

    for command in commands:
        # A definition that was just installed is served a moment later.
        eventually(lambda: succeeds(command), deadline_seconds=20, describe=command)  # noqa: B023
    assert "regisseur" in plane.kubectl("get", "deployments", "-n", "regisseur-system")
