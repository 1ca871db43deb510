"""The results as a page for people."""

import math
import platform
from collections.abc import Iterable
from importlib.metadata import version
from statistics import median
from typing import Final

from regisseur_bench.machine import describe_machine
from regisseur_bench.serving.contestants import CONSTANT, NAIVE, OURS
from regisseur_bench.serving.goals import Goal, judge
from regisseur_bench.serving.loads import MODELS, Load
from regisseur_bench.serving.measuring import OVERLOAD_CONNECTIONS, Results
from regisseur_bench.serving.rounds import find_ratios
from regisseur_bench.tables import tabulate

LATENCY_LOAD: Final = Load("M1", 1, 64)

_INTRODUCTION: Final = """\
Written by `make bench-serving`. One server process on one core, `wrk` on the other; every server
is measured in every one of {rounds} rounds of {seconds:g} s, in a shuffled order; a ratio is taken
within a round, and the median of the rounds is shown. {models}.

*{naive}* is the server of a tutorial: a pydantic body, a DataFrame, `predict`. *{constant}* answers
a constant: what HTTP costs. KServe's scikit-learn server is no package; in its place is the model
class that KServe's documentation tells people to write.

Python {python}, {packages}; {processor}."""
_PACKAGES: Final = ("scikit-learn", "numpy", "fastapi", "uvicorn", "mlflow")


def write_report(results: Results, rounds: int, seconds: float) -> str:
    """Return the page as Markdown."""
    parts = [
        "# Benchmarks",
        _introduce(rounds, seconds),
        "## Throughput, as multiples of the naive server",
        _tabulate_ratios(results),
        "![Throughput of the servers](benchmarks-serving.svg)",
        "## What was set, and what was reached",
        tabulate_goals(judge(lambda base: find_all_ratios(results, base))),
        f"## Latency ({LATENCY_LOAD}), memory, cold start",
        _tabulate_rest(results),
        f"## Too much load ({OVERLOAD_CONNECTIONS} connections)",
        _tabulate_overload(results),
    ]
    return "\n\n".join(parts) + "\n"


def find_all_ratios(results: Results, base: str) -> dict[Load, dict[str, float]]:
    """Return by load how many times as fast as the base each server was, if that was measured."""
    return {
        load: find_ratios({name: [m.rate for m in ms] for name, ms in found.items()}, base)
        for load, found in results.rounds.items()
        if base in found
    }


def _introduce(rounds: int, seconds: float) -> str:
    models = "; ".join(f"{name} = {text}" for name, text in MODELS.items())
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return _INTRODUCTION.format(
        rounds=rounds,
        seconds=seconds,
        models=models,
        naive=NAIVE,
        constant=CONSTANT,
        python=platform.python_version(),
        packages=packages,
        processor=describe_machine(),
    )


def _tabulate_ratios(results: Results) -> str:
    ratios = find_all_ratios(results, NAIVE)
    names = list(next(iter(results.rounds.values())))
    rows = [[name, *(_show(ratios[load][name]) for load in ratios)] for name in names]
    return tabulate(["server (× naive)", *map(str, ratios)], rows)


def tabulate_goals(judged: Iterable[tuple[Goal, float]]) -> str:
    """Return what was reached of each goal."""
    rows = [
        [
            f"{goal.server}, {goal.load}, × {goal.base}",
            f"{goal.least:g}",
            _show(reached),
            "yes" if reached >= goal.least else "no",
        ]
        for goal, reached in judged
    ]
    return tabulate(["what, as a multiple of whom", "at least", "found", "reached"], rows)


def _tabulate_rest(results: Results) -> str:
    found = results.rounds.get(LATENCY_LOAD) or next(iter(results.rounds.values()))
    model = next(iter(results.memory_mebibytes))
    rows = [
        [
            name,
            f"{median(m.p50 for m in measured) * 1000:.1f}",
            f"{median(m.p99 for m in measured) * 1000:.1f}",
            f"{results.memory_mebibytes[model][name]:.0f}",
            f"{results.start_seconds[model][name]:.1f}",
        ]
        for name, measured in found.items()
    ]
    return tabulate(["server", "p50 ms", "p99 ms", "memory MiB", "cold start s"], rows)


def _tabulate_overload(results: Results) -> str:
    rows = []
    for model, (measured, before, after) in results.overload.items():
        peak = max(
            median(m.rate for m in found[OURS])
            for load, found in results.rounds.items()
            if load.model == model and load.rows == 1
        )
        rows.append(
            [
                model,
                f"{measured.rate / peak:.0%}",
                str(measured.refused),
                str(measured.strange + measured.broken),
                f"{before:.0f} → {after:.0f}",
            ]
        )
    head = ["model", "good answers, of the peak", "429", "anything else", "memory MiB"]
    return tabulate(head, rows)


def _show(ratio: float) -> str:
    if math.isinf(ratio):
        return "∞"
    return f"{ratio:.0f}" if ratio >= 10 else f"{ratio:.2g}"  # noqa: PLR2004 - two digits
