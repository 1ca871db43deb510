"""A new process finds all as it should be, and has to see that."""

import asyncio
import hashlib
import json
import time
from dataclasses import dataclass
from typing import Final

from regisseur_bench.operator.filling import CHILDREN
from regisseur_bench.operator.ground import NAMESPACE
from regisseur_bench.operator.process import OperatorProcess
from regisseur_bench.operator.rawclient import RawClient, time_all
from regisseur_bench.operator.stage import COLLECTION, LONGEST_SECONDS, Stage

_RECONCILES: Final = "regisseur_operator_reconciles_total"
_DEPTH: Final = "regisseur_operator_queue_depth"
_OTHERS: Final = ("/apis/apps/v1/replicasets", "/api/v1/pods")
_LOOK_SECONDS: Final = 0.1


@dataclass(frozen=True)
class Restarted:
    """A cold start.

    Attributes:
        seconds: From the Lease until each ModelDeployment was looked at.
        floor_seconds: What reading and hashing everything takes at least.
    """

    seconds: float
    floor_seconds: float
    writes: int


async def restart(stage: Stage, operator: OperatorProcess, resources: int) -> Restarted:
    """Measure an operator that has just been started where everything is there."""
    held = await stage.wait_until_leading(operator)
    deadline = time.time() + LONGEST_SECONDS
    while time.time() < deadline:
        metrics = await operator.read_metrics()
        if metrics.get(_RECONCILES, 0) >= resources and metrics.get(_DEPTH) == 0:
            break
        await asyncio.sleep(_LOOK_SECONDS)
    seconds = time.time() - held
    await stage.wait_until_quiet(operator)
    return Restarted(
        seconds=seconds,
        floor_seconds=await time_all([lambda: _read_everything(stage.floor)]),
        writes=len(stage.list_writes(operator.user, operator.started)),
    )


async def _read_everything(client: RawClient) -> None:
    """List all kinds and hash every object, as whoever compares has to."""
    of_children = (f"{api}/namespaces/{NAMESPACE}/{name}" for name, api in CHILDREN.items())
    autoscalers = "/apis/autoscaling/v2/horizontalpodautoscalers"
    paths = (COLLECTION, *of_children, autoscalers, *_OTHERS)
    for found in await asyncio.gather(*(client.list(path) for path in paths)):
        for manifest in found:
            hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).digest()
