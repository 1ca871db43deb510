"""The end-to-end tests can fail: whoever looks at the status for them objects to what is untrue."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from regisseur_operator.core.pods import ANNOTATION_TRIAL
from regisseur_operator.core.roll import ANNOTATION_ROLL
from support.moments import Json, Moment
from support.observer import LAG_SECONDS, Observer

Change = Callable[[Json], Any]


def pod(version: str, *, is_ready: bool = True) -> Json:
    metadata = {"uid": f"{version}-{is_ready}", "name": "wine-1", "labels": {}, "annotations": {}}
    metadata["labels"] = {"regisseur.dev/model-version": version}
    ready = {"type": "Ready", "status": str(is_ready)}
    return {"metadata": metadata, "status": {"phase": "Running", "conditions": [ready]}}


def rehearsal(key: str) -> Json:
    found = pod("2", is_ready=False)
    found["metadata"]["annotations"] = {ANNOTATION_TRIAL: key}
    return found


def condition(kind: str, status: str) -> Json:
    return {"type": kind, "status": status, "reason": "Because", "message": "It is so"}


def build_world() -> Json:
    """Return a world in which the status is true: version 1 is served by its one pod."""
    status = {
        "phase": "Healthy",
        "stable": {"version": 1},
        "resolved": {"version": 1},
        "readyReplicas": 1,
        "conditions": [condition("Ready", "True"), condition("Available", "True")],
    }
    roll = {ANNOTATION_ROLL: json.dumps({"key": "one"})}
    return {
        "resource": {"spec": {"replicas": 1}, "status": status},
        "deployment": {"metadata": {"annotations": roll}},
        "pods": [pod("1")],
        "rehearsals": [],
    }


def observe(world: Json, *seconds: float) -> list[str]:
    """Let an observer see the same world at some times and return its objections."""
    observer = Observer(None, "", "")  # type: ignore[arg-type]  # it never looks by itself
    for at in seconds:
        lists = {name: tuple(world[name]) for name in ("pods", "rehearsals")}
        observer.take(Moment(at, world["resource"], world["deployment"], **lists))
    return observer.objections


def status(world: Json) -> Json:
    found: Json = world["resource"]["status"]
    return found


UNTRUTHS: dict[str, Change] = {
    "another version is resolved": lambda w: status(w)["resolved"].update(version=2),
    "there is a candidate": lambda w: status(w).update(candidate={"version": 2}),
    "it is stalled": lambda w: status(w)["conditions"].append(condition("Stalled", "True")),
    "the phase says otherwise": lambda w: status(w).update(phase="Degraded"),
    "a condition has no reason": lambda w: status(w)["conditions"][1].update(reason=""),
    "a failed rehearsal is told as passed": lambda w: (
        status(w)["conditions"].append(condition("Rehearsed", "True")),
        status(w).update(rehearsal={"version": 1, "state": "Failed"}),
    ),
    "two rehearse at once": lambda w: w["rehearsals"].extend([rehearsal("a"), rehearsal("b")]),
}
"""What is never true, not even for a moment."""

DOUBTS: dict[str, Change] = {
    "a pod of another version": lambda w: w["pods"].append(pod("2", is_ready=False)),
    "no pod is ready": lambda w: w.update(pods=[pod("1", is_ready=False)]),
    "there is no pod": lambda w: w.update(pods=[]),
    "the count is wrong": lambda w: status(w).update(readyReplicas=2),
    "a rejected roll": lambda w: status(w).update(rejected=[{"key": "one", "version": 1}]),
    "a rehearsal that nobody tells of": lambda w: w["rehearsals"].append(rehearsal("two")),
    "a rehearsal without a pod": lambda w: status(w).update(
        rehearsal={"version": 2, "state": "Running"}
    ),
}
"""What may be so while the status lags behind."""


def test_a_true_status_meets_no_objection() -> None:
    assert observe(build_world(), 0, 1, LAG_SECONDS + 2) == []


@pytest.mark.parametrize("change", UNTRUTHS.values(), ids=UNTRUTHS)
def test_an_untruth_counts_at_once(change: Change) -> None:
    world = build_world()
    change(world)
    assert observe(world, 0)


@pytest.mark.parametrize("change", DOUBTS.values(), ids=DOUBTS)
def test_a_doubt_counts_when_it_lasts(change: Change) -> None:
    world = build_world()
    change(world)
    assert observe(world, 0, 1) == []
    assert observe(world, 0, 1, LAG_SECONDS + 1)
