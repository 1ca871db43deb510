"""Whether a version may be promoted, and in which words a person is told."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from regisseur_training.core.evaluation import TEST_ACCURACY
from regisseur_training.errors import TrainingError
from regisseur_training.ports import ModelVersion, Registration

_SHOWN_VERSIONS: Final = 10


class Outcome(Enum):
    """What is to be done."""

    PROMOTE = auto()
    REFUSE = auto()
    NOTHING = auto()


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision, its line for a person, and who loses the stage by it."""

    outcome: Outcome
    message: str
    archived: tuple[ModelVersion, ...] = ()


def choose_version(
    versions: Sequence[ModelVersion],
    *,
    name: str,
    number: int | None,
    registration: Registration | None,
) -> ModelVersion:
    """Return the version that a person means.

    The one asked for, else the one that this workspace registered, else the newest. A deleted
    registration is nobody's intention, so it falls back to the newest too.

    Raises:
        TrainingError: There is no such version.
    """
    if not versions:
        raise TrainingError(f"the registry has no model '{name}'; run 'make train' first")
    by_number = {version.number: version for version in versions}
    if number is not None:
        if number not in by_number:
            raise TrainingError(f"{name} has no version {number}; it has {_numbers(versions)}")
        return by_number[number]
    if registration is not None and registration.version in by_number:
        return by_number[registration.version]
    return by_number[max(by_number)]


def decide_promotion(
    candidate: ModelVersion,
    versions: Sequence[ModelVersion],
    *,
    accuracy: float | None,
    threshold: float,
    stage: str,
) -> Verdict:
    """Hold a version against the threshold and against who has the stage now.

    Raises:
        TrainingError: The version's run tells no test accuracy.
    """
    title = f"{candidate.name} v{candidate.number}"
    if accuracy is None:
        raise TrainingError(
            f"the run of {title} has no metric {TEST_ACCURACY}; register it with 'make train'"
        )
    if not accuracy >= threshold:  # so written, it refuses what is not a number too
        figures = f"{TEST_ACCURACY} {accuracy:.6g} is below the threshold {threshold:.6g}"
        return Verdict(Outcome.REFUSE, f"{title} is not promoted to {stage}: {figures}")
    figures = f"{TEST_ACCURACY} {accuracy:.6g} ≥ {threshold:.6g}"
    others = other_holders(candidate, versions, stage=stage)
    if candidate.stage == stage and not others:
        return Verdict(Outcome.NOTHING, f"{title} is in {stage} already ({figures})")
    archived = f", {_titles(others)} archived" if others else ""
    return Verdict(Outcome.PROMOTE, f"{title} → {stage} ({figures}){archived}", others)


def confirm_promotion(
    candidate: ModelVersion, versions: Sequence[ModelVersion], *, stage: str
) -> None:
    """Check that the version alone holds the stage after it was moved.

    MLflow archives and promotes in separate steps: of two promotions at the same moment both
    may stay, and neither is told.

    Raises:
        TrainingError: Another version holds the stage too, or this one does not.
    """
    title = f"{candidate.name} v{candidate.number}"
    if not any(v.number == candidate.number and v.stage == stage for v in versions):
        raise TrainingError(f"{title} lost {stage} to a promotion at the same moment")
    if others := other_holders(candidate, versions, stage=stage):
        raise TrainingError(
            f"{title} is in {stage}, but {_titles(others)} too, promoted at the same moment;"
            f" promote the one you want once more"
        )


def other_holders(
    candidate: ModelVersion, versions: Sequence[ModelVersion], *, stage: str
) -> tuple[ModelVersion, ...]:
    """Return the versions in the stage that are not the candidate, in ascending order."""
    holders = [v for v in versions if v.stage == stage and v.number != candidate.number]
    return tuple(sorted(holders, key=lambda version: version.number))


def _titles(versions: Sequence[ModelVersion]) -> str:
    return ", ".join(f"v{version.number}" for version in versions)


def _numbers(versions: Sequence[ModelVersion]) -> str:
    shown = sorted((version.number for version in versions), reverse=True)
    return ", ".join(map(str, shown[:_SHOWN_VERSIONS])) + (", …" if shown[_SHOWN_VERSIONS:] else "")
