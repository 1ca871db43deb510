"""Where a version comes from: what training noted on it in the registry, or on its run."""

import math
from collections.abc import Collection, Mapping
from typing import Final

from regisseur_contract.tags import TAG_DATA_VERSION, TAG_DIGEST, TAG_GIT_SHA
from regisseur_operator.api.status import Lineage
from regisseur_operator.core.registry import ModelVersion, Run

MOST_METRICS: Final = 32
"""That are kept of a run: they are written on every rollout's objects as well."""

LONGEST_NOTE: Final = 256
"""Of a tag that is kept: MLflow takes 100,000 letters, a status does not."""


def trace_lineage(version: ModelVersion, run: Run, gated: Collection[str]) -> Lineage | None:
    """Return where a version comes from; None where nobody noted anything.

    Args:
        version: As the registry tells it; its own tags say it before those of the run.
        run: The run that made it.
        gated: Metrics that gates ask for. They are kept before all others, because the next
            version will be compared with them.
    """
    lineage = Lineage(
        git_sha=_read_note(TAG_GIT_SHA, version, run),
        data_version=_read_note(TAG_DATA_VERSION, version, run),
        metrics=_choose_metrics(run.metrics, gated),
    )
    return None if lineage == Lineage() else lineage


def read_digest(version: ModelVersion) -> str:
    """Return the digest that training noted, empty where it noted none."""
    return version.tags.get(TAG_DIGEST, "").strip()[:LONGEST_NOTE]


def _read_note(tag: str, version: ModelVersion, run: Run) -> str:
    return (version.tags.get(tag) or run.tags.get(tag) or "").strip()[:LONGEST_NOTE]


def _choose_metrics(metrics: Mapping[str, float], gated: Collection[str]) -> dict[str, float]:
    known = [name for name, value in metrics.items() if math.isfinite(value)]
    first = sorted(known, key=lambda name: (name not in gated, name))[:MOST_METRICS]
    return {name: metrics[name] for name in sorted(first)}
