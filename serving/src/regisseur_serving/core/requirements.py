"""Whether the image has the packages that a model was trained with.

A model that is loaded with other libraries often works and answers something else, and MLflow
only warns. The comparison is by mode: `Strict` takes a pin literally, `Minor` takes any patch
release of it, and ranges are ranges in both.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from packaging.markers import Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, Specifier, SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import InvalidVersion, Version

from regisseur_contract.rehearsal import RequirementsMode

NEVER_COMPARED: Final = frozenset(
    {"mlflow", "mlflow-skinny", "mlflow-tracing", "psutil", "pytest", "rich"}
)
"""What no prediction needs: MLflow writes down itself and whatever is imported while it loads the
model, and importing skops imports the last three wherever they happen to be installed."""

_MINOR_PARTS: Final = 2
_SHOWN_CHARACTERS: Final = 80


@dataclass(frozen=True)
class Requirements:
    """What a model folder says of its environment.

    Attributes:
        packages: Lines of requirements.txt.
        constraints: Lines of constraints.txt: versions of packages if they are there at all.
        python: The version of Python, or nothing.
    """

    packages: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    python: str = ""


@dataclass(frozen=True)
class Installed:
    """What the image has.

    Attributes:
        packages: Versions by name.
        python: The version of Python.
    """

    packages: Mapping[str, str]
    python: str


def compare_requirements(
    wanted: Requirements, here: Installed, mode: RequirementsMode
) -> tuple[str, ...]:
    """Return what differs, a line each; nothing when the image will do."""
    if mode is RequirementsMode.IGNORE:
        return ()
    versions = {canonicalize_name(name): text for name, text in here.packages.items()}
    differences = [*_compare_python(wanted.python, here.python, mode)]
    for line in _join_lines(wanted.packages):
        differences += _compare_line(line, versions, mode, is_constraint=False)
    for line in _join_lines(wanted.constraints):
        differences += _compare_line(line, versions, mode, is_constraint=True)
    return tuple(dict.fromkeys(differences))


def _compare_python(wanted: str, here: str, mode: RequirementsMode) -> Iterator[str]:
    if not wanted:
        return
    try:
        specifiers = SpecifierSet(f"=={wanted}")
    except InvalidSpecifier:
        yield f"python {wanted[:_SHOWN_CHARACTERS]!r} is no version; the image has {here}"
        return
    if not _satisfies(here, specifiers, mode):
        yield f"python {wanted}, the image has {here}"


def _join_lines(lines: Iterable[str]) -> Iterator[str]:
    """Give whole lines, as pip reads them: without comments, and a backslash goes on."""
    whole = ""
    for line in lines:
        text = line.strip()
        # A comment is a `#` at the beginning or after a blank: URLs hold others.
        text = "" if text.startswith("#") else text.partition(" #")[0].rstrip()
        whole += text.removesuffix("\\")
        if text.endswith("\\"):
            continue
        if whole.strip():
            yield whole.strip()
        whole = ""
    if whole.strip():
        yield whole.strip()


def _compare_line(
    line: str,
    versions: Mapping[NormalizedName, str],
    mode: RequirementsMode,
    *,
    is_constraint: bool,
) -> Iterator[str]:
    if line.startswith("-"):
        # Options say where packages come from (and may hold passwords), not which they are;
        # constraints.txt is read beside, as MLflow always calls it that.
        if line.startswith(("-r", "--requirement", "-e", "--editable")):
            yield "requirements.txt refers to more with -r or -e, which is not understood here"
        return
    try:
        requirement = Requirement(line.partition(" --hash")[0])
    except InvalidRequirement:
        yield f"a line of requirements.txt is no package: {_show(line)}"
        return
    name = canonicalize_name(requirement.name)
    if name in NEVER_COMPARED or not _applies(requirement.marker):
        return
    version = versions.get(name)
    if version is None:
        if not is_constraint:
            yield f"{name}{requirement.specifier}, the image has none"
    elif requirement.url or not _satisfies(version, requirement.specifier, mode):
        wanted = " from an address of its own" if requirement.url else requirement.specifier
        yield f"{name}{wanted}, the image has {version}"


def _applies(marker: Marker | None) -> bool:
    try:
        return marker is None or marker.evaluate()
    except (UndefinedComparison, UndefinedEnvironmentName):
        return True


def _show(line: str) -> str:
    # An address may hold a password.
    return repr(line.partition("://")[0][:_SHOWN_CHARACTERS])


def _satisfies(version: str, specifiers: SpecifierSet, mode: RequirementsMode) -> bool:
    try:
        here = Version(version)
    except InvalidVersion:
        return not specifiers
    return all(_satisfies_one(here, specifier, mode) for specifier in specifiers)


def _satisfies_one(here: Version, specifier: Specifier, mode: RequirementsMode) -> bool:
    if specifier.contains(here, prereleases=True):
        return True
    is_pin = specifier.operator in {"==", "==="} and not specifier.version.endswith(".*")
    if mode is not RequirementsMode.MINOR or not is_pin:
        return False
    try:
        pinned = Version(specifier.version)
    except InvalidVersion:
        return False
    return _minor(pinned) == _minor(here)


def _minor(version: Version) -> tuple[int, tuple[int, ...]]:
    parts = (*version.release, 0)[:_MINOR_PARTS]
    return version.epoch, parts
