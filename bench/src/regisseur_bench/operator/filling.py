"""From empty: many ModelDeployments that nobody has seen yet."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Final

from regisseur_bench.operator.audit import Request, count_by_resource
from regisseur_bench.operator.ground import FLOOR_NAMESPACE, NAMESPACE
from regisseur_bench.operator.process import OperatorProcess
from regisseur_bench.operator.rawclient import APPLY, Json, RawClient, time_all
from regisseur_bench.operator.stage import Stage, build_resource

CHILDREN: Final = {
    "poddisruptionbudgets": "/apis/policy/v1",
    "services": "/api/v1",
    "controllerrevisions": "/apis/apps/v1",
    "deployments": "/apis/apps/v1",
}
"""In the order in which they are written."""

_MODELDEPLOYMENTS: Final = "/apis/regisseur.dev/v1alpha1"
_STATUS: Final = "modeldeployments/status"
_EVENTS: Final = "events"


@dataclass(frozen=True)
class Filled:
    """What it took to serve all of them.

    Attributes:
        seconds: From the Lease to the operator's last write.
        creates: Of children, by resource.
        repeats: Writes to children beyond their creation.
        touches: Writes to ModelDeployments themselves: what kopf does where it keeps its notes.
        statuses: Writes of a status.
        phases: How often a phase changed.
    """

    resources: int
    seconds: float
    creates: Counter[str]
    repeats: int
    touches: int
    statuses: int
    phases: int
    events: int
    memory_mebibytes: float


async def fill(stage: Stage, operator: OperatorProcess, names: Sequence[str]) -> Filled:
    """Measure how an operator that has just been started serves all that is there."""
    phases = stage.player.phases.total()
    held = await stage.wait_until_leading(operator)
    await stage.wait_until_served(names)
    await stage.wait_until_quiet(operator)
    writes = stage.list_writes(operator.user, held)
    return read_filled(
        writes,
        held=held,
        resources=len(names),
        phases=stage.player.phases.total() - phases,
        memory_mebibytes=operator.read_memory_mebibytes(),
    )


def read_filled(
    writes: Sequence[Request], *, held: float, resources: int, phases: int, memory_mebibytes: float
) -> Filled:
    """Count what was written."""
    of_children = [write for write in writes if write.resource in CHILDREN]
    creates = [write for write in of_children if write.code == HTTPStatus.CREATED]
    counts = count_by_resource(writes)
    return Filled(
        resources=resources,
        seconds=max((write.answered for write in writes), default=held) - held,
        creates=count_by_resource(creates),
        repeats=len(of_children) - len(creates),
        touches=counts["modeldeployments"],
        statuses=counts[_STATUS],
        phases=phases,
        events=counts[_EVENTS],
        memory_mebibytes=memory_mebibytes,
    )


async def fill_floor(stage: Stage, filled: Filled) -> float:
    """Do the same writes with the raw client and return the seconds; no operator may run."""
    copies = await _copy_children(stage.floor)
    events = await _copy_events(stage.floor)
    statuses = {name: status for name, status in stage.player.statuses.items() if name in copies}
    await asyncio.gather(
        *(
            stage.floor.request("POST", _path(_MODELDEPLOYMENTS, "modeldeployments"), body)
            for body in map(build_resource, copies)
        )
    )
    rounds = round(filled.statuses / filled.resources)
    jobs = [
        partial(_write, stage.floor, name, bodies, [statuses[name]] * rounds)
        for name, bodies in copies.items()
    ]
    sayings = [
        partial(stage.floor.request, "POST", _path("/api/v1", _EVENTS), body)
        for body in events[: filled.events]
    ]
    seconds = await time_all([*jobs, *sayings])
    await empty(stage, FLOOR_NAMESPACE)
    return seconds


async def empty(stage: Stage, namespace: str) -> None:
    """Delete ModelDeployments, what belongs to them, and Events."""
    for resource, api in {
        "modeldeployments": _MODELDEPLOYMENTS,
        _EVENTS: "/api/v1",
        **CHILDREN,
    }.items():
        path = _path(api, resource, namespace)
        if resource != "services":
            await stage.floor.request("DELETE", path)
            continue
        for service in await stage.floor.list(path):
            await stage.floor.request("DELETE", f"{path}/{service['metadata']['name']}")


async def _write(
    client: RawClient, name: str, bodies: dict[str, Json], statuses: list[Json]
) -> None:
    for resource, body in bodies.items():
        path = _path(CHILDREN[resource], resource)
        if resource == "controllerrevisions":
            await client.request("POST", path, body)
        else:
            place = f"{path}/{body['metadata']['name']}?fieldManager=floor&force=true"
            await client.request("PATCH", place, body, APPLY)
    for status in statuses:
        path = f"{_path(_MODELDEPLOYMENTS, 'modeldeployments')}/{name}/status"
        await client.request("PATCH", path, {"status": status})


async def _copy_children(client: RawClient) -> dict[str, dict[str, Json]]:
    """Return by ModelDeployment and resource what an operator has written there."""
    copies: dict[str, dict[str, Json]] = {}
    for resource, api in CHILDREN.items():
        kind, version = _KINDS[resource], api.removeprefix("/apis/").removeprefix("/api/")
        for found in await client.list(_path(api, resource, NAMESPACE)):
            owner = found["metadata"]["ownerReferences"][0]["name"]
            body = {"apiVersion": version, "kind": kind, **strip(found)}
            copies.setdefault(owner, {})[resource] = body
    return copies


async def _copy_events(client: RawClient) -> list[Json]:
    found = await client.list(_path("/api/v1", _EVENTS, NAMESPACE))
    return [
        {
            **strip(event),
            "involvedObject": {**event["involvedObject"], "namespace": FLOOR_NAMESPACE},
        }
        for event in found
    ]


_KINDS: Final = {
    "poddisruptionbudgets": "PodDisruptionBudget",
    "services": "Service",
    "controllerrevisions": "ControllerRevision",
    "deployments": "Deployment",
}


def strip(found: Json) -> Json:
    """Return an object as somebody would write it: without what the API server adds."""
    kept = ("name", "labels", "annotations")
    metadata = {key: found["metadata"][key] for key in kept if key in found["metadata"]}
    body = {k: v for k, v in found.items() if k not in {"metadata", "status"}}
    if "clusterIP" in body.get("spec", {}):
        addresses = {"clusterIP", "clusterIPs"}
        body["spec"] = {k: v for k, v in body["spec"].items() if k not in addresses}
    return {**body, "metadata": metadata}


def _path(api: str, resource: str, namespace: str = FLOOR_NAMESPACE) -> str:
    return f"{api}/namespaces/{namespace}/{resource}"
