"""Every metric is on the page about monitoring, and every name there is a metric."""

import re
from pathlib import Path

from prometheus_client import CollectorRegistry

from regisseur_operator import telemetry as operator_telemetry
from regisseur_operator.runtime.modeldeployment_metrics import ModelDeploymentCollector
from regisseur_serving import telemetry as serving_telemetry

PAGE = Path(__file__).parents[2] / "docs" / "MONITORING.md"
OURS = ("regisseur_operator_", "regisseur_serving_")
OF_SERIES = re.compile(r"_(bucket|sum|count|created)$")


def list_metrics(*registries: CollectorRegistry) -> set[str]:
    """Return the names of all metrics as a query has them."""
    families = (family for registry in registries for family in registry.collect())
    return {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in families
        if family.name.startswith(OURS)
    }


def test_the_page_names_all_metrics_and_no_others() -> None:
    operator = operator_telemetry.Metrics()
    operator.registry.register(ModelDeploymentCollector([]))
    serving = serving_telemetry.Metrics()
    serving.show_model("wine", "1", "", 0.1)
    named = re.findall(r"regisseur_(?:operator|serving)_[a-z_]+", PAGE.read_text())

    metrics = list_metrics(operator.registry, serving._registry)
    assert {OF_SERIES.sub("", name) for name in named} == metrics
