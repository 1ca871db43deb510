"""What a person reads off the operator's metrics and its liveness, while it works."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from regisseur_operator.api.status import HistoryEntry
from regisseur_operator.core.identity import Key
from regisseur_operator.reconcile import Outcome
from regisseur_operator.reconcile.writing import Written
from regisseur_operator.runtime import queue as queue_module
from regisseur_operator.runtime import workers as workers_module
from regisseur_operator.runtime.modeldeployment_metrics import ModelDeploymentCollector
from regisseur_operator.runtime.queue import KeyedQueue
from regisseur_operator.runtime.workers import STUCK_SECONDS, Workers
from regisseur_operator.telemetry import PREFIX, Metrics

WINE = Key("ml", "wine")
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        own = SimpleNamespace(monotonic=lambda: self.now)
        for module in (queue_module, workers_module):
            patch.setattr(module, "time", own)


def build_manifest(**status: Any) -> dict[str, Any]:
    return {
        "metadata": {"namespace": "ml", "name": "wine"},
        "spec": {"model": {"name": 'a "wine"', "stage": "Production"}},
        "status": status,
    }


def list_infos(*manifests: dict[str, Any]) -> list[str]:
    registry = CollectorRegistry()
    registry.register(ModelDeploymentCollector(manifests))
    lines = generate_latest(registry).decode().splitlines()
    return [line for line in lines if not line.startswith("#")]


def test_a_resource_is_told_with_what_it_serves_and_how_it_is() -> None:
    manifest = build_manifest(phase="Progressing", stable={"version": 3}, candidate={"version": 4})
    assert list_infos(manifest) == [
        f'{PREFIX}_modeldeployment_info{{candidate="4",model="a \\"wine\\"",name="wine",'
        'namespace="ml",phase="Progressing",version="3"} 1.0'
    ]


def test_a_resource_without_a_status_is_told_as_well() -> None:
    (line,) = list_infos(build_manifest())
    assert 'candidate="",' in line
    assert 'version=""' in line


async def work(outcome: Outcome, metrics: Metrics) -> None:
    outcomes = [outcome]

    async def reconcile(_: Key) -> Outcome:
        return outcomes.pop() if outcomes else Outcome()

    queue = KeyedQueue(lambda: 1.0)
    workers = Workers(queue, reconcile, 1, metrics)
    working = asyncio.create_task(workers.run())
    queue.add(WINE)
    await asyncio.sleep(0.01)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


async def test_writes_are_counted_with_their_reason_and_rollouts_with_their_time() -> None:
    metrics = Metrics()
    entry = HistoryEntry(
        revision=2,
        version=2,
        outcome="Succeeded",
        started_at=BEGAN,
        finished_at=BEGAN + timedelta(seconds=75),
    )
    written = Written("apply", "Deployment", "wine", "RolloutStarted")
    await work(Outcome(writes=(written,), rollouts=(entry,)), metrics)

    def sample(name: str, **labels: str) -> float | None:
        return metrics.registry.get_sample_value(f"{PREFIX}_{name}", labels)

    labels = {"verb": "apply", "kind": "Deployment", "reason": "RolloutStarted"}
    assert sample("writes_total", **labels) == 1.0
    assert sample("rollouts_total", outcome="Succeeded") == 1.0
    assert sample("rollout_seconds_sum", outcome="Succeeded") == 75.0


async def test_the_queue_tells_how_long_its_first_key_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, queue = Clock(monkeypatch), KeyedQueue(lambda: 1.0)
    assert queue.oldest_seconds == 0.0
    queue.add(WINE)
    clock.now += 5
    queue.add(Key("ml", "beer"))
    queue.add(WINE)
    assert queue.oldest_seconds == 5.0
    await queue.get()
    assert queue.oldest_seconds == 0.0
    clock.now += 2
    assert queue.oldest_seconds == 2.0


async def test_a_reconcile_that_does_not_end_is_stuck_and_many_that_do_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, release = Clock(monkeypatch), asyncio.Event()
    queue = KeyedQueue(lambda: 1.0)
    workers = Workers(queue, _held_by(release), 2, Metrics())
    working = asyncio.create_task(workers.run())
    for number in range(50):
        queue.add(Key("ml", f"wine-{number}"))
    await asyncio.sleep(0.01)
    assert workers.why_stuck() == ""

    clock.now += STUCK_SECONDS + 1
    assert workers.why_stuck() == "the reconcile of ml/wine-0 has not ended for 301 s"

    release.set()
    await asyncio.sleep(0.05)
    assert workers.why_stuck() == ""
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


def _held_by(release: asyncio.Event) -> Callable[[Key], Awaitable[Outcome]]:
    async def reconcile(_: Key) -> Outcome:
        await release.wait()
        return Outcome()

    return reconcile
