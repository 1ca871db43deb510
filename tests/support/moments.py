"""A ModelDeployment and its pods at one moment, as somebody outside sees them."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from regisseur_contract.names import LABEL_MODELDEPLOYMENT, LABEL_REHEARSAL
from regisseur_devcluster.demo.kubectl import Kubectl
from regisseur_devcluster.demo.pods import Count, count_pods, parse_pod

Json = dict[str, Any]


@dataclass(frozen=True)
class Moment:
    """A ModelDeployment and what there is of it, as two reads a few milliseconds apart tell.

    Attributes:
        resource: The ModelDeployment.
        deployment: Its Deployment; empty when there is none.
        pods: Its serving pods.
        rehearsals: The pods that rehearse for it.
    """

    at: float
    resource: Json
    deployment: Json = field(default_factory=dict)
    pods: tuple[Json, ...] = ()
    rehearsals: tuple[Json, ...] = ()

    @property
    def status(self) -> Json:
        """What it says about itself."""
        return dict(self.resource.get("status", {}))

    @property
    def counts(self) -> Mapping[str, Count]:
        """Serving pods by version and state."""
        return count_pods({pod["metadata"]["uid"]: parse_pod(pod) for pod in self.pods})

    @property
    def lasting(self) -> dict[str, Count]:
        """The same without pods that were told to end."""
        return {
            version: Count(count.ready, count.starting)
            for version, count in self.counts.items()
            if count.ready or count.starting
        }

    def condition(self, kind: str) -> Json:
        """Return one of its conditions, or an empty one."""
        found = self.status.get("conditions", [])
        return next((dict(entry) for entry in found if entry["type"] == kind), {})

    def is_true(self, kind: str) -> bool:
        """Whether a condition is True."""
        return bool(self.condition(kind).get("status") == "True")

    def describe(self) -> str:
        """Return the moment in one line, without what changes by itself."""
        status = self.status
        stable, candidate = status.get("stable", {}), status.get("candidate", {})
        rehearsal = status.get("rehearsal", {})
        words = [
            str(status.get("phase")),
            f"stable v{stable.get('version')}",
            f"candidate v{candidate['version']} {candidate.get('phase')}" if candidate else "",
            f"rehearsal v{rehearsal['version']} {rehearsal.get('state')}" if rehearsal else "",
            *(self._word(kind) for kind in ("Ready", "Rehearsed", "Stalled", "Available")),
            f"rejected {[entry['version'] for entry in status.get('rejected', [])]}",
            f"pods {_shorten(self.counts)}",
            f"rehearsal pods {len(self.rehearsals)}" if self.rehearsals else "",
        ]
        return ", ".join(word for word in words if word)

    def _word(self, kind: str) -> str:
        found = self.condition(kind)
        return f"{kind}={found['status']}/{found['reason']}" if found else ""


def read_moment(kubectl: Kubectl, namespace: str, name: str) -> Moment:
    """Read a ModelDeployment first and its pods right after, by one call of kubectl."""
    at = time.time()
    found = kubectl.read("modeldeployments,deployments,pods", "-n", namespace)["items"]
    by_kind: dict[str, list[Json]] = {}
    for item in found:
        by_kind.setdefault(item["kind"], []).append(item)
    pods = by_kind.get("Pod", [])
    return Moment(
        at=at,
        resource=_named(by_kind.get("ModelDeployment", []), name),
        deployment=_named(by_kind.get("Deployment", []), name),
        pods=tuple(pod for pod in pods if _label(pod, LABEL_MODELDEPLOYMENT) == name),
        rehearsals=tuple(pod for pod in pods if _label(pod, LABEL_REHEARSAL) == name),
    )


def _named(found: list[Json], name: str) -> Json:
    return next((item for item in found if item["metadata"]["name"] == name), {})


def _label(item: Json, name: str) -> str:
    return str(item["metadata"].get("labels", {}).get(name, ""))


def _shorten(counts: Mapping[str, Count]) -> str:
    return " ".join(
        f"v{version}:{count.ready}+{count.starting}-{count.ending}"
        for version, count in counts.items()
    )
