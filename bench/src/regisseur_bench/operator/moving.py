"""Production moves in the registry: one model after the other, or many at once."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Final

from regisseur_bench.operator.audit import Request
from regisseur_bench.operator.filling import CHILDREN, strip
from regisseur_bench.operator.ground import NAMESPACE, PROBE_NAMESPACE
from regisseur_bench.operator.process import OperatorProcess
from regisseur_bench.operator.rawclient import APPLY, Json, time_all, time_each
from regisseur_bench.operator.stage import Stage

PROBES: Final = 50
_DEPLOYMENTS: Final = "/apis/apps/v1/namespaces/{}/deployments"


@dataclass(frozen=True)
class Moved:
    """One model moved, again and again.

    Attributes:
        seconds: From the last answer of the registry before it, to the first write that is
            through; the median.
        floor_seconds: One server-side apply of a Deployment; the median.
    """

    seconds: float
    floor_seconds: float


@dataclass(frozen=True)
class Burst:
    """Many models moved at once.

    Attributes:
        seconds: From the first answer that told of it until the last Deployment was written.
        floor_seconds: As many server-side applies of a Deployment.
    """

    moves: int
    seconds: float
    floor_seconds: float


async def move_one_by_one(
    stage: Stage, operator: OperatorProcess, names: Sequence[str], times: int
) -> Moved:
    """Measure how soon the operator acts on what it was told."""
    delays: list[float] = []
    for number in range(times):
        name = names[number % len(names)]
        since = max(stage.registry.searched)
        stage.registry.move(name)
        await stage.wait_until_served([name])
        writes = [w for w in stage.list_writes(operator.user, since) if _is_about(w, name)]
        told = stage.registry.answered[name]
        delays.append(min(w.answered for w in writes if w.received > told - 1.0) - told)
        await stage.wait_until_quiet(operator)
    probes = await _prepare_probes(stage, PROBES)
    return Moved(median(delays), median(await time_each(probes)))


async def move_at_once(stage: Stage, operator: OperatorProcess, names: Sequence[str]) -> Burst:
    """Measure how long many moves take."""
    before = len(stage.registry.searched)
    for name in names:
        stage.registry.move(name)
    await stage.wait_until_served(names)
    told = stage.registry.searched[before]
    await stage.wait_until_quiet(operator)
    applied = _find_first(
        w for w in stage.list_writes(operator.user, told - 1.0) if w.resource == "deployments"
    )
    floor = await time_all(await _prepare_probes(stage, len(names)))
    return Burst(len(names), max(applied[name] for name in names) - told, floor)


def _is_about(write: Request, name: str) -> bool:
    return write.resource in CHILDREN and write.name.startswith(name)


def _find_first(writes: Iterable[Request]) -> dict[str, float]:
    """Return when the first write to each name was through."""
    first: dict[str, float] = {}
    for write in writes:
        first.setdefault(write.name, write.answered)
    return first


async def _prepare_probes(stage: Stage, count: int) -> list[Callable[[], Awaitable[object]]]:
    """Return jobs that each change a Deployment like the operator's, where nobody looks for it."""
    found = await stage.floor.list(_DEPLOYMENTS.format(NAMESPACE))
    bodies = [_build_probe(manifest) for manifest in found[:count]]
    await asyncio.gather(*(_apply(stage, body) for body in bodies))
    changed = [{**body, "spec": {**body["spec"], "revisionHistoryLimit": 7}} for body in bodies]
    return [partial(_apply, stage, body) for body in changed]


def _build_probe(manifest: Json) -> Json:
    body = strip(manifest)
    name = f"probe-{secrets.token_hex(4)}-{body['metadata']['name']}"
    return {**body, "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}}


async def _apply(stage: Stage, body: Json) -> None:
    path = f"{_DEPLOYMENTS.format(PROBE_NAMESPACE)}/{body['metadata']['name']}"
    await stage.floor.request("PATCH", f"{path}?fieldManager=floor&force=true", body, APPLY)
