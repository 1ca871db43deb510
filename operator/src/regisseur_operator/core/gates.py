"""Whether a version may go further: what a person asked of it, against what the registry says.

Every gate that is unmet is told, with both figures, so that one look tells all there is to do.
The words hold still while the registry's do: what is left of a wait is in no message.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from regisseur_operator.api.status import Lineage
from regisseur_operator.api.v1alpha1 import Gates, MetricGate
from regisseur_operator.core.lineage import MOST_METRICS
from regisseur_operator.core.registry import ModelVersion, Run

SHORT_FIGURE: Final = ".6g"
LONGEST_VALUE: Final = 60
LONGEST_WAIT_SECONDS: Final = 3600.0
TIME_FORMAT: Final = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class GatesVerdict:
    """What the gates say of a version.

    Attributes:
        unmet: What is in the way, one sentence a gate; empty when it may go further.
        requeue_after_seconds: When time alone changes the verdict.
    """

    unmet: tuple[str, ...] = ()
    requeue_after_seconds: float | None = None

    @property
    def is_met(self) -> bool:
        """Whether the version may go further."""
        return not self.unmet

    @property
    def message(self) -> str:
        """All that is in the way, for people."""
        return "; ".join(self.unmet)


def judge_gates(
    gates: Gates, version: ModelVersion, run: Run, served: Lineage | None, now: datetime
) -> GatesVerdict:
    """Judge a version that is to replace what is served.

    Args:
        gates: What is asked of it.
        version: As the registry has it now; tags may be set after a promotion.
        run: The run that made it.
        served: Of the version that is served, None when nothing is: there is nothing to be
            worse than.
        now: The time.
    """
    waiting = _remaining_seconds(gates, version, now)
    unmet = (
        *_judge_metrics(gates, version, run),
        *(_judge_regressions(gates, run, served) if served is not None else ()),
        *_judge_tags(gates.required_tags, version.tags),
        *([_tell_age(gates, version)] if waiting is not None else []),
    )
    return GatesVerdict(unmet, waiting)


# ---- metrics ---------------------------------------------------------------------------------


def _judge_metrics(gates: Gates, version: ModelVersion, run: Run) -> Iterator[str]:
    for gate in gates.metrics:
        value = run.metrics.get(gate.name)
        if value is None:
            yield _tell_missing(gate, version)
        elif math.isnan(value):
            yield f"{gate.name} is not a number (NaN), which meets nothing"
        elif gate.threshold is not None and _is_worse(gate, value, gate.threshold):
            yield _tell_threshold(gate, value, gate.threshold)


def _tell_missing(gate: MetricGate, version: ModelVersion) -> str:
    if not version.run_id:
        return f"{gate.name} is unknown: version {version.version} has no run"
    return f"{gate.name} is unknown: run {version.run_id} does not exist or has no such metric"


def _tell_threshold(gate: MetricGate, value: float, threshold: float) -> str:
    given, wanted = _write_figures(value, threshold)
    word = "less" if gate.goal == "Maximize" else "more"
    return f"{gate.name} is {given}, {word} than the threshold {wanted}"


def _judge_regressions(gates: Gates, run: Run, served: Lineage) -> Iterator[str]:
    """Tell of each figure that is too far behind; one that nobody knows is no bar to the next."""
    is_cut = len(served.metrics) >= MOST_METRICS
    for gate in gates.metrics:
        value, before = run.metrics.get(gate.name), served.metrics.get(gate.name)
        if gate.max_regression is None or value is None or math.isnan(value):
            continue
        if before is None and is_cut:
            yield _tell_cut(gate)
        if before is None or not math.isfinite(before):
            continue
        if _is_worse(gate, value, _bound(gate, before, gate.max_regression)):
            yield _tell_regression(gate, value, before, gate.max_regression)


def _tell_cut(gate: MetricGate) -> str:
    return (
        f"{gate.name} of the served version is not among the {MOST_METRICS} metrics that were kept"
        " of its run: let the reference name the served version once more, so that it is read"
        " again, or take maxRegression out for this version"
    )


def _bound(gate: MetricGate, before: float, allowed: float) -> Decimal:
    """Return the worst figure that is let through; in decimals, as people reckon."""
    sign = -1 if gate.goal == "Maximize" else 1
    return Decimal(repr(before)) + sign * Decimal(repr(allowed))


def _is_worse(gate: MetricGate, value: float, bound: float | Decimal) -> bool:
    given, wanted = Decimal(repr(value)), Decimal(str(bound))
    return given < wanted if gate.goal == "Maximize" else given > wanted


def _tell_regression(gate: MetricGate, value: float, before: float, allowed: float) -> str:
    given, served = _write_figures(value, before)
    return (
        f"{gate.name} is {given}, worse than the served version's {served} by more than the"
        f" {allowed:{SHORT_FIGURE}} that maxRegression allows"
    )


def _write_figures(first: float, second: float) -> tuple[str, str]:
    """Write two different figures so that they look different, and no longer than need be."""
    short = f"{first:{SHORT_FIGURE}}", f"{second:{SHORT_FIGURE}}"
    return short if short[0] != short[1] else (repr(first), repr(second))


# ---- tags and age ----------------------------------------------------------------------------


def _judge_tags(required: Mapping[str, str], tags: Mapping[str, str]) -> Iterator[str]:
    for name, wanted in sorted(required.items()):
        given = tags.get(name)
        if given is None:
            yield f"tag {name} is not set, must be {_shorten(wanted)}"
        elif given != wanted:
            yield f"tag {name} is {_shorten(given)}, must be {_shorten(wanted)}"


def _shorten(value: str) -> str:
    return repr(value if len(value) <= LONGEST_VALUE else f"{value[:LONGEST_VALUE]}…")


def _old_enough_at(gates: Gates, version: ModelVersion) -> datetime:
    try:
        created = datetime.fromtimestamp(version.created_ms / 1000, UTC)
        return created + timedelta(seconds=gates.min_age_seconds)
    except (OverflowError, ValueError, OSError):  # beyond what a calendar has
        return datetime.max.replace(tzinfo=UTC)


def _remaining_seconds(gates: Gates, version: ModelVersion, now: datetime) -> float | None:
    if not gates.min_age_seconds:
        return None
    left = (_old_enough_at(gates, version) - now).total_seconds()
    return min(left, LONGEST_WAIT_SECONDS) if left > 0 else None


def _tell_age(gates: Gates, version: ModelVersion) -> str:
    since = _old_enough_at(gates, version).strftime(TIME_FORMAT)
    return f"version {version.version} is younger than minAge {gates.min_age} until {since}"
