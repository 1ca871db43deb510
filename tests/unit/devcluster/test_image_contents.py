"""What goes into an image, and what makes it another image."""

import os
from pathlib import Path

import pytest

from regisseur_devcluster import buildah
from regisseur_devcluster.buildcontext import content_hash, parse_copied, stage
from regisseur_devcluster.errors import DevclusterError
from regisseur_devcluster.images import APPLICATIONS, KNOWN, ONNX_SERVING, Built, Image, archive_of
from regisseur_devcluster.settings import REPOSITORY

DOCKERFILE = """\
ARG BASE_IMAGE=python:3.11-slim-bookworm
FROM ${BASE_IMAGE} AS build
COPY locks/uv.txt locks/serving.txt \\
     /build/
COPY --chown=1:1 serving /build/serving
RUN echo COPY nothing /here
FROM ${BASE_IMAGE}
COPY --from=build /opt/venv /opt/venv
"""


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """Return a small repository."""
    folder = tmp_path / "sources"
    (folder / "serving" / "__pycache__").mkdir(parents=True)
    (folder / "serving" / "app.py").write_text("print()")
    (folder / "serving" / "__pycache__" / "app.pyc").write_text("compiled")
    return folder


def test_only_what_comes_from_the_context_is_copied() -> None:
    assert parse_copied(DOCKERFILE) == ["locks/uv.txt", "locks/serving.txt", "serving"]


@pytest.mark.parametrize("image", KNOWN.values(), ids=lambda image: image.name)
def test_every_dockerfile_copies_files_that_exist_and_takes_its_base_from_outside(
    image: Image,
) -> None:
    text = (REPOSITORY / image.dockerfile).read_text()

    assert all((REPOSITORY / path).exists() for path in parse_copied(text))
    assert "ARG BASE_IMAGE=python:3.11-slim-bookworm\n" in text
    assert not image.extras or "\nARG EXTRAS=" in text


def test_no_name_of_an_image_begins_another_s() -> None:
    """The archives of an image are found by its name, and older ones are removed."""
    assert not [(a, b) for a in KNOWN for b in KNOWN if a != b and b.startswith(f"{a}-")]


def test_an_image_is_built_with_its_extras(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    commands: list[list[str]] = []
    monkeypatch.setenv("REGISSEUR_CACHE", str(tmp_path))
    monkeypatch.setattr(buildah, "require", lambda *_: None)
    monkeypatch.setattr(buildah, "run", lambda command, **_: commands.append(command))

    buildah.build_image(
        "a:1", dockerfile=tmp_path, context=tmp_path, base="b:1", extras=("onnx", "explain")
    )

    (command,) = commands
    assert command[command.index("EXTRAS=onnx explain") - 1] == "--build-arg"


def test_only_what_an_image_needs_anyway_is_built_by_itself() -> None:
    assert ONNX_SERVING in KNOWN.values()
    assert ONNX_SERVING not in APPLICATIONS


def test_the_hash_is_the_same_wherever_and_whenever_the_files_were_checked_out(
    sources: Path, tmp_path: Path
) -> None:
    stage(["serving"], sources=sources, target=tmp_path / "one")
    os.utime(sources / "serving" / "app.py", (1, 1))
    (sources / "serving" / "__pycache__" / "app.pyc").write_text("compiled again")
    stage(["serving"], sources=sources, target=tmp_path / "two")

    assert content_hash(tmp_path / "one") == content_hash(tmp_path / "two")


@pytest.mark.parametrize("change", ["content", "name", "mode", "dockerfile"])
def test_any_change_makes_another_image(sources: Path, tmp_path: Path, change: str) -> None:
    stage(["serving"], sources=sources, target=tmp_path / "one")
    file = sources / "serving" / "app.py"
    match change:
        case "content":
            file.write_text("print(1)")
        case "name":
            file.rename(file.with_name("main.py"))
        case "mode":
            file.chmod(0o755)
    stage(["serving"], sources=sources, target=tmp_path / "two")
    text = "FROM b" if change == "dockerfile" else "FROM a"

    assert content_hash(tmp_path / "one", "FROM a") != content_hash(tmp_path / "two", text)


def test_a_copied_file_that_is_missing_is_named(sources: Path, tmp_path: Path) -> None:
    with pytest.raises(DevclusterError, match=r"copies locks/uv.txt, which is not in"):
        stage(["locks/uv.txt"], sources=sources, target=tmp_path / "context")


def test_an_image_has_a_name_for_its_content_and_one_for_the_newest() -> None:
    reference = "localhost/regisseur/serving:0123456789ab"
    built = Built(reference, archive_of(reference))

    assert built.latest == "localhost/regisseur/serving:dev"
    assert built.archive.name == "serving-0123456789ab.tar"
