"""A Deployment controller and a kubelet in miniature: they run on a fake cluster, one step a tick.

They keep to maxSurge, maxUnavailable, observedGeneration and the progress deadline, which is all
that an operator above them can see.
"""

import copy
from dataclasses import dataclass, field
from datetime import datetime

from regisseur_contract.names import CONTAINER_FETCH, CONTAINER_SERVER, LABEL_MODEL_VERSION
from regisseur_operator.core.fingerprint import digest
from regisseur_operator.ports import Key, Manifest
from regisseur_operator.resources import DEPLOYMENT, POD
from support.fake_cluster import FakeCluster

HASH_LABEL = "pod-template-hash"
TIME = "%Y-%m-%dT%H:%M:%SZ"


@dataclass
class FakeWorkloads:
    """Makes pods of Deployments.

    Attributes:
        broken: Model versions whose server crashes, with its last words.
        unfetchable: Model versions whose files cannot be downloaded, with the last words.
        quota: What refuses new pods, empty while nothing does.
    """

    cluster: FakeCluster
    broken: dict[str, str] = field(default_factory=dict)
    unfetchable: dict[str, str] = field(default_factory=dict)
    quota: str = ""
    _pods_made: int = 0
    _moved_at: dict[str, datetime] = field(default_factory=dict)

    def tick(self, key: Key, now: datetime) -> bool:
        """Take one step; tell whether anything changed."""
        live = self.cluster.find(DEPLOYMENT, key)
        before = copy.deepcopy(self._state(key))
        if live is not None:
            self._step(key, live)
            self._report(key, live, now)
        return bool(before != self._state(key))

    def pods(self, key: Key) -> list[Manifest]:
        """Pods that exist, by name."""
        found = [
            manifest
            for (kind, namespace, _), manifest in sorted(self.cluster.objects.items())
            if (kind, namespace) == (POD.kind, key.namespace)
        ]
        return sorted(found, key=lambda pod: int(pod["metadata"]["name"].rpartition("-")[2]))

    def _state(self, key: Key) -> object:
        live = self.cluster.find(DEPLOYMENT, key) or {}
        return live.get("status"), [(p["metadata"], p["status"]) for p in self.pods(key)]

    # ---- the Deployment controller -------------------------------------------------------------

    def _step(self, key: Key, live: Manifest) -> None:
        spec = live["spec"]
        update = spec["strategy"]["rollingUpdate"]
        wanted = spec["replicas"]
        name = digest(spec["template"])
        pods = self.pods(key)
        new = [pod for pod in pods if pod["metadata"]["labels"][HASH_LABEL] == name]
        old = [pod for pod in pods if pod["metadata"]["labels"][HASH_LABEL] != name]
        self._run(new + old)
        room = wanted + update["maxSurge"] - len(new) - len(old)
        for _ in range(max(0, min(room, wanted - len(new)))):
            if not self.quota:
                self._make_pod(key, live, name)
        spare = sum(map(is_ready, new + old)) - (wanted - update["maxUnavailable"])
        for pod in sorted(old, key=is_ready):
            if not is_ready(pod) or spare > 0:
                spare -= is_ready(pod)
                self.cluster.remove(POD, key.namespace, pod["metadata"]["name"])
        for pod in sorted(new, key=is_ready)[: max(0, len(new) - wanted)]:
            self.cluster.remove(POD, key.namespace, pod["metadata"]["name"])

    def _make_pod(self, key: Key, live: Manifest, template: str) -> None:
        self._pods_made += 1
        labels = {**live["spec"]["template"]["metadata"]["labels"], HASH_LABEL: template}
        owner = {"kind": "Deployment", "uid": live["metadata"]["uid"], "controller": True}
        self.cluster.put(
            POD,
            {
                "kind": "Pod",
                "metadata": {
                    "name": f"{key.name}-{self._pods_made}",
                    "namespace": key.namespace,
                    "labels": labels,
                    "ownerReferences": [owner],
                },
                "status": {"phase": "Pending"},
            },
        )

    def _report(self, key: Key, live: Manifest, now: datetime) -> None:
        spec, wanted = live["spec"], live["spec"]["replicas"]
        name = digest(spec["template"])
        pods = self.pods(key)
        updated = [pod for pod in pods if pod["metadata"]["labels"][HASH_LABEL] == name]
        ready = [pod for pod in pods if is_ready(pod)]
        is_complete = len(updated) == len(pods) == len(ready) == wanted
        least = wanted - spec["strategy"]["rollingUpdate"]["maxUnavailable"]
        numbers = {
            "observedGeneration": live["metadata"]["generation"],
            "replicas": len(pods),
            "updatedReplicas": len(updated),
            "availableReplicas": len(ready),
        }
        conditions = [
            {"type": "Available", "status": str(len(ready) >= least)},
            self._judge_progress(live, numbers, now, is_complete=is_complete),
        ]
        if self.quota and len(updated) < wanted:
            refused = {"status": "True", "reason": "FailedCreate", "message": self.quota}
            conditions.append({"type": "ReplicaFailure", **refused})
        status = {**numbers, "conditions": conditions}
        if status != live.get("status"):
            self.cluster.put(DEPLOYMENT, {**live, "status": status})

    def _judge_progress(
        self, live: Manifest, numbers: Manifest, now: datetime, *, is_complete: bool
    ) -> Manifest:
        known = {entry["type"]: entry for entry in live.get("status", {}).get("conditions", ())}
        old = known.get("Progressing", {})
        if is_complete:
            if old.get("reason") == "NewReplicaSetAvailable":
                return dict(old)
            return {
                "type": "Progressing",
                "status": "True",
                "reason": "NewReplicaSetAvailable",
                "lastUpdateTime": now.strftime(TIME),
            }
        uid = live["metadata"]["uid"]
        before = {name: live.get("status", {}).get(name) for name in numbers}
        if before != numbers or uid not in self._moved_at:
            self._moved_at[uid] = now
        waited = (now - self._moved_at[uid]).total_seconds()
        if old.get("reason") == "NewReplicaSetAvailable" and before == numbers:
            return dict(old)
        if waited >= live["spec"]["progressDeadlineSeconds"]:
            return {
                "type": "Progressing",
                "status": "False",
                "reason": "ProgressDeadlineExceeded",
            }
        return {"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated"}

    # ---- the kubelet ---------------------------------------------------------------------------

    def _run(self, pods: list[Manifest]) -> None:
        for pod in pods:
            version = pod["metadata"]["labels"][LABEL_MODEL_VERSION]
            if version in self.unfetchable:
                words = self.unfetchable[version]
                status = _to_crashing("initContainerStatuses", CONTAINER_FETCH, words)
            elif version in self.broken:
                status = _to_crashing("containerStatuses", CONTAINER_SERVER, self.broken[version])
            else:
                status = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
            if pod["status"] != status:
                self.cluster.put(POD, {**pod, "status": status})


def is_ready(pod: Manifest) -> bool:
    """Whether the pod takes requests."""
    return {"type": "Ready", "status": "True"} in pod["status"].get("conditions", ())


def _to_crashing(statuses: str, container: str, message: str) -> Manifest:
    return {
        "phase": "Pending",
        "conditions": [{"type": "Ready", "status": "False"}],
        statuses: [
            {
                "name": container,
                "restartCount": 3,
                "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                "lastState": {"terminated": {"exitCode": 1, "message": message}},
            }
        ],
    }
