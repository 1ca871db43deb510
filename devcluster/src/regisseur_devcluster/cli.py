"""The command line: `python -m regisseur_devcluster …`, which the Makefile calls."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from regisseur_devcluster.cluster import Cluster
from regisseur_devcluster.controlplane import ControlPlane
from regisseur_devcluster.errors import DevclusterError
from regisseur_devcluster.images import KNOWN, Built, build_applications, push
from regisseur_devcluster.tools import tool


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments say and return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except DevclusterError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\ninterrupted; run the same command again to go on\n")
        return 130
    return 0


def _up(options: argparse.Namespace) -> None:
    del options
    cluster = Cluster()
    cluster.up()
    print(f"The cluster is up: export KUBECONFIG={cluster.kubeconfig}")


def _down(options: argparse.Namespace) -> None:
    del options
    print("The cluster is gone." if Cluster().down() else "There is no cluster.")


def _status(options: argparse.Namespace) -> None:
    del options
    cluster = Cluster()
    for daemon in cluster.daemons:
        identity = daemon.identity
        print(f"{daemon.name:24} {f'pid {identity.pid}' if identity else 'not running'}")
    print("up" if cluster.is_up else "down")


def _images(options: argparse.Namespace) -> None:
    built = build_applications(options.names)
    if options.push:
        for image in built:
            print(push(image, options.push))
    else:
        _load_if_up(built)
        for image in built:
            print(image.reference)


def _load_if_up(built: Sequence[Built]) -> None:
    cluster = Cluster()
    if cluster.is_up:
        cluster.load(built)


def _control_plane(options: argparse.Namespace) -> None:
    plane = ControlPlane(options.dir)
    if options.action == "up":
        plane.start()
        print(f"The API server is up: export KUBECONFIG={plane.kubeconfig}")
    else:
        plane.remove()
        print("The API server is gone.")


def _tool(options: argparse.Namespace) -> None:
    print(tool(options.name))


def _metrics(options: argparse.Namespace) -> None:
    del options
    Cluster().start_metrics()
    print("`kubectl top` and autoscaling work.")


def _kubeconfig(options: argparse.Namespace) -> None:
    del options
    print(Cluster().kubeconfig)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m regisseur_devcluster", description="A real Kubernetes on this machine."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, run, text in (
        ("up", _up, "start the cluster with a node, or what is missing of it"),
        ("down", _down, "remove the cluster and everything it brought to the machine"),
        ("status", _status, "say which parts run"),
        ("metrics", _metrics, "measure what pods use, for `kubectl top` and autoscaling"),
        ("kubeconfig", _kubeconfig, "print the path of the administrator's kubeconfig"),
    ):
        commands.add_parser(name, help=text).set_defaults(run=run)
    images = commands.add_parser("images", help="build the images; load them if a cluster is up")
    images.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(KNOWN)}")
    images.add_argument("--push", metavar="REGISTRY", help="send them to a registry instead")
    images.set_defaults(run=_images)
    plane = commands.add_parser("control-plane", help="an API server without a node")
    plane.add_argument("action", choices=("up", "down"))
    plane.add_argument("--dir", type=Path, required=True, help="its folder")
    plane.set_defaults(run=_control_plane)
    program = commands.add_parser("tool", help="print the path of a program, built if need be")
    program.add_argument("name")
    program.set_defaults(run=_tool)
    return parser
