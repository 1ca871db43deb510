"""The results as a page for people."""

import platform
from collections.abc import Iterable
from typing import Final

from regisseur_bench.machine import describe_machine
from regisseur_bench.operator.goals import Judged, Results, judge
from regisseur_bench.operator.growing import Grown
from regisseur_bench.tables import tabulate

_INTRODUCTION: Final = """\
Written by `make bench-operator`; the model server has [a page of its own](benchmarks.md). One
operator process follows {resources} ModelDeployments on an API server with a real etcd. No node
runs: *pods are played*, by a program that tells each Deployment that its pods are available; there
are no Pod and ReplicaSet objects, and Kubernetes' controllers rest. The registry is *a stub* that
speaks MLflow's REST API from memory. Rehearsals are off.

Writes are counted in the audit log of the API server. The *floor* is a bare HTTP client, 16
requests at once, that does the same in the same minutes: the same bodies to the same API server;
after a start it lists all kinds and hashes every object. The operator also asks for each
ModelDeployment and each name live before it creates something; those requests are in its time and
not in the floor's. CPU at rest is measured by a process that polls the registry and renews its
Lease once an hour, before the first sweep.

Python {python}; {machine}."""


def write_report(results: Results, resources: int) -> str:
    """Return the page as Markdown."""
    introduction = _INTRODUCTION.format(
        resources=resources, python=platform.python_version(), machine=describe_machine()
    )
    parts = [
        "# Benchmarks of the operator",
        introduction,
        "![Figures as shares of the goals](benchmarks-operator.svg)",
        "## What was set, and what was reached",
        tabulate_goals(judge(results)),
        "## Measured",
        tabulate(["what", "found"], _list_measured(results)),
    ]
    if results.grown:
        parts += ["## Growth", _tabulate_growth(results.grown)]
    return "\n\n".join(parts) + "\n"


def tabulate_goals(judged: Iterable[Judged]) -> str:
    """Return what was reached of each goal."""
    rows = [
        [
            goal.what,
            f"{goal.most:g} {goal.unit}".strip(),
            f"{goal.found:.3g} {goal.unit}".strip(),
            "yes" if goal.is_reached else "no",
        ]
        for goal in judged
    ]
    return tabulate(["what", "at most", "found", "reached"], rows)


def _list_measured(results: Results) -> Iterable[list[str]]:
    if filled := results.filled:
        yield [
            "from empty: time, and the floor's",
            _pair(filled.seconds, results.filled_floor_seconds),
        ]
        for resource, count in sorted(filled.creates.items()):
            yield [f"from empty: {resource} created", str(count)]
        yield ["from empty: status writes a resource", f"{filled.statuses / filled.resources:.2f}"]
        yield ["from empty: Events", str(filled.events)]
        yield ["from empty: memory", f"{filled.memory_mebibytes:.0f} MiB"]
    if rested := results.rested:
        yield [f"at rest, {rested.seconds:g} s: CPU, all told", f"{rested.cpu_share:.2%} of a core"]
        yield ["at rest: registry calls a poll", f"{rested.calls_a_tick:.2g}"]
    if alone := results.rested_alone:
        yield ["at rest: CPU of the watches alone", f"{alone.cpu_share:.3%} of a core"]
    if found := results.restarted:
        yield ["restart: time, and the floor's", _pair(found.seconds, found.floor_seconds)]
    if moved := results.moved:
        yield ["one move: time, and one apply", _pair(moved.seconds, moved.floor_seconds)]
    for burst in filter(None, (results.burst, results.all_at_once)):
        what = f"{burst.moves} moves at once: the slowest, and the floor's"
        yield [what, _pair(burst.seconds, burst.floor_seconds)]
    if taken := results.taken_over:
        yield ["leader killed: takeover", f"{taken.seconds:.1f} s"]


def _tabulate_growth(grown: Iterable[Grown]) -> str:
    rows = [
        [
            str(size.resources),
            _time(size.seconds),
            _time(size.seconds_each),
            f"{size.memory_mebibytes:.0f}",
            f"{size.cpu_share:.2%}",
        ]
        for size in grown
    ]
    head = ["resources", "from empty", "for each", "memory MiB", "CPU at rest, of a core"]
    return tabulate(head, rows)


def _pair(seconds: float, floor_seconds: float) -> str:
    return f"{_time(seconds)}, {_time(floor_seconds)}"


def _time(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.1f} s"
