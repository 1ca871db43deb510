"""What the status of each ModelDeployment says, as a metric; made when it is scraped."""

from collections.abc import Iterable, Iterator
from typing import Final

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from regisseur_operator.ports import Manifest
from regisseur_operator.telemetry import PREFIX

_LABELS: Final = ("namespace", "name", "model", "phase", "version", "candidate")


class ModelDeploymentCollector(Collector):
    """Tells of every ModelDeployment what it serves and how it is.

    Args:
        manifests: All of them, as they were seen last.
    """

    def __init__(self, manifests: Iterable[Manifest]) -> None:
        self._manifests = manifests

    def collect(self) -> Iterator[Metric]:
        """Yield the one metric."""
        family = GaugeMetricFamily(
            f"{PREFIX}_modeldeployment_info",
            "1, labelled with what a ModelDeployment serves and how it is.",
            labels=_LABELS,
        )
        for manifest in self._manifests:
            family.add_metric(_label(manifest), 1)
        yield family


def _label(manifest: Manifest) -> list[str]:
    metadata, status = manifest["metadata"], manifest.get("status") or {}
    return [
        metadata["namespace"],
        metadata["name"],
        str(manifest["spec"]["model"]["name"]),
        str(status.get("phase", "")),
        str((status.get("stable") or {}).get("version", "")),
        str((status.get("candidate") or {}).get("version", "")),
    ]
