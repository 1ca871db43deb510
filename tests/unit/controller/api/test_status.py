"""The status is written as Kubernetes writes it, and whatever is stored can be read."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from regisseur_operator.api.reasons import Reason
from regisseur_operator.api.status import (
    Candidate,
    Condition,
    ConditionType,
    Failure,
    HistoryEntry,
    ModelDeploymentStatus,
    Outcome,
    Phase,
    Resolved,
    Stable,
    parse_status,
)

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

FULL = ModelDeploymentStatus(
    observed_generation=3,
    phase=Phase.PROGRESSING,
    reference="Production",
    ready="2/2",
    replicas=3,
    ready_replicas=2,
    resolved=Resolved(
        registry="default", model="wine", reference="Production", version=2, holders=[1, 2]
    ),
    stable=Stable(version=1, revision=1, since=NOW),
    candidate=Candidate(
        version=2,
        revision=2,
        phase="Progressing",
        started_at=NOW,
        last_failure=Failure(reason=Reason.REPLICA_FAILURE, at=NOW),
    ),
    history=[HistoryEntry(revision=1, version=1, from_version=7, outcome=Outcome.SUCCEEDED)],
    conditions=[
        Condition(
            type=ConditionType.READY,
            status="False",
            reason=Reason.ROLLOUT_PROGRESSING,
            last_transition_time=NOW,
        )
    ],
)


def test_what_is_written_reads_back_as_the_same() -> None:
    assert parse_status({"status": FULL.to_manifest()}) == FULL


def test_names_are_those_of_the_api() -> None:
    written = FULL.to_manifest()

    assert written["observedGeneration"] == 3
    assert written["history"][0]["from"] == 7
    assert written["conditions"][0]["lastTransitionTime"] == "2026-01-02T03:04:05Z"
    assert written["candidate"]["lastFailure"]["reason"] == "ReplicaFailure"


def test_what_is_not_known_is_not_written() -> None:
    assert "url" not in FULL.to_manifest()
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
    newer = FULL.to_manifest() | {"phase": "Rehearsing", "weights": [10, 90]}
    assert parse_status({"status": newer}).phase == "Rehearsing"


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_is_one_word_and_described(reason: Reason) -> None:
    assert Reason(reason.value) is reason
    assert reason.value.isalpha()
    assert reason.value[0].isupper()
    assert reason.description.endswith(".")
