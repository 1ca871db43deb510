"""How soon a promotion becomes a write, measured and printed; no stopwatch decides."""

import logging
import time
from collections.abc import Callable, Sequence

import pytest

from regisseur_contract.tags import STAGE_PRODUCTION
from regisseur_operator.adapters.mlflow_registry import MlflowRegistry
from regisseur_operator.ports import Cluster, ModelVersion
from support.mlflow_server import MlflowServer
from support.model_versions import create_model_version, transition
from support.modeldeployments import Subject
from support.recording_cluster import RecordingCluster
from support.running_operator import RunningOperator

Start = Callable[..., RunningOperator]

ROUNDS = 5
CREATED = [
    "Pod",
    "PodDisruptionBudget",
    "Service",
    "ControllerRevision",
    "Deployment",
]


@pytest.mark.usefixtures("kubelet")
def test_from_the_answer_to_the_first_write(
    start_operator: Start,
    subject: Subject,
    mlflow_server: MlflowServer,
    promoted: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    show = logging.getLogger(__name__).warning
    recordings: list[RecordingCluster] = []
    answered: list[float] = []
    ask = MlflowRegistry.versions

    async def versions(self: MlflowRegistry, model: str) -> Sequence[ModelVersion]:
        found = await ask(self, model)
        answered.append(time.monotonic())
        return found

    def wrap(cluster: Cluster) -> Cluster:
        recordings.append(RecordingCluster(cluster, subject.kube.namespace))
        return recordings[-1]

    monkeypatch.setattr(MlflowRegistry, "versions", versions)
    start_operator(wrap_cluster=wrap)
    subject.create(promoted)
    subject.wait_until_served(1)
    assert [w.kind for w in recordings[0].written if w.verb == "create"] == CREATED
    show(f"writes of a new resource: {', '.join(w.verb for w in recordings[0].written)}")

    seen, reacted = [], []
    for _ in range(ROUNDS):
        version = create_model_version(mlflow_server, promoted)
        before = len(recordings[0].written)
        promoted_at = time.monotonic()
        transition(mlflow_server, promoted, version, STAGE_PRODUCTION)
        subject.wait_until_served(version)
        first = next(w for w in recordings[0].written[before:] if w.verb == "create")
        assert first.kind == "Pod"  # the rehearsal
        answer = max(at for at in answered if at < first.begun_at)
        seen.append(answer - promoted_at)
        reacted.append(first.begun_at - answer)

    show(f"promotion to answer: {', '.join(f'{s * 1000:.0f}' for s in seen)} ms")
    show(f"answer to first write: {', '.join(f'{s * 1000:.1f}' for s in reacted)} ms")
