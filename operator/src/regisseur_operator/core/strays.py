"""Pods that take requests and that nobody of ours counts.

A Service sends requests to whatever carries its labels. A ReplicaSet that outlived its Deployment
(somebody deleted it without its pods, or the garbage collector lags after an outage) goes on
serving an old version, and no rollout ever reaches its pods: they have to be shown.
"""

from collections.abc import Mapping, Sequence

from regisseur_operator.core.pods import PodFacts


def find_strays(
    pods: Sequence[PodFacts], owners: Mapping[str, str], deployment_uid: str | None
) -> tuple[str, ...]:
    """Return the names of ready pods that belong to no ReplicaSet of the live Deployment.

    Args:
        pods: All pods that the Service selects.
        owners: Uid of its controller by uid of a ReplicaSet.
        deployment_uid: The live Deployment; without one nothing is a stray, as whatever runs
            either goes with the old Deployment or is taken over by the next.
    """
    if deployment_uid is None:
        return ()
    return tuple(
        sorted(
            pod.name
            for pod in pods
            if pod.is_ready and pod.is_active and owners.get(pod.controller_uid) != deployment_uid
        )
    )
