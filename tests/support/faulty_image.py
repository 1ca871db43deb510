"""A serving image made from the real one, whose server fails as its model tells it to."""

from pathlib import Path

from regisseur_devcluster.buildah import build_image, save_image
from regisseur_devcluster.buildcontext import text_hash
from regisseur_devcluster.images import PREFIX, Built, archive_of
from support import faulty_server

NAME = "faulty-serving"
PROGRAM = Path(faulty_server.__file__)
DOCKERFILE = f"""\
ARG BASE_IMAGE
FROM ${{BASE_IMAGE}}
COPY {PROGRAM.name} /opt/{PROGRAM.name}
ENTRYPOINT ["python", "/opt/{PROGRAM.name}"]
"""


def build_faulty_image(serving: str, scratch: Path) -> Built:
    """Build the image on a serving image, unless it is in the cache.

    Args:
        serving: Name of the real image.
        scratch: An empty folder.
    """
    source = PROGRAM.read_text()
    reference = f"{PREFIX}/{NAME}:{text_hash(serving, DOCKERFILE, source)}"
    built = Built(reference, archive_of(reference))
    if not built.archive.exists():
        context, dockerfile = scratch / "context", scratch / "Dockerfile"
        context.mkdir()
        (context / PROGRAM.name).write_text(source)
        (context / PROGRAM.name).chmod(0o644)
        dockerfile.write_text(DOCKERFILE)
        build_image(reference, dockerfile=dockerfile, context=context, base=serving)
        save_image(reference, built.archive)
        for older in built.archive.parent.glob(f"{NAME}-*.tar"):
            if older != built.archive:
                older.unlink()
    return built
