"""A status in which every field of it is set."""

from datetime import UTC, datetime

from regisseur_operator.api.reasons import Reason
from regisseur_operator.api.status import (
    Candidate,
    CandidatePhase,
    Condition,
    ConditionType,
    Failure,
    Handled,
    HistoryEntry,
    Lineage,
    ModelDeploymentStatus,
    Origin,
    Outcome,
    Phase,
    Rehearsal,
    RehearsalFacts,
    RehearsalState,
    Rejection,
    Resolved,
    Stable,
)

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
DIGEST = "sha256:" + "0" * 64

FULL_STATUS = ModelDeploymentStatus(
    observed_generation=3,
    phase=Phase.PROGRESSING,
    reference="Production",
    ready="2/2",
    url="http://wine.ml.svc",
    selector="regisseur.dev/modeldeployment=wine",
    handled=Handled(retry="1", restart="2026-01-01"),
    replicas=3,
    ready_replicas=2,
    resolved=Resolved(
        registry="default",
        model="wine",
        reference="Production",
        version=2,
        holders=[1, 2],
        run_id="def",
        model_id="m-1",
        source="s3://models/1/models/m-1/artifacts",
        resolved_at=NOW,
        model_created_ms=1_767_323_045_678,
        digest=DIGEST,
        lineage=Lineage(git_sha="4b825dc", data_version="d41d8cd9", metrics={"accuracy": 0.98}),
    ),
    rehearsal=Rehearsal(
        version=2,
        key="a-b",
        state=RehearsalState.PASSED,
        verdict="RehearsalPassed",
        message="Fits.",
        facts=RehearsalFacts(
            digest=DIGEST,
            bytes=5_000_000_000,
            seconds=2.5,
            requirements=["numpy: 2.1.0, the image has 2.1.3"],
            signature="same",
            latency_seconds=0.0021,
            memory_bytes=123_456_789,
            engine="Native",
            engine_reason="the model takes text",
            explanations="tree",
            explain_reason="the image has no library for it",
        ),
        pod_uid="0a1b2c3d-0000-4000-8000-000000000001",
        attempts=1,
        started_at=NOW,
        finished_at=NOW,
    ),
    stable=Stable(
        model="wine",
        version=1,
        revision=1,
        since=NOW,
        run_id="abc",
        digest=DIGEST,
        image="example.com/s:1",
        lineage=Lineage(git_sha="83baae6", data_version="900150983cd2", metrics={"accuracy": 0.97}),
        ready_replicas=2,
    ),
    candidate=Candidate(
        version=2,
        revision=2,
        run_id="def",
        phase=CandidatePhase.HELD,
        image="example.com/s:1",
        digest=DIGEST,
        started_at=NOW,
        last_failure=Failure(reason=Reason.REPLICA_FAILURE, message="Quota.", at=NOW),
    ),
    history=[
        HistoryEntry(
            revision=1,
            model="wine",
            version=1,
            from_version=7,
            run_id="abc",
            digest=DIGEST,
            image="example.com/s:1",
            lineage=Origin(git_sha="83baae6", data_version="900150983cd2"),
            outcome=Outcome.SUCCEEDED,
            reason=Reason.ROLLOUT_COMPLETE,
            started_at=NOW,
            finished_at=NOW,
        )
    ],
    rejected=[
        Rejection(version=3, key="c-d", reason=Reason.OUT_OF_MEMORY, message="Too much.", at=NOW)
    ],
    stray_pods=["wine-by-hand"],
    conditions=[
        Condition(
            type=about,
            status="False",
            reason=Reason.ROLLOUT_PROGRESSING,
            message="It goes on.",
            observed_generation=3,
            last_transition_time=NOW,
        )
        for about in ConditionType
    ],
)
