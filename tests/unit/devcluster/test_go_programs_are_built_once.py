"""A build is found again exactly when everything that goes into it is the same."""

import shutil
from pathlib import Path

import pytest

from regisseur_devcluster import tools
from regisseur_devcluster.errors import DevclusterError
from regisseur_devcluster.golang import parse_version
from regisseur_devcluster.tools import FAMILIES, Family, build_folder, linker_flags, tool


@pytest.fixture
def family(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Family:
    """Return a family whose sources the test may change."""
    shutil.copytree(FAMILIES[2].source, tmp_path / "coredns")
    monkeypatch.setattr(tools, "TOOLS", tmp_path)
    return FAMILIES[2]


def test_the_same_sources_are_one_build(family: Family) -> None:
    assert build_folder(family) == build_folder(family)


@pytest.mark.parametrize("file", ["go.mod", "go.sum", "main.go"])
def test_a_changed_source_is_another_build(family: Family, file: str) -> None:
    before = build_folder(family)

    path = family.source / file
    path.write_text(path.read_text() + "\n// changed\n")

    assert build_folder(family) != before


def test_notes_beside_the_sources_change_nothing(family: Family) -> None:
    before = build_folder(family)

    (family.source / "README.md").write_text("a note")

    assert build_folder(family) == before


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.folder)
def test_every_family_pins_its_modules(family: Family) -> None:
    assert (family.source / "go.mod").exists()
    assert bool(family.version) == bool(family.module)


def test_kubernetes_says_its_own_version() -> None:
    kubernetes = FAMILIES[0]

    assert f"gitVersion=v{kubernetes.version}" in linker_flags(kubernetes)
    assert f"gitMinor={kubernetes.version.split('.')[1]}" in linker_flags(kubernetes)


def test_an_unknown_tool_is_refused_with_the_known_ones() -> None:
    with pytest.raises(DevclusterError, match=r"no tool called docker; there are: .*kubectl"):
        tool("docker")


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("go version go1.26.8 linux/amd64", (1, 26, 8)),
        ("go version go1.27 linux/arm64", (1, 27)),
        ("not a compiler", ()),
    ],
)
def test_the_version_of_go_is_read_from_what_it_prints(text: str, version: tuple[int]) -> None:
    assert parse_version(text) == version
