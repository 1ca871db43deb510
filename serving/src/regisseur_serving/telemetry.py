"""What the server tells about itself: log lines and metrics."""

import logging
import sys
from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    Summary,
    disable_created_metrics,
    generate_latest,
)

LOGGER = logging.getLogger("regisseur_serving")

_LATENCY_BUCKETS_SECONDS = (
    *(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
)


def configure_logging() -> None:
    """Write log lines to standard error, one line an event."""
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )


class Metrics:
    """The metrics of one server, in a registry of its own."""

    def __init__(self) -> None:
        # They are a second series beside each, which nobody asks for.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        self._requests = Counter(
            "regisseur_serving_requests",
            "Requests answered.",
            ["route", "status"],
            registry=self._registry,
        )
        self._latency = Histogram(
            "regisseur_serving_request_seconds",
            "Time from the head of a request to the end of its answer.",
            ["route"],
            buckets=_LATENCY_BUCKETS_SECONDS,
            registry=self._registry,
        )
        self._rows = Counter(
            "regisseur_serving_predicted_rows", "Rows predicted.", registry=self._registry
        )
        self._batches = Summary(
            "regisseur_serving_batch_requests",
            "Requests that were predicted in one call of the model.",
            registry=self._registry,
        )
        self._model_time = Summary(
            "regisseur_serving_model_seconds",
            "Time of one call of the model.",
            registry=self._registry,
        )
        self._queue_time = Summary(
            "regisseur_serving_queue_seconds",
            "Time that a request waited for the model.",
            registry=self._registry,
        )
        self._ready = Gauge(
            "regisseur_serving_ready",
            "1 while the readiness route answers 200.",
            registry=self._registry,
        )
        self._load = Gauge(
            "regisseur_serving_model_load_seconds",
            "Time that loading and warming up the model took.",
            registry=self._registry,
        )
        self._model = Gauge(
            "regisseur_serving_model_info",
            "1, labelled with the model served.",
            ["name", "version", "run_id"],
            registry=self._registry,
        )
        # Finding a labelled child costs more than using it; routes and statuses are few.
        self._children: dict[tuple[str, int], tuple[Callable[[], None], Callable[[float], None]]]
        self._children = {}

    def observe_request(self, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        children = self._children.get((route, status))
        if children is None:
            children = (
                self._requests.labels(route, str(status)).inc,
                self._latency.labels(route).observe,
            )
            self._children[route, status] = children
        count, observe = children
        count()
        observe(seconds)

    def observe_batch(self, rows: int, requests: int, model_seconds: float) -> None:
        """Take note of one call of the model."""
        self._rows.inc(rows)
        self._batches.observe(requests)
        self._model_time.observe(model_seconds)

    def observe_queue(self, seconds: float) -> None:
        """Take note of the time that one request waited for the model."""
        self._queue_time.observe(seconds)

    def show_ready(self, *, is_ready: Callable[[], bool]) -> None:
        """Report readiness as the given function tells it, at the time of each scrape."""
        self._ready.set_function(lambda: float(is_ready()))

    def show_model(self, name: str, version: str, run_id: str, load_seconds: float) -> None:
        """Report which model is loaded."""
        self._model.labels(name, version, run_id).set(1)
        self._load.set(load_seconds)

    def render(self) -> bytes:
        """Return all metrics in the text format of Prometheus."""
        return generate_latest(self._registry)
