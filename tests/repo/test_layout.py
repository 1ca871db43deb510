"""The house rules that no linter knows."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MEMBERS = ("contract", "operator", "serving", "training", "devcluster", "bench")


def tracked(*patterns: str) -> list[Path]:
    """Files of the work tree that git tracks or would track."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    return [ROOT / line for line in listing if (ROOT / line).is_file()]


@pytest.mark.parametrize(
    "entry",
    [
        *("operator", "crds", "serving", "training", "charts", "tests", "params.yaml", "dvc.yaml"),
        *("Dockerfile.operator", "Dockerfile.serving", "README.md", "LICENSE"),
        *("CHANGELOG.md", "CONTRIBUTING.md", "docs/ARCHITECTURE.md", ".ci/run"),
    ],
)
def test_what_people_look_for_is_at_the_top_level(entry: str) -> None:
    assert (ROOT / entry).exists()


def test_no_package_shadows_pythons_own_operator() -> None:
    found = [path for path in ROOT.rglob("operator/__init__.py") if ".venv" not in path.parts]
    # One that lies within another package has a name of its own.
    assert not [path for path in found if not (path.parents[1] / "__init__.py").exists()]
    assert not [path for path in (ROOT / "tests").rglob("operator") if path.is_dir()]


def test_tests_have_no_packages() -> None:
    assert not [path for path in tracked("tests/*.py") if path.name == "__init__.py"]


@pytest.mark.parametrize(
    ("patterns", "limit"),
    [
        pytest.param([f"{member}/*.py" for member in MEMBERS], 300, id="sources"),
        pytest.param(["tests/*.py"], 400, id="tests"),
    ],
)
def test_modules_stay_short(patterns: list[str], limit: int) -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in tracked(*patterns)
        if (lines := len(path.read_text().splitlines())) > limit
    }
    assert not long


def test_no_module_has_a_name_that_says_nothing() -> None:
    empty_names = re.compile(r"^(utils?|helpers?|common|misc|managers?|base)\.py$")
    assert not [path for path in tracked("*.py") if empty_names.match(path.name)]


def test_one_version_everywhere() -> None:
    files = [ROOT / "pyproject.toml", *(ROOT / member / "pyproject.toml" for member in MEMBERS)]
    versions = {
        path: re.search(r'^version = "(.+)"$', path.read_text(), re.MULTILINE) for path in files
    }
    chart = (ROOT / "charts/regisseur/Chart.yaml").read_text()
    found = {match.group(1) for match in versions.values() if match}
    found |= set(re.findall(r"^(?:version|appVersion): \"?([^\"\n]+)\"?$", chart, re.MULTILINE))
    assert len(found) == 1
    assert f"## {found.pop()}" in (ROOT / "CHANGELOG.md").read_text()


def test_the_chart_carries_the_same_crd() -> None:
    name = "modeldeployments.regisseur.dev.yaml"
    assert (ROOT / "crds" / name).read_bytes() == (
        ROOT / "charts/regisseur/files/crds" / name
    ).read_bytes()


@pytest.mark.parametrize("lock", sorted((ROOT / "locks").glob("*.txt")), ids=lambda path: path.name)
def test_locks_pin_by_hash_and_name_no_registry(lock: Path) -> None:
    text = lock.read_text()
    pins = re.findall(r"^\S+==", text, re.MULTILINE)
    assert pins
    assert "://" not in text
    for entry in re.split(r"\n(?=\S)", text.strip()):
        assert "--hash=sha256:" in entry, entry.splitlines()[0]


def test_no_file_names_a_home_folder_or_a_registry_host() -> None:
    suspicious = re.compile(
        r"/(?:root|home/\w+|work)/[a-z.]"
        r"|pypi\.org|files\.pythonhosted\.org|proxy\.golang\.org|registry\.npmjs\.org|deb\.debian\.org"
    )
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in tracked()
        if path != Path(__file__)
        and path.suffix not in {".png", ".sum"}
        and (match := suspicious.search(path.read_text()))
    ]
    assert not found
