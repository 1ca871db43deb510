"""The images stand on whatever base they are given that has Python, be it ours or the official one.

What is built on the stand-in base of the tests is what people build on `python:3.11-slim-bookworm`:
neither package managers, nor compilers, nor paths of one of the two are used.
"""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCKERFILES = ("Dockerfile.serving", "Dockerfile.operator")

BASE = "${BASE_IMAGE}"
OFFICIAL = "python:3.11-slim-bookworm"

OF_EVERY_BASE = {"python3", "find", "rm"}
"""Python itself, and what no Debian can be without."""

OF_THE_SHELL = {"set", "for", "done"}
MADE_HERE = ("/opt/uv/bin/", "/opt/venv/bin/")
ALLOWED_FOLDERS = ("/opt/", "/build/", "/usr/local/bin", "/usr/bin", "/bin", "/tmp")  # noqa: S108


def read_instructions(name: str) -> list[tuple[str, str]]:
    """Return the instructions of a Dockerfile, each with its arguments on one line."""
    text = (ROOT / name).read_text()
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [
        (first, rest) for first, _, rest in (line.partition(" ") for line in joined.split("\n"))
    ]


def find(name: str, instruction: str) -> list[str]:
    return [rest for first, rest in read_instructions(name) if first == instruction]


def find_programs(command: str) -> set[str]:
    """Return the programs that a RUN starts, but for those that `find` starts: see the test."""
    programs = set()
    for part in re.split(r"&&|;|\|", command):
        words = [word for word in part.split() if word != "do"]
        while words and re.fullmatch(r"[A-Z_]+=\S*", words[0]):
            words.pop(0)
        programs.update(words[:1])
        programs.update(re.findall(r"-exec (\S+)", part))
    return programs


def test_the_programs_of_a_command_are_found() -> None:
    command = "A=b python3 -m x && for e in c; do set -- e; done && find / -exec chmod a {} +"
    assert find_programs(command) == {"python3", "for", "set", "done", "find", "chmod"}


@pytest.mark.parametrize("name", DOCKERFILES)
def test_both_stages_stand_on_the_base_that_is_given(name: str) -> None:
    """The environment that one stage makes links to the Python of that stage."""
    assert {stage.split()[0] for stage in find(name, "FROM")} == {BASE}
    assert find(name, "ARG")[0] == f"BASE_IMAGE={OFFICIAL}"


@pytest.mark.parametrize("name", DOCKERFILES)
def test_nothing_is_started_that_a_base_may_lack(name: str) -> None:
    started = set().union(*map(find_programs, find(name, "RUN")))
    borrowed = {program for program in started if not program.startswith(MADE_HERE)}
    assert borrowed - OF_THE_SHELL <= OF_EVERY_BASE


@pytest.mark.parametrize("name", DOCKERFILES)
def test_no_path_of_one_base_is_named(name: str) -> None:
    paths = {
        path
        for instruction, rest in read_instructions(name)
        if instruction in {"RUN", "ENV", "COPY", "ENTRYPOINT", "CMD"}
        for path in re.findall(r"(?<![\w.$}*])/[\w./-]+", rest)
    }
    assert paths
    assert not {path for path in paths if not path.startswith(ALLOWED_FOLDERS)}
    (search,) = (rest for rest in find(name, "ENV") if "PATH=" in rest)
    assert "PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin" in search


def test_the_server_is_made_of_wheels_alone() -> None:
    """A wheel brings what it needs; a source wants a compiler and headers of the base."""
    (sync,) = (rest for rest in find("Dockerfile.serving", "RUN") if "uv pip sync" in rest)
    assert "uv pip sync --quiet --no-build --require-hashes" in sync


def test_every_extra_of_the_server_can_be_chosen() -> None:
    project = tomllib.loads((ROOT / "serving" / "pyproject.toml").read_text())
    copied = " ".join(find("Dockerfile.serving", "COPY")).split()
    extras = project["project"]["optional-dependencies"]
    assert extras
    for extra in extras:
        assert f"locks/serving-{extra}.txt" in copied
    assert 'EXTRAS=""' in find("Dockerfile.serving", "ARG")
