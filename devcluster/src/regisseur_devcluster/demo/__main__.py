"""The command line of the demo: `python -m regisseur_devcluster.demo up|down`."""

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from regisseur_devcluster.cluster import Cluster
from regisseur_devcluster.demo.flow import play
from regisseur_devcluster.demo.ground import borrow_ground, clear_ground, lay_ground
from regisseur_devcluster.errors import DevclusterError
from regisseur_devcluster.packages import refuse_unfit_machine
from regisseur_devcluster.settings import state_folder

INTERRUPTED = 130


def up(kubeconfig: Path | None, registry: str | None) -> int:
    """Run the whole demo and leave it up.

    Raises:
        DevclusterError: It cannot go on; the message says why.
    """
    if bool(kubeconfig) != bool(registry):
        raise DevclusterError(
            "a cluster of yours needs both: make demo KUBECONFIG=… IMAGE_REGISTRY=…"
        )
    refuse_unfit_machine()
    ground = borrow_ground(kubeconfig, registry) if kubeconfig and registry else lay_ground()
    return play(ground, state_folder() / "demo")


def down(kubeconfig: Path | None) -> int:
    """Remove the cluster, or what the demo brought to a person's own, and what was trained."""
    was_up = clear_ground(kubeconfig) if kubeconfig else Cluster().down()
    if was_up or kubeconfig is None:
        shutil.rmtree(state_folder() / "demo", ignore_errors=True)
    print("The demo is gone." if was_up else "There is no demo.")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments say and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m regisseur_devcluster.demo")
    parser.add_argument("action", choices=("up", "down"))
    parser.add_argument("--kubeconfig", type=Path, help="use this cluster, not the devcluster")
    parser.add_argument("--image-registry", help="where that cluster pulls images from")
    options = parser.parse_args(arguments)
    try:
        if options.action == "down":
            return down(options.kubeconfig)
        return up(options.kubeconfig, options.image_registry)
    except DevclusterError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\ninterrupted; `make demo` goes on, `make demo-down` removes it\n")
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
