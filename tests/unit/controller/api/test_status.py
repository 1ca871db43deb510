"""The status is written as Kubernetes writes it, and whatever is stored can be read."""

from collections.abc import Iterator
from datetime import timedelta, timezone

import pytest
from pydantic import BaseModel

from regisseur_operator.api.status import (
    METRICS_LIMIT,
    Lineage,
    ModelDeploymentStatus,
    Stable,
    parse_status,
)
from support.full_status import FULL_STATUS, NOW


def test_what_is_written_reads_back_as_the_same() -> None:
    assert parse_status({"status": FULL_STATUS.to_manifest()}) == FULL_STATUS


def test_the_full_status_sets_every_field() -> None:
    def find_unset(value: object) -> Iterator[str]:
        if isinstance(value, BaseModel):
            for name in type(value).model_fields:
                if getattr(value, name) in (None, "", [], {}, 0):
                    yield f"{type(value).__name__}.{name}"
                yield from find_unset(getattr(value, name))
        elif isinstance(value, list):
            for element in value:
                yield from find_unset(element)

    assert set(find_unset(FULL_STATUS)) == set()


def test_names_are_those_of_the_api() -> None:
    written = FULL_STATUS.to_manifest()

    assert written["observedGeneration"] == 3
    assert written["history"][0]["from"] == 7
    assert written["conditions"][0]["lastTransitionTime"] == "2026-01-02T03:04:05Z"
    assert written["candidate"]["lastFailure"]["reason"] == "ReplicaFailure"


def test_what_is_not_known_is_not_written() -> None:
    assert ModelDeploymentStatus(phase="Pending").to_manifest().keys() == {
        *("phase", "history", "rejected", "strayPods", "conditions"),
    }
    assert "since" not in Stable(version=1, revision=1).model_dump(exclude_none=True)


def test_times_are_whole_seconds_in_utc() -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=5))).replace(microsecond=678_901)
    assert Stable(version=1, revision=1, since=elsewhere).since == NOW


@pytest.mark.parametrize(
    "manifest",
    [
        pytest.param({}, id="absent"),
        pytest.param({"status": None}, id="null"),
        pytest.param({"status": {"stable": {"version": "x"}}}, id="unreadable"),
    ],
)
def test_a_status_that_cannot_be_read_counts_as_absent(manifest: dict[str, object]) -> None:
    assert parse_status(manifest) == ModelDeploymentStatus()


def test_fields_and_words_of_a_newer_operator_are_read() -> None:
    newer = FULL_STATUS.to_manifest() | {"phase": "Shifting", "weights": [10, 90]}
    assert parse_status({"status": newer}).phase == "Shifting"


def test_metrics_that_json_has_no_form_for_are_left_out() -> None:
    metrics = {"nan": float("nan"), "loss": float("inf"), "accuracy": 0.9, "count": 3}
    assert Lineage(metrics=metrics).metrics == {"accuracy": 0.9, "count": 3.0}


def test_a_run_of_endless_metrics_fits_into_a_status() -> None:
    metrics = {f"m{number:05}": float(number) for number in range(METRICS_LIMIT + 1)}
    assert len(Lineage(metrics=metrics).metrics) == METRICS_LIMIT
