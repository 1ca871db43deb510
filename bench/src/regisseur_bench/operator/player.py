"""Plays the pods: no node runs here, so Deployments are told to be available at once.

Kubernetes' own controllers rest meanwhile: they would take most of the machine, and be measured.
"""

import asyncio
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Self

from regisseur_bench.operator.ground import FLOOR_NAMESPACE, PROBE_NAMESPACE
from regisseur_bench.operator.rawclient import Json, RawClient

DEPLOYMENTS: Final = "/apis/apps/v1/deployments"
MODELDEPLOYMENTS: Final = "/apis/regisseur.dev/v1alpha1/modeldeployments"


class Player:
    """Makes each Deployment available, and notes what ModelDeployments say of themselves.

    Attributes:
        phases: How often the phase of a ModelDeployment changed, over all of them.
        statuses: The last status of each ModelDeployment.
    """

    def __init__(self, client: RawClient) -> None:
        self._client = client
        self._tasks: list[asyncio.Task[None]] = []
        self._jobs: set[asyncio.Task[None]] = set()
        self.phases: Counter[str] = Counter()
        self.statuses: dict[str, Json] = {}

    async def __aenter__(self) -> Self:
        self._tasks = [
            asyncio.create_task(self._follow_deployments()),
            asyncio.create_task(self._follow_modeldeployments()),
        ]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for task in (*self._tasks, *self._jobs):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def is_served(self, name: str, version: int) -> bool:
        """Tell whether a ModelDeployment says that the rollout of a version is complete.

        Its phase says less: it counts pods that are ready, and there are none.
        """
        found = self.statuses.get(name, {}).get("stable", {}).get("version")
        return bool(found == version)

    def check(self) -> None:
        """Raise what has ended the player."""
        for task in (*self._tasks, *self._jobs):
            if task.done():
                task.result()

    async def _follow_deployments(self) -> None:
        async for event in self._client.watch(DEPLOYMENTS):
            manifest = event["object"]
            if event["type"] != "DELETED" and not _is_played(manifest):
                job = asyncio.create_task(self._play(manifest))
                self._jobs.add(job)
                job.add_done_callback(self._jobs.discard)

    async def _play(self, deployment: Json) -> None:
        metadata = deployment["metadata"]
        path = f"/apis/apps/v1/namespaces/{metadata['namespace']}/deployments/{metadata['name']}"
        await self._client.request("PATCH", f"{path}/status", {"status": play_status(deployment)})

    async def _follow_modeldeployments(self) -> None:
        async for event in self._client.watch(MODELDEPLOYMENTS):
            if event["object"]["metadata"]["namespace"] == FLOOR_NAMESPACE:
                continue
            name = event["object"]["metadata"]["name"]
            if event["type"] == "DELETED":
                self.statuses.pop(name, None)
                continue
            status = event["object"].get("status", {})
            if status.get("phase") != self.statuses.get(name, {}).get("phase"):
                self.phases[status.get("phase", "")] += 1
            self.statuses[name] = status


def play_status(deployment: Json) -> Json:
    """Return the status of a Deployment all of whose pods are available."""
    count = deployment["spec"].get("replicas", 1)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    moment = {"lastUpdateTime": now, "lastTransitionTime": now, "status": "True"}
    return {
        "observedGeneration": deployment["metadata"]["generation"],
        **dict.fromkeys(
            ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), count
        ),
        "conditions": [
            {"type": "Available", "reason": "MinimumReplicasAvailable", **moment},
            {"type": "Progressing", "reason": "NewReplicaSetAvailable", **moment},
        ],
    }


def _is_played(deployment: Json) -> bool:
    if deployment["metadata"]["namespace"] == PROBE_NAMESPACE:
        return True
    seen = deployment.get("status", {}).get("observedGeneration", 0)
    return bool(seen >= deployment["metadata"]["generation"])
