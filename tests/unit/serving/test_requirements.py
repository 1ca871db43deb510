"""Does the image have what the model was trained with (a pain of every MLflow server)?"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regisseur_contract.rehearsal import RequirementsMode
from regisseur_serving.core.requirements import Installed, Requirements, compare_requirements

pytestmark = pytest.mark.timeout(20, func_only=True)
"""Random examples take a while on a busy machine."""

QUIETLY = settings(deadline=None, derandomize=True)
HERE = Installed({"NumPy": "2.4.6", "scikit_learn": "1.9.1", "torch": "2.1.0+cu121"}, "3.11.7")
STRICT, MINOR, IGNORE = RequirementsMode


def compare(*lines: str, mode: RequirementsMode = MINOR, python: str = "") -> tuple[str, ...]:
    return compare_requirements(Requirements(packages=lines, python=python), HERE, mode)


@pytest.mark.parametrize("mode", [STRICT, MINOR])
@pytest.mark.parametrize(
    "line",
    [
        pytest.param("numpy==2.4.6", id="the same"),
        pytest.param("Scikit.Learn==1.9.1", id="another spelling"),
        pytest.param("numpy", id="any version"),
        pytest.param("numpy>=2,<3", id="a range"),
        pytest.param("numpy~=2.4.0", id="a compatible release"),
        pytest.param("numpy==2.4.*", id="a wildcard"),
        pytest.param("scikit-learn[plots]==1.9.1", id="an extra"),
        pytest.param("torch==2.1.0", id="a local build"),
        pytest.param("mlflow==3.17.2", id="MLflow itself"),
        pytest.param("psutil==7.2.2", id="what MLflow adds"),
        pytest.param("rich==15.0.0", id="what skops imports where it is"),
        pytest.param("lightgbm==4; python_version < '3'", id="not for this Python"),
        pytest.param("numpy==2.4.6 --hash=sha256:0", id="a hash"),
        pytest.param("# lightgbm==4", id="a comment"),
        pytest.param("numpy==2.4.6 # as in the lab", id="a comment behind it"),
        pytest.param("--extra-index-url https://user:example@host/", id="an option"),
        pytest.param("-c constraints.txt", id="a constraints file"),
        pytest.param("", id="nothing"),
    ],
)
def test_an_image_that_has_it_will_do(line: str, mode: RequirementsMode) -> None:
    assert compare(line, mode=mode) == ()


@pytest.mark.parametrize("mode", [STRICT, MINOR])
@pytest.mark.parametrize(
    ("line", "difference"),
    [
        ("numpy==2.3.6", "numpy==2.3.6, the image has 2.4.6"),
        ("numpy==3.4.6", "numpy==3.4.6, the image has 2.4.6"),
        ("numpy<2", "numpy<2, the image has 2.4.6"),
        ("numpy==2.3.*", "numpy==2.3.*, the image has 2.4.6"),
        ("numpy!=2.4.6", "numpy!=2.4.6, the image has 2.4.6"),
        ("lightgbm==4.0.0", "lightgbm==4.0.0, the image has none"),
        ("lightgbm", "lightgbm, the image has none"),
        ("numpy @ https://user:example@host/n.whl", "numpy from an address of its own, "),
        ("./numpy.whl", "a line of requirements.txt is no package: './numpy.whl'"),
        ("git+https://user:example@host/x", "a line of requirements.txt is no package: 'git+http"),
        ("-r more.txt", "requirements.txt refers to more"),
    ],
)
def test_an_image_that_lacks_it_is_named(
    line: str, difference: str, mode: RequirementsMode
) -> None:
    (said,) = compare(line, mode=mode)
    assert said.startswith(difference)
    assert "example" not in said


def test_a_patch_release_is_a_difference_only_when_it_is_strict() -> None:
    assert compare("numpy==2.4.1", "scikit-learn==1.9") == ()
    assert compare("numpy==2.4.1", "scikit-learn==1.9", mode=STRICT) == (
        "numpy==2.4.1, the image has 2.4.6",
        "scikit-learn==1.9, the image has 1.9.1",
    )


def test_nothing_is_compared_when_nobody_wants_it() -> None:
    assert compare("lightgbm==4", "numpy==1", mode=IGNORE, python="2.7") == ()


@pytest.mark.parametrize(
    ("python", "minor", "strict"),
    [("3.11.7", True, True), ("3.11.2", True, False), ("3.12.0", False, False), ("", True, True)],
)
def test_python_counts_like_a_package(python: str, *, minor: bool, strict: bool) -> None:
    assert (compare(python=python) == ()) is minor
    assert (compare(python=python, mode=STRICT) == ()) is strict


def test_a_python_that_is_none_is_a_difference() -> None:
    assert compare(python="snake") == ("python 'snake' is no version; the image has 3.11.7",)


def test_lines_go_on_after_a_backslash() -> None:
    assert compare("numpy\\", "==1.0") == ("numpy==1.0, the image has 2.4.6",)


def test_constraints_bind_only_what_is_there() -> None:
    wanted = Requirements(constraints=("lightgbm==4", "numpy==1.0"))
    assert compare_requirements(wanted, HERE, MINOR) == ("numpy==1.0, the image has 2.4.6",)


@QUIETLY
@given(lines=st.lists(st.text(max_size=30), max_size=5))
def test_any_text_is_compared_without_a_fault(lines: list[str]) -> None:
    for mode in RequirementsMode:
        compare(*lines, mode=mode)


VERSIONS = st.tuples(*[st.integers(0, 3)] * 3).map(lambda parts: ".".join(map(str, parts)))


@QUIETLY
@given(pinned=VERSIONS, here=VERSIONS)
def test_a_pin_is_literal_or_of_its_minor_release(pinned: str, here: str) -> None:
    wanted = Requirements(packages=(f"x=={pinned}",))
    installed = Installed({"x": here}, "3.11.7")
    assert (compare_requirements(wanted, installed, STRICT) == ()) is (pinned == here)
    is_close = pinned.split(".")[:2] == here.split(".")[:2]
    assert (compare_requirements(wanted, installed, MINOR) == ()) is is_close
