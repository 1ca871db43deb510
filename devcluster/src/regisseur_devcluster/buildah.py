"""Building images with buildah, in a store of our own that a person's images never meet."""

from collections.abc import Sequence
from pathlib import Path

from regisseur_devcluster.commands import run
from regisseur_devcluster.packages import IMAGE_PACKAGES, require
from regisseur_devcluster.settings import cache_folder, pip_configuration

BUILD_LIMIT_SECONDS = 1800
TRUSTED = Path("/etc/ssl/certs")
HOME_INSIDE = Path("/root")
"""Builds run as root of their own file system."""


def build_image(
    reference: str,
    *,
    dockerfile: Path,
    context: Path,
    base: str | None,
    extras: Sequence[str] = (),
) -> None:
    """Build an image; its log lies beside the store.

    Args:
        reference: Its name and tag.
        dockerfile: How it is built.
        context: The files that it is built from.
        base: The image that it stands on; None where it stands on none.
        extras: What it is built with besides, where its Dockerfile leaves a choice.
    """
    require(*IMAGE_PACKAGES)
    arguments: list[str | Path] = ["--isolation", "chroot", "--network", "host", "--layers"]
    if base is not None:
        arguments += ["--build-arg", f"BASE_IMAGE={base}", "--pull-never"]
    if extras:
        arguments += ["--build-arg", f"EXTRAS={' '.join(extras)}"]
    arguments += [*_outside(), "--tag", reference, "--file", dockerfile, context]
    log = _store() / "logs" / f"{reference.rpartition('/')[2].replace(':', '-')}.log"
    run([*_buildah("bud"), *arguments], log=log, timeout_seconds=BUILD_LIMIT_SECONDS)


def has_image(reference: str) -> bool:
    """Return whether the store holds an image."""
    names = run([*_buildah("images"), "--format", "{{.Name}}:{{.Tag}}"]).split()
    return reference in names


def save_image(reference: str, archive: Path) -> None:
    """Write an image to a file; a half-written one is never seen."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    unfinished = archive.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    run([*_buildah("push"), "--quiet", reference, f"docker-archive:{unfinished}:{reference}"])
    unfinished.rename(archive)


def push_image(archive: Path, target: str) -> None:
    """Send an image from its file to a registry, with the logins that this machine has."""
    image = run([*_buildah("pull"), "--quiet", f"docker-archive:{archive}"]).split()[-1]
    run([*_buildah("push"), "--quiet", image, f"docker://{target}"])


def _buildah(verb: str) -> list[str | Path]:
    store = _store()
    return ["buildah", "--root", store / "root", "--runroot", store / "run", verb]


def _store() -> Path:
    return cache_folder() / "buildah"


def _outside() -> list[str]:
    """Return what a build borrows from this machine without keeping it.

    Downloads go by the certificates and the package index that this machine trusts, and are kept
    for the next build.
    """
    downloads = cache_folder() / "downloads"
    downloads.mkdir(parents=True, exist_ok=True)
    mounts = [f"{downloads}:{HOME_INSIDE}/.cache"]
    if TRUSTED.is_dir():
        mounts.append(f"{TRUSTED}:{TRUSTED}:ro")
    if pip := pip_configuration():
        mounts.append(f"{pip}:/etc/pip.conf:ro")
    return [part for mount in mounts for part in ("--volume", mount)]
