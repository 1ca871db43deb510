"""What the documents say exists: targets, files, links."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)) | {
    f"test-{tier}" for tier in ("unit", "adapters", "cluster", "chart", "pipeline", "repo", "e2e")
}


def ids(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("document", DOCUMENTS, ids=ids)
def test_every_make_target_named_exists(document: Path) -> None:
    named = set(re.findall(r"\bmake ([a-z][a-z-]+)", "\n".join(code_of(document))))
    assert named <= TARGETS


@pytest.mark.parametrize("document", DOCUMENTS, ids=ids)
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", document.read_text())
    broken = [link for link in links if "://" not in link and not (document.parent / link).exists()]
    assert not broken


def code_of(document: Path) -> list[str]:
    """Everything set as code: fenced blocks and inline spans."""
    text = document.read_text()
    blocks = re.findall(r"^```.*?^```", text, re.MULTILINE | re.DOTALL)
    return [*blocks, *re.findall(r"`[^`\n]+`", text)]
