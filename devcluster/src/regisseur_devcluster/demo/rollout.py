"""Watching one rollout to its end."""

import time
from collections.abc import Callable
from typing import Final

from regisseur_devcluster.demo.loadprocess import LoadProcess
from regisseur_devcluster.demo.picture import Frame
from regisseur_devcluster.demo.pods import Count, PodWatch, count_pods
from regisseur_devcluster.errors import DevclusterError

LOOK_SECONDS: Final = 0.25
LONGEST_SECONDS: Final = 300.0


def is_over(pods: dict[str, Count], version: str, replicas: int) -> bool:
    """Tell whether a version is served by as many pods as wanted and no other pod is left."""
    return pods == {version: Count(ready=replicas)}


def follow_rollout(
    watch: PodWatch,
    rehearsals: PodWatch,
    load: LoadProcess,
    *,
    version: str,
    replicas: int,
    promoted_at: float,
    show: Callable[[Frame], None],
) -> float:
    """Follow a rollout until only ready pods of a version are left; return its seconds.

    Args:
        watch: The pods that serve.
        rehearsals: Those that rehearse.
        load: The requests.
        version: The version that was promoted.
        replicas: How many pods it gets.
        promoted_at: When, in seconds since the epoch.
        show: Takes each moment.

    Raises:
        DevclusterError: It did not end in time, or the load broke off.
    """
    while (seconds := time.time() - promoted_at) < LONGEST_SECONDS:
        pods = count_pods(watch.pods)
        rehearsing = frozenset(pod.version for pod in rehearsals.pods.values())
        show(Frame(seconds, pods, load.so_far, rehearsing))
        if is_over(pods, version, replicas):
            return seconds
        if not load.is_running:
            load.stop()
            raise DevclusterError("the load ended before the rollout did")
        time.sleep(LOOK_SECONDS)
    raise DevclusterError(
        f"version {version} is not rolled out after {LONGEST_SECONDS:.0f} s; "
        "`kubectl describe mdep` says what holds it"
    )
