"""Log lines and metrics, the two ways in which the operator tells what it does.

Each operator has its own metrics registry, so that several can live in one process.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Final, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

PREFIX: Final = "regisseur_operator"
_FIELDS: Final = ("modeldeployment", "reason", "registry")
_ROLLOUT_SECONDS: Final = tuple(10.0 * 2**step for step in range(10))
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The operator's own metrics."""

    def __init__(self) -> None:
        self.registry = own = CollectorRegistry()
        self.reconciles = Counter(
            f"{PREFIX}_reconciles", "Reconciles by how they ended.", ["outcome"], registry=own
        )
        self.reconcile_seconds = Histogram(
            f"{PREFIX}_reconcile_seconds",
            "How long a reconcile takes.",
            buckets=_SECONDS,
            registry=own,
        )
        self.writes = Counter(
            f"{PREFIX}_writes",
            "Writes to the API server.",
            ["verb", "kind", "reason"],
            registry=own,
        )
        self.rollouts = Counter(
            f"{PREFIX}_rollouts", "Rollouts that ended, by how.", ["outcome"], registry=own
        )
        self.rollout_seconds = Histogram(
            f"{PREFIX}_rollout_seconds",
            "From the beginning of a rollout to its end.",
            ["outcome"],
            buckets=_ROLLOUT_SECONDS,
            registry=own,
        )
        self.events = Counter(
            f"{PREFIX}_events", "Kubernetes Events by what became of them.", ["fate"], registry=own
        )
        self.queue_depth = Gauge(
            f"{PREFIX}_queue_depth", "ModelDeployments that wait for a worker.", registry=own
        )
        self.queue_oldest = Gauge(
            f"{PREFIX}_queue_oldest_seconds",
            "How long the first of them has waited.",
            registry=own,
        )
        self.waiting = Gauge(
            f"{PREFIX}_waiting_for_turn",
            "ModelDeployments that wait until fewer are under way.",
            ["turn"],
            registry=own,
        )
        self.resources = Gauge(
            f"{PREFIX}_modeldeployments", "ModelDeployments that are known.", registry=own
        )
        self.is_leader = Gauge(f"{PREFIX}_leader", "1 while this process acts.", registry=own)
        self.registry_calls = Counter(
            f"{PREFIX}_registry_calls",
            "Requests to a model registry.",
            ["model_registry", "outcome"],
            registry=own,
        )
        self.registry_answered = Gauge(
            f"{PREFIX}_registry_last_answer_timestamp_seconds",
            "When the registry answered last.",
            ["model_registry"],
            registry=own,
        )


class Repeated:
    """Logs a line about a subject only when it says something new."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._last: dict[str, str] = {}

    def warn(self, subject: str, line: str) -> None:
        """Log a warning, unless it was the last line about this subject."""
        if self._last.get(subject) != line:
            self._last[subject] = line
            self._log.warning("%s: %s", subject, line)

    def clear(self, subject: str, line: str) -> None:
        """Log that the trouble with a subject is over, if there was any."""
        if self._last.pop(subject, None) is not None:
            self._log.info("%s: %s", subject, line)


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: getattr(record, name) for name in _FIELDS if hasattr(record, name)}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class TextFormatter(logging.Formatter):
    """A line for people."""

    def __init__(self) -> None:
        super().__init__("{asctime} {levelname:<7} {message}", "%H:%M:%S", style="{")

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record, led by the resource it speaks of."""
        line = super().format(record)
        about = getattr(record, "modeldeployment", "")
        return line.replace(record.message, f"{about}: {record.message}", 1) if about else line


def start_logging(shape: Literal["json", "text"], level: str) -> None:
    """Send log lines to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if shape == "json" else TextFormatter())
    handler.addFilter(_drop_foreign_traceback)
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    logging.getLogger("kopf").setLevel(logging.WARNING)
    # It warns that signals are not its business in a thread, which is the point of the thread.
    logging.getLogger("kopf._core.reactor.running").setLevel(logging.ERROR)
    # It tells each retry of each request; our own watches say once that the API server is away.
    logging.getLogger("kopf._cogs.clients").setLevel(logging.CRITICAL)


def _drop_foreign_traceback(record: logging.LogRecord) -> bool:
    """Keep tracebacks to our own mistakes: of a framework's a line is enough."""
    if not record.name.startswith("regisseur"):
        record.exc_info = None
    return True
