"""Promotion: what is decided, and in which words."""

from dataclasses import replace

import pytest

from regisseur_training.core.promotion import Outcome, choose_version, decide_promotion
from regisseur_training.errors import TrainingError
from regisseur_training.ports import ModelVersion, Registration
from regisseur_training.promote import Request, promote

REQUEST = Request(name="wine", number=None, threshold=0.9, stage="Production", is_dry_run=False)


def version(number: int, stage: str = "None") -> ModelVersion:
    return ModelVersion(name="wine", number=number, stage=stage, run_id=f"run-{number}")


def registered(number: int) -> Registration:
    return Registration("wine", number, f"run-{number}", "http://mlflow.example")


class MemoryRegistry:
    """A registry in memory; `rival` enters the stage whenever another version does."""

    def __init__(self, *versions: ModelVersion, rival: int | None = None) -> None:
        self.versions = {each.number: each for each in versions}
        self.rival = rival
        self.moves: list[tuple[int, str]] = []

    def find_version(self, name: str, number: int) -> ModelVersion | None:
        """Return the version with the number."""
        del name
        return self.versions.get(number)

    def list_versions(self, name: str) -> tuple[ModelVersion, ...]:
        """Return the newest first."""
        return tuple(v for _, v in sorted(self.versions.items(), reverse=True) if v.name == name)

    def find_metric(self, run_id: str, metric: str) -> float | None:
        """Return a good accuracy for the first two runs."""
        return 0.95 if metric == "test_accuracy" and run_id in {"run-1", "run-2"} else None

    def move_to_stage(self, version: ModelVersion, stage: str) -> None:
        """Archive the others, except the rival."""
        self.moves.append((version.number, stage))
        for number, each in self.versions.items():
            entering = number in {version.number, self.rival}
            if entering or each.stage == stage:
                self.versions[number] = replace(each, stage=stage if entering else "Archived")


@pytest.mark.parametrize(
    ("number", "registration", "chosen"),
    [
        pytest.param(1, registered(2), 1, id="the one asked for"),
        pytest.param(None, registered(2), 2, id="the one registered here"),
        pytest.param(None, None, 3, id="the newest"),
        pytest.param(None, registered(9), 3, id="the newest when the registered one is deleted"),
    ],
)
def test_which_version_is_meant(
    number: int | None, registration: Registration | None, chosen: int
) -> None:
    versions = [version(1), version(3), version(2)]
    meant = choose_version(versions, name="wine", number=number, registration=registration)
    assert meant.number == chosen


def test_a_missing_version_names_those_there_are() -> None:
    with pytest.raises(TrainingError, match="wine has no version 7; it has 2, 1"):
        choose_version([version(1), version(2)], name="wine", number=7, registration=None)


def test_a_missing_model_says_what_to_run() -> None:
    with pytest.raises(TrainingError, match="no model 'wine'; run 'make train' first"):
        promote(REQUEST, MemoryRegistry(), None)


@pytest.mark.parametrize(
    ("accuracy", "outcome"),
    [
        pytest.param(0.91, Outcome.PROMOTE, id="above"),
        pytest.param(0.9, Outcome.PROMOTE, id="exactly"),
        pytest.param(0.8999, Outcome.REFUSE, id="below"),
        pytest.param(float("nan"), Outcome.REFUSE, id="not a number"),
    ],
)
def test_the_threshold_decides(accuracy: float, outcome: Outcome) -> None:
    verdict = decide_promotion(
        version(1), [version(1)], accuracy=accuracy, threshold=0.9, stage="Production"
    )
    assert verdict.outcome is outcome


def test_a_refusal_tells_the_figures() -> None:
    verdict = decide_promotion(
        version(2), [version(2)], accuracy=0.85, threshold=0.9, stage="Production"
    )
    assert verdict.message == (
        "wine v2 is not promoted to Production: test_accuracy 0.85 is below the threshold 0.9"
    )


def test_a_promotion_archives_every_other_holder() -> None:
    registry = MemoryRegistry(version(1, "Production"), version(2))
    verdict = promote(REQUEST, registry, None)
    assert verdict.message == "wine v2 → Production (test_accuracy 0.95 ≥ 0.9), v1 archived"
    assert {v.number: v.stage for v in registry.versions.values()} == {
        1: "Archived",
        2: "Production",
    }


def test_a_version_that_has_the_stage_alone_stays_untouched() -> None:
    registry = MemoryRegistry(version(1), version(2, "Production"))
    verdict = promote(REQUEST, registry, registered(2))
    assert verdict.outcome is Outcome.NOTHING
    assert not registry.moves


def test_a_version_that_shares_the_stage_is_promoted_again() -> None:
    registry = MemoryRegistry(version(1, "Production"), version(2, "Production"))
    assert promote(REQUEST, registry, None).outcome is Outcome.PROMOTE
    assert registry.versions[1].stage == "Archived"


def test_a_dry_run_changes_nothing() -> None:
    registry = MemoryRegistry(version(1, "Production"), version(2))
    verdict = promote(replace(REQUEST, is_dry_run=True), registry, None)
    assert verdict.outcome is Outcome.PROMOTE
    assert not registry.moves


def test_a_run_without_the_metric_is_named() -> None:
    with pytest.raises(TrainingError, match="wine v3 has no metric test_accuracy"):
        promote(REQUEST, MemoryRegistry(version(3)), None)


def test_a_promotion_at_the_same_moment_is_told() -> None:
    registry = MemoryRegistry(version(1), version(2), rival=1)
    with pytest.raises(TrainingError, match="wine v2 is in Production, but v1 too"):
        promote(REQUEST, registry, None)


def test_a_promotion_that_was_undone_at_once_is_told() -> None:
    class Thief(MemoryRegistry):
        """A registry in which v1 is promoted right after every other."""

        def move_to_stage(self, version: ModelVersion, stage: str) -> None:
            super().move_to_stage(version, stage)
            super().move_to_stage(self.versions[1], stage)

    with pytest.raises(TrainingError, match="wine v2 lost Production"):
        promote(REQUEST, Thief(version(1), version(2)), None)
