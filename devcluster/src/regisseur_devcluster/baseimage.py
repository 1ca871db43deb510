"""The base image: a small Debian with its own Python, for machines that reach no registry."""

from pathlib import Path

from regisseur_devcluster.buildcontext import text_hash
from regisseur_devcluster.commands import run
from regisseur_devcluster.locking import exclusive
from regisseur_devcluster.packages import IMAGE_PACKAGES, require
from regisseur_devcluster.settings import cache_folder
from regisseur_devcluster.steps import step

SUITE = "bookworm"
PACKAGES = ("python3", "python3-venv", "ca-certificates", "libstdc++6")
OPTIONS = (
    "--variant=essential",
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
)


def base_archive() -> Path:
    """Return the file system of the base image as an archive, alone in its folder.

    It is made once per package list.
    """
    command = [*OPTIONS, f"--include={','.join(PACKAGES)}", SUITE]
    archive = cache_folder() / "base" / f"{SUITE}-{text_hash(*command)}" / "base.tar"
    with exclusive(archive.parent.with_suffix(".lock"), waiting_for="build of the base image"):
        if not archive.exists():
            require(*IMAGE_PACKAGES)
            unfinished = archive.parent.with_suffix(".unfinished")
            with step(f"Debian {SUITE} with {', '.join(PACKAGES)}"):
                run(["mmdebstrap", "--quiet", "--format=tar", *command, unfinished])
            archive.parent.mkdir(exist_ok=True)
            unfinished.rename(archive)
    return archive
