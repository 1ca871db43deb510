"""What the server tells about itself: log lines and metrics."""

import logging
import sys
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from itertools import accumulate
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Gauge,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

LOGGER = logging.getLogger("regisseur_serving")

REQUEST_ID: Final = ContextVar("request_id", default="")
"""The id of the request that is being answered; log lines about it hold it."""

LATENCY_BOUNDS_SECONDS: Final = tuple(
    float(f"{0.00025 * 2 ** (step / 4):.6g}") for step in range(73)
)
"""From 0.25 ms to 65 s in steps of 2^¼: fine enough to see a latency that doubles."""

_SIZE_BOUNDS: Final = tuple(float(2**power) for power in range(13))
_PREFIX: Final = "regisseur_serving_"


def configure_logging() -> None:
    """Write log lines to standard error, one line an event."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])


class _Formatter(logging.Formatter):
    """Says which request a line is about."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        line = super().formatMessage(record)
        request_id = REQUEST_ID.get()
        return f"{line} (request {request_id})" if request_id else line


class Metrics:
    """The metrics of one server, in a registry of its own.

    What happens with every request is counted in plain numbers, a tenth of a microsecond each, and
    becomes metrics only when it is scraped. All of it is called on the loop.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        self._ready = Gauge(
            f"{_PREFIX}ready",
            "1 while the readiness route answers 200.",
            registry=self._registry,
        )
        self._load = Gauge(
            f"{_PREFIX}model_load_seconds",
            "Time that loading and warming up the model took.",
            registry=self._registry,
        )
        self._model = Gauge(
            f"{_PREFIX}model_info",
            "1, labelled with the model served.",
            ["name", "version", "run_id"],
            registry=self._registry,
        )
        self._engine = Gauge(
            f"{_PREFIX}engine_info",
            "1, labelled with what makes the predictions and why it is not what was asked for.",
            ["engine", "reason_word"],
            registry=self._registry,
        )
        self._counts = _Counts()
        self._registry.register(self._counts)

    def observe_request(self, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        work = self._counts.current
        work.requests[route, status] += 1
        work.latency[route].observe(seconds)

    def observe_batch(self, rows: int, requests: int, model_seconds: float) -> None:
        """Count one call of the model.

        Args:
            rows: What it predicted.
            requests: How many requests these rows came with.
            model_seconds: How long the model took.
        """
        work = self._counts.current
        work.batch_rows.observe(rows)
        work.batch_requests.observe(requests)
        work.model.observe(model_seconds)

    def observe_queue(self, seconds: float) -> None:
        """Count how long one request waited for the model."""
        self._counts.current.queue.observe(seconds)

    def show_ready(self, *, is_ready: Callable[[], bool]) -> None:
        """Report readiness as the given function tells it, at the time of each scrape."""
        self._ready.set_function(lambda: float(is_ready()))

    def show_model(self, name: str, version: str, run_id: str, load_seconds: float) -> None:
        """Report which model is loaded; from now on requests are counted as its version's."""
        self._model.labels(name, version, run_id).set(1)
        self._load.set(load_seconds)
        self._counts.begin(version)

    def show_engine(self, engine: str, reason_word: str) -> None:
        """Report what makes the predictions; the word is empty for what was asked for."""
        self._engine.labels(engine, reason_word).set(1)

    def render(self) -> bytes:
        """Return all metrics in the text format of Prometheus."""
        return generate_latest(self._registry)


# ---- plain numbers, and metrics made of them ---------------------------------------------------


class _Histogram:
    """Counts by bucket: the value is looked for by halves, not along all bounds."""

    __slots__ = ("_bounds", "_counts", "sum")

    def __init__(self, bounds: tuple[float, ...] = LATENCY_BOUNDS_SECONDS) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """Count a value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self.sum += value

    def add_to(self, family: HistogramMetricFamily, labels: list[str]) -> None:
        """Add what was counted, in Prometheus's way: each bucket holds those below it too."""
        names = (*map(str, self._bounds), "+Inf")
        buckets = list(zip(names, accumulate(self._counts), strict=True))
        family.add_metric(labels, buckets, self.sum)


class _Work:
    """What was done for one version of the model."""

    def __init__(self) -> None:
        self.requests: dict[tuple[str, int], int] = defaultdict(int)
        self.latency: dict[str, _Histogram] = defaultdict(_Histogram)
        self.batch_rows = _Histogram(_SIZE_BOUNDS)
        self.batch_requests = _Histogram(_SIZE_BOUNDS)
        self.model = _Histogram()
        self.queue = _Histogram()


class _Counts(Collector):
    """All work by version; what came before a model was loaded has an empty one."""

    def __init__(self) -> None:
        self.current = _Work()
        self._by_version = {"": self.current}

    def begin(self, version: str) -> None:
        """Count for this version from now on; the thread that loads calls this."""
        work = _Work()
        self._by_version = {**self._by_version, version: work}
        self.current = work

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics of this moment."""
        yield self._collect_requests()
        yield self._collect_latency()
        yield self._collect_rows()
        for name, (description, choose) in _OF_THE_MODEL.items():
            yield self._collect_model(name, description, choose)

    def _collect_requests(self) -> Metric:
        family = CounterMetricFamily(
            f"{_PREFIX}requests", "Requests answered.", labels=["version", "route", "code"]
        )
        for version, work in self._by_version.items():
            for (route, status), count in work.requests.items():
                family.add_metric([version, route, str(status)], count)
        return family

    def _collect_latency(self) -> Metric:
        # Without the code, which would multiply the buckets.
        family = HistogramMetricFamily(
            f"{_PREFIX}request_seconds",
            "Time from the head of a request to the end of its answer.",
            labels=["version", "route"],
        )
        for version, work in self._by_version.items():
            for route, histogram in work.latency.items():
                histogram.add_to(family, [version, route])
        return family

    def _collect_rows(self) -> Metric:
        family = CounterMetricFamily(
            f"{_PREFIX}predicted_rows", "Rows predicted.", labels=["version"]
        )
        for version, work in self._by_version.items():
            if version:
                family.add_metric([version], work.batch_rows.sum)
        return family

    def _collect_model(
        self, name: str, description: str, choose: Callable[[_Work], _Histogram]
    ) -> Metric:
        family = HistogramMetricFamily(f"{_PREFIX}{name}", description, labels=["version"])
        for version, work in self._by_version.items():
            if version:
                choose(work).add_to(family, [version])
        return family


_OF_THE_MODEL: Final[dict[str, tuple[str, Callable[[_Work], _Histogram]]]] = {
    "batch_rows": ("Rows of one call of the model.", lambda work: work.batch_rows),
    "batch_requests": (
        "Requests answered by one call of the model.",
        lambda work: work.batch_requests,
    ),
    "model_seconds": ("Time of one call of the model.", lambda work: work.model),
    "queue_seconds": ("Time that a request waited for the model.", lambda work: work.queue),
}
"""They are nobody's before a model is loaded, so that version has none."""
