"""The container images of the project, built without a registry and without an engine.

An image that lies in the cache under the hash of its content is never built again.
"""

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from regisseur_devcluster.baseimage import base_archive
from regisseur_devcluster.buildah import build_image, has_image, push_image, save_image
from regisseur_devcluster.buildcontext import content_hash, parse_copied, stage, text_hash
from regisseur_devcluster.errors import DevclusterError
from regisseur_devcluster.locking import exclusive
from regisseur_devcluster.settings import REPOSITORY, cache_folder
from regisseur_devcluster.steps import step
from regisseur_devcluster.tools import tool

PREFIX = "localhost/regisseur"
"""What the names of images begin with that were never in a registry."""

KEPT_ARCHIVES = 2


@dataclass(frozen=True)
class Image:
    """An image of the project.

    Attributes:
        name: Its name below the prefix.
        dockerfile: Path of its Dockerfile in the repository.
        extras: What it is built with besides, where its Dockerfile leaves a choice.
    """

    name: str
    dockerfile: str
    extras: tuple[str, ...] = ()


@dataclass(frozen=True)
class Built:
    """An image that lies in the cache, ready to be loaded.

    Attributes:
        reference: Its name, with the hash of its content as tag.
        archive: The file to load it from.
    """

    reference: str
    archive: Path

    @property
    def latest(self) -> str:
        """The name that always means the newest build."""
        return f"{self.reference.rpartition(':')[0]}:dev"


APPLICATIONS = (
    Image("serving", "Dockerfile.serving"),
    Image("operator", "Dockerfile.operator"),
    Image("mlflow", "devcluster/images/Dockerfile.mlflow"),
)

ONNX_SERVING = Image("onnx-serving", "Dockerfile.serving", extras=("onnx",))
"""The model server with engine ONNX, which is built only when it is asked for by its name.

No other image's name begins this one's: older archives of that one would be taken for it.
"""

KNOWN = {image.name: image for image in (*APPLICATIONS, ONNX_SERVING)}
"""All images that can be asked for, by name."""


def build_applications(names: Iterable[str] = ()) -> list[Built]:
    """Build the images of the project, or those that are named, unless they are in the cache.

    Raises:
        DevclusterError: A name is none of the project's images.
    """
    names = list(names)
    if unknown := [name for name in names if name not in KNOWN]:
        raise DevclusterError(
            f"there is no image called {', '.join(unknown)}; there are: {', '.join(KNOWN)}"
        )
    wanted = [image for name, image in KNOWN.items() if name in names]
    return [build_application(image) for image in wanted or APPLICATIONS]


def build_application(image: Image) -> Built:
    """Build one image on the local base image, unless it is in the cache."""
    dockerfile = REPOSITORY / image.dockerfile
    base = _base()
    with tempfile.TemporaryDirectory(prefix="regisseur-image-") as folder:
        context = Path(folder)
        stage(parse_copied(dockerfile.read_text()), sources=REPOSITORY, target=context)
        return _build(image.name, dockerfile, context, base, image.extras)


def pause_image() -> Built:
    """Return the image of the process that holds a pod's namespaces open."""
    dockerfile = REPOSITORY / "devcluster" / "images" / "Dockerfile.pause"
    program = tool("pause")
    with tempfile.TemporaryDirectory(prefix="regisseur-image-") as folder:
        stage([program.name], sources=program.parent, target=Path(folder))
        return _build("pause", dockerfile, Path(folder), None)


def push(built: Built, registry: str) -> str:
    """Send an image to a registry and return the name it has there."""
    target = f"{registry.rstrip('/')}/{built.reference.removeprefix('localhost/')}"
    with step(f"pushing {target}"):
        push_image(built.archive, target)
    return target


def _base() -> str:
    """Return the name of the local base image, which the store keeps; it is never loaded."""
    dockerfile = REPOSITORY / "devcluster" / "images" / "Dockerfile.base"
    archive = base_archive()
    reference = f"{PREFIX}/base:{text_hash(dockerfile.read_text(), archive.parent.name)}"
    with exclusive(archive.with_name(".lock"), waiting_for="build of the base image"):
        if not has_image(reference):
            with step(f"image {reference}"):
                build_image(reference, dockerfile=dockerfile, context=archive.parent, base=None)
    return reference


def archive_of(reference: str) -> Path:
    """Return where the cache keeps an image, whether it still does or not."""
    name, _, tag = reference.rpartition("/")[2].partition(":")
    return cache_folder() / "images" / f"{name}-{tag}.tar"


def _build(
    name: str, dockerfile: Path, context: Path, base: str | None, extras: Sequence[str] = ()
) -> Built:
    tag = content_hash(context, dockerfile.read_text(), base or "", *extras)
    reference = f"{PREFIX}/{name}:{tag}"
    built = Built(reference, archive_of(reference))
    lock = built.archive.with_name(f".{name}.lock")
    with exclusive(lock, waiting_for=f"build of image {name}"):
        if built.archive.exists():
            return built
        with step(f"image {reference}"):
            build_image(reference, dockerfile=dockerfile, context=context, base=base, extras=extras)
            save_image(reference, built.archive)
        _forget_older(name, built.archive.parent)
    return built


def _forget_older(name: str, folder: Path) -> None:
    archives = sorted(folder.glob(f"{name}-*.tar"), key=lambda path: path.stat().st_mtime)
    for archive in archives[:-KEPT_ARCHIVES]:
        archive.unlink()
