"""The real operator in a thread of the test, which can be stopped, or killed at any moment."""

import asyncio
import gc
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from regisseur_operator.adapters.kubernetes_session import Connection, load_connection
from regisseur_operator.app import Operator
from regisseur_operator.ports import Clock, Cluster
from regisseur_operator.runtime.clock import SystemClock
from regisseur_operator.settings import OperatorSettings, RegistrySettings
from support.control_plane import refuse_foreign_cluster
from support.eventually import eventually

POLL_SECONDS = 0.5
START_SECONDS = 30.0
STOP_SECONDS = 20.0


def connect(kubeconfig: Path) -> Connection:
    """Return the way to an API server that the harness started."""
    refuse_foreign_cluster(kubeconfig)
    return load_connection(str(kubeconfig))


def build_settings(
    namespace: str,
    registry_url: str,
    *,
    identity: str = "operator-1",
    poll_seconds: float = POLL_SECONDS,
    lease: tuple[float, float, float] = (4.0, 3.0, 0.5),
    serving_image: str = "regisseur/serving:test",
    changes: Mapping[str, object] = MappingProxyType({}),
) -> OperatorSettings:
    """Return settings for a test: its own Lease, a quick poll, any free port; then the changes."""
    registry = RegistrySettings(
        url=registry_url, poll_interval_seconds=poll_seconds, timeout_seconds=5.0
    )
    settings = OperatorSettings(
        serving_image=serving_image,
        registries=(registry,),
        web_host="127.0.0.1",
        web_port=0,
        identity=identity,
        lease_namespace=namespace,
        lease_name="operator",
        lease_duration_seconds=lease[0],
        lease_renew_deadline_seconds=lease[1],
        lease_retry_seconds=lease[2],
    )
    return settings.model_copy(update=changes)


@contextmanager
def graveyard() -> Iterator[list["RunningOperator"]]:
    """Give a list for operators; at the end they are killed and what they left open is closed.

    The kernel does that for a dead process. Here the garbage collector does, with a warning for
    each connection: it may do so at the end only, not in the middle of a test.
    """
    operators: list[RunningOperator] = []
    gc.disable()
    try:
        yield operators
    finally:
        _bury(operators)
        gc.enable()


def _bury(operators: Iterable["RunningOperator"]) -> None:
    for operator in operators:
        operator.kill()
    eventually(
        lambda: not [thread for thread in threading.enumerate() if thread.name == "kopf"],
        deadline_seconds=STOP_SECONDS,
        describe="the threads of all operators have ended",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def _as_it_is(cluster: Cluster) -> Cluster:
    return cluster


class RunningOperator:
    """One operator process, as far as the world can tell.

    Args:
        settings: How it is configured.
        connection: The way to the API server.
        wrap_cluster: Puts something around what writes to the API server.
        clock: Wall time.
    """

    def __init__(
        self,
        settings: OperatorSettings,
        connection: Connection,
        *,
        wrap_cluster: Callable[[Cluster], Cluster] = _as_it_is,
        clock: Clock | None = None,
    ) -> None:
        self._settings = settings
        self._connection = connection
        self._wrap_cluster = wrap_cluster
        self._clock = clock or SystemClock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._task: asyncio.Task[None] | None = None
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._live, name=settings.identity)
        self.operator: Operator | None = None
        self.error: BaseException | None = None

    def start(self) -> "RunningOperator":
        """Start it without waiting for anything it does."""
        self._thread.start()
        assert self._started.wait(START_SECONDS)
        return self

    def stop(self) -> None:
        """End it as SIGTERM does."""
        if self._stop is not None:
            self._call(self._stop.set)
        self._join()

    def kill(self) -> None:
        """End it at once: what is on its way is lost, nothing is given back."""
        if self._task is not None:
            self._call(self._task.cancel)
        self._join()

    @property
    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self._thread.is_alive()

    @property
    def is_leader(self) -> bool:
        """Whether it acts."""
        return self.sample("regisseur_operator_leader") == 1.0

    def sample(self, name: str, **labels: str) -> float:
        """Return one of its metrics."""
        assert self.operator is not None
        return self.operator.metrics.registry.get_sample_value(name, labels) or 0.0

    def wait_until_leading(self) -> None:
        """Wait until it acts."""
        eventually(lambda: self.is_leader, deadline_seconds=START_SECONDS, describe="it leads")

    def _call(self, function: Callable[[], object]) -> None:
        if self._loop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(function)

    def _join(self) -> None:
        self._thread.join(STOP_SECONDS)
        assert not self._thread.is_alive(), f"{self._settings.identity} does not end"

    def _live(self) -> None:
        try:
            asyncio.run(self._run())
        except asyncio.CancelledError:
            return
        except BaseException as error:  # noqa: BLE001  # the test asks for it
            self.error = error

    async def _run(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._task = asyncio.current_task()
        self.operator = Operator(
            self._settings, self._connection, clock=self._clock, wrap_cluster=self._wrap_cluster
        )
        self._started.set()
        await self.operator.run(self._stop)
