"""The pod that rehearses a version before it meets traffic.

It is made by the same builders as serving pods: what keeps it from being scheduled, pulled or
admitted would keep them as well. No selector of ours matches it. A Service of somebody else may,
by a label that people gave their pods, so it is never ready: its readiness gate stays closed.
"""

import math
from typing import Final

from regisseur_contract.names import API_GROUP, CONTAINER_REHEARSE
from regisseur_contract.runtime import (
    ENV_FETCH_TIMEOUT_SECONDS,
    ENV_REQUIREMENTS,
    ENV_SERVED_ARTIFACT_URI,
    ENV_SIGNATURE,
    FETCH_TIMEOUT_SECONDS,
    SUBCOMMAND_REHEARSE,
)
from regisseur_operator.core.identity import Manifest
from regisseur_operator.core.observed import Observed
from regisseur_operator.core.pods import ANNOTATION_TRIAL
from regisseur_operator.core.trial import Trial
from regisseur_operator.resources import POD
from regisseur_operator.resources.containers import (
    Environment,
    build_fetch,
    build_main,
    expect_digest,
)
from regisseur_operator.resources.labels import (
    build_head,
    build_pod_annotations,
    build_rehearsal_labels,
)
from regisseur_operator.resources.pods import build_pod_spec

GRACE_SECONDS: Final = 5
"""It answers nobody, so there is nothing to finish."""

READINESS_GATE: Final = f"{API_GROUP}/takes-traffic"
"""A condition that nobody ever sets."""


def name_rehearsal(name: str) -> str:
    """Return the name of the one pod that may rehearse for a ModelDeployment."""
    return f"{name}-rehearsal"


def build_rehearsal_pod(observed: Observed, trial: Trial) -> Manifest:
    """Return the pod; it ends by itself, and by force when its time is up."""
    name, inputs = observed.key.name, trial.inputs
    annotations = build_pod_annotations(inputs, trial.lineage, CONTAINER_REHEARSE)
    head = build_head(
        POD,
        observed,
        name_rehearsal(name),
        build_rehearsal_labels(name, inputs),
        {**annotations, ANNOTATION_TRIAL: trial.key},
    )
    fetch = build_fetch(
        inputs,
        {ENV_SERVED_ARTIFACT_URI: trial.served_source, **_allow_time(trial.timeout_seconds)},
    )
    return {
        **head,
        "spec": {
            **build_pod_spec(name, inputs, fetch, _build_rehearse(trial)),
            "restartPolicy": "Never",
            "activeDeadlineSeconds": max(math.ceil(trial.timeout_seconds), 1),
            "terminationGracePeriodSeconds": GRACE_SECONDS,
            "readinessGates": [{"conditionType": READINESS_GATE}],
        },
    }


def _allow_time(timeout_seconds: float) -> Environment:
    """Let the download use a rehearsal that may take longer than a download does by itself."""
    is_longer = timeout_seconds > FETCH_TIMEOUT_SECONDS
    return {ENV_FETCH_TIMEOUT_SECONDS: f"{timeout_seconds:g}"} if is_longer else {}


def _build_rehearse(trial: Trial) -> Manifest:
    environment = {
        **expect_digest(trial.expected_digest),
        ENV_REQUIREMENTS: trial.requirements,
        ENV_SIGNATURE: trial.signature,
    }
    return build_main(trial.inputs, CONTAINER_REHEARSE, SUBCOMMAND_REHEARSE, environment)
