"""All measurements of one run."""

import json
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from regisseur_bench.serving.contestants import OURS, Contestant, Place
from regisseur_bench.serving.generator import Measured, put_load
from regisseur_bench.serving.loads import Load, read_sample
from regisseur_bench.serving.processes import Running, run_server
from regisseur_bench.serving.rounds import shuffle_rounds

_WARM_UP_SECONDS: Final = 1.0
_FIRST_PORT: Final = 28100
_PORTS_EACH: Final = 4
OVERLOAD_CONNECTIONS: Final = 40 * 64
"""Forty times those of the largest load."""

Say = Callable[[str], None]


@dataclass
class Results:
    """What was found out.

    Attributes:
        rounds: By load and server, a value a round.
        start_seconds: By model and server, from the start of the process to its first prediction.
        memory_mebibytes: By model and server, after the load.
        overload: By model: our server with more connections than it takes on; memory in MiB before
            and after.
    """

    rounds: dict[Load, dict[str, list[Measured]]] = field(default_factory=dict)
    start_seconds: dict[str, dict[str, float]] = field(default_factory=dict)
    memory_mebibytes: dict[str, dict[str, float]] = field(default_factory=dict)
    overload: dict[str, tuple[Measured, float, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """What to measure.

    Attributes:
        folders: The models by the python that reads them.
        seconds: Of each measurement.
    """

    contestants: Sequence[Contestant]
    loads: Sequence[Load]
    folders: dict[Path, Path]
    scratch: Path
    rounds: int
    seconds: float
    say: Say


def measure(plan: Plan) -> Results:
    """Measure everything, one model after the other."""
    results = Results()
    for model in dict.fromkeys(load.model for load in plan.loads):
        loads = [load for load in plan.loads if load.model == model]
        _measure_model(plan, model, loads, results)
    return results


def _measure_model(plan: Plan, model: str, loads: Sequence[Load], results: Results) -> None:
    with ExitStack() as stack:
        running = [
            stack.enter_context(_start(plan, contestant, model, number))
            for number, contestant in enumerate(plan.contestants)
        ]
        results.start_seconds[model] = {r.contestant.name: r.start_seconds for r in running}
        for load in loads:
            results.rounds[load] = _measure_load(plan, load, running)
        results.memory_mebibytes[model] = {
            r.contestant.name: r.read_memory_mebibytes() for r in running
        }
        for server in running:
            if server.contestant.name == OURS:
                results.overload[model] = _overload(plan, server)


def _start(
    plan: Plan, contestant: Contestant, model: str, number: int
) -> AbstractContextManager[Running]:
    plan.say(f"starting {contestant.name} with {model}")
    place = Place(
        plan.folders[contestant.python],
        plan.scratch,
        model,
        _FIRST_PORT + _PORTS_EACH * number,
    )
    body = contestant.write_body(read_sample(place.models, model).head(1))
    return run_server(contestant, place, body)


def _measure_load(plan: Plan, load: Load, servers: Sequence[Running]) -> dict[str, list[Measured]]:
    started = time.monotonic()
    ready = [_with_body(plan, server, load) for server in servers]
    found: dict[str, list[Measured]] = {server.contestant.name: [] for server in ready}
    for server in ready:
        put_load(server, plan.scratch, load.connections, _WARM_UP_SECONDS)
    for order in shuffle_rounds(ready, plan.rounds, seed=load.connections):
        for server in order:
            measured = put_load(server, plan.scratch, load.connections, plan.seconds)
            found[server.contestant.name].append(measured)
    plan.say(f"{load}: {plan.rounds} rounds in {time.monotonic() - started:.0f} s")
    return found


def _with_body(plan: Plan, server: Running, load: Load) -> Running:
    folder = plan.folders[server.contestant.python]
    sample = read_sample(folder, load.model).head(load.rows)
    return replace(server, body=json.dumps(server.contestant.write_body(sample)).encode())


def _overload(plan: Plan, server: Running) -> tuple[Measured, float, float]:
    before = server.read_memory_mebibytes()
    measured = put_load(
        server,
        plan.scratch,
        OVERLOAD_CONNECTIONS,
        2 * plan.seconds,
        tells_statuses=True,
    )
    plan.say(f"{OVERLOAD_CONNECTIONS} connections: {measured.rate:.0f} answers a second")
    return measured, before, server.read_memory_mebibytes()
