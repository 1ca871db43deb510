"""A Deployment and a ReplicaSet controller in miniature; they run on a fake cluster, step by step.

They keep to maxSurge, maxUnavailable, minReadySeconds, Recreate, observedGeneration, owners and the
progress deadline: to all that an operator above them can see. Pods are run by `fake_kubelet`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from regisseur_contract.names import LABEL_MODELDEPLOYMENT
from regisseur_operator.core.fingerprint import digest
from regisseur_operator.ports import Key, Manifest
from regisseur_operator.resources import DEPLOYMENT, POD, REPLICA_SET
from support.fake_cluster import FINISHED, TIME, FakeCluster
from support.fake_kubelet import FakeKubelet
from support.fake_pod_status import is_available, is_ready, ready_since

HASH_LABEL = "pod-template-hash"


@dataclass
class FakeWorkloads:
    """Makes pods of Deployments.

    Attributes:
        asleep: For how many steps the controllers do nothing, as after an outage of theirs.
    """

    cluster: FakeCluster
    kubelet: FakeKubelet = field(init=False)
    asleep: int = 0
    _pods_made: int = 0
    _moved_at: dict[str, datetime] = field(default_factory=dict)
    _completed: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.kubelet = FakeKubelet(self.cluster)

    def tick(self, key: Key, now: datetime) -> None:
        """Take one step."""
        self.cluster.collect()
        self.kubelet.run(now)
        if self.asleep > 0:
            self.asleep -= 1
            return
        live = self.cluster.find(DEPLOYMENT, key)
        if live is not None and "deletionTimestamp" not in live["metadata"]:
            self._sync(key, live, now)
        for owner in self._replica_sets(key):
            self._fill(key, owner)
        live = self.cluster.find(DEPLOYMENT, key)
        if live is not None:
            self._report(key, live, now)

    def next_due(self, key: Key, now: datetime) -> float | None:
        """Return the seconds until something happens by itself."""
        live = self.cluster.find(DEPLOYMENT, key)
        dues = [] if live is None else self._dues(key, live, now)
        left = [seconds for seconds in dues if seconds > 0]
        pods = self.kubelet.next_due(now)
        return min([*left, pods] if pods is not None else left, default=None)

    def pods(self, key: Key) -> list[Manifest]:
        """Serving pods that are not on their way out, oldest first."""
        found = self.cluster.list(POD, key.namespace, LABEL_MODELDEPLOYMENT, key.name)
        living = [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]
        return sorted(living, key=lambda pod: int(pod["metadata"]["name"].rpartition("-")[2]))

    # ---- the Deployment controller -------------------------------------------------------------

    def _sync(self, key: Key, live: Manifest, now: datetime) -> None:
        name = digest(live["spec"]["template"])
        owned = [owner for owner in self._replica_sets(key) if self._adopt(live, owner)]
        if not any(owner["metadata"]["labels"][HASH_LABEL] == name for owner in owned):
            owned.append(self._make_replica_set(key, live, name))
        new = next(o for o in owned if o["metadata"]["labels"][HASH_LABEL] == name)
        old = [owner for owner in owned if owner is not new]
        if live["spec"].get("paused"):
            return
        if live["spec"]["strategy"]["type"] == "Recreate":
            self._recreate(live, new, old)
        else:
            self._roll(live, new, old, now)
        self._clean_up(live, old)

    def _adopt(self, live: Manifest, owner: Manifest) -> bool:
        """Take over a ReplicaSet without owner, as the real controller does by its labels."""
        owners = owner["metadata"].get("ownerReferences") or ()
        if not owners:
            self._own(live, owner)
        return not owners or owners[0]["uid"] == live["metadata"]["uid"]

    def _own(self, live: Manifest, owner: Manifest) -> None:
        metadata = {**owner["metadata"], "ownerReferences": [_to_owner("Deployment", live)]}
        self.cluster.put(REPLICA_SET, {**owner, "metadata": metadata})

    def _make_replica_set(self, key: Key, live: Manifest, name: str) -> Manifest:
        template = live["spec"]["template"]
        taken = self.cluster.find(REPLICA_SET, Key(key.namespace, f"{key.name}-{name}"))
        suffix = f"-{live['metadata']['uid']}" if taken is not None else ""
        return self.cluster.put(
            REPLICA_SET,
            {
                "kind": "ReplicaSet",
                "metadata": {
                    "name": f"{key.name}-{name}{suffix}",
                    "namespace": key.namespace,
                    "labels": {**template["metadata"]["labels"], HASH_LABEL: name},
                    "ownerReferences": [_to_owner("Deployment", live)],
                },
                "spec": {"replicas": 0, "template": template},
            },
        )

    def _roll(self, live: Manifest, new: Manifest, old: list[Manifest], now: datetime) -> None:
        wanted, least = live["spec"]["replicas"], _least(live)
        before = _asked(new)
        room = wanted + _surge(live) - sum(_asked(owner) for owner in (new, *old))
        self._ask(new, wanted if before > wanted else min(wanted, before + max(room, 0)))
        if _asked(self._again(new)) > before:
            return
        available = {_uid(owner): self._count_available(owner, live, now) for owner in (new, *old)}
        asked = {_uid(owner): _asked(self._again(owner)) for owner in (new, *old)}
        spare = sum(asked.values()) - least - (asked[_uid(new)] - available[_uid(new)])
        for owner in old:
            unhealthy = max(0, min(spare, asked[_uid(owner)] - available[_uid(owner)]))
            asked[_uid(owner)] -= unhealthy
            spare -= unhealthy
        free = min(spare, sum(available.values()) - least)
        for owner in old:
            fewer = max(0, min(free, asked[_uid(owner)]))
            free -= fewer
            self._ask(owner, asked[_uid(owner)] - fewer)

    def _recreate(self, live: Manifest, new: Manifest, old: list[Manifest]) -> None:
        for owner in old:
            self._ask(owner, 0)
        if not any(self._pods_of(owner, with_ending=True) for owner in old):
            self._ask(new, live["spec"]["replicas"])

    def _clean_up(self, live: Manifest, old: list[Manifest]) -> None:
        empty = [o for o in map(self._again, old) if not _asked(o) and not self._pods_of(o)]
        limit = live["spec"].get("revisionHistoryLimit", 10)
        empty.sort(key=lambda owner: int(owner["metadata"]["resourceVersion"]))
        for owner in empty[: max(0, len(empty) - limit)]:
            metadata = owner["metadata"]
            self.cluster.remove(REPLICA_SET, metadata["namespace"], metadata["name"])

    def _ask(self, owner: Manifest, replicas: int) -> None:
        live = self._again(owner)
        if _asked(live) != replicas:
            spec = {**live["spec"], "replicas": replicas}
            self.cluster.put(REPLICA_SET, {**live, "spec": spec})

    def _again(self, owner: Manifest) -> Manifest:
        metadata = owner["metadata"]
        return self.cluster.get(REPLICA_SET, Key(metadata["namespace"], metadata["name"]))

    # ---- the ReplicaSet controller -------------------------------------------------------------

    def _replica_sets(self, key: Key) -> list[Manifest]:
        return self.cluster.list(REPLICA_SET, key.namespace, LABEL_MODELDEPLOYMENT, key.name)

    def _pods_of(self, owner: Manifest, *, with_ending: bool = False) -> list[Manifest]:
        uid = owner["metadata"]["uid"]
        return [
            pod
            for (kind, _, _), pod in self.cluster.objects.items()
            if kind == POD.kind
            and pod["metadata"]["ownerReferences"][0]["uid"] == uid
            and pod["status"]["phase"] not in FINISHED
            and (with_ending or "deletionTimestamp" not in pod["metadata"])
        ]

    def _count_available(self, owner: Manifest, live: Manifest, now: datetime) -> int:
        seconds = live["spec"].get("minReadySeconds", 0)
        return sum(is_available(pod, seconds, now) for pod in self._pods_of(owner))

    def _fill(self, key: Key, owner: Manifest) -> None:
        pods = sorted(self._pods_of(owner), key=is_ready)
        for pod in pods[: max(0, len(pods) - _asked(owner))]:
            self.cluster.terminate(POD, key.namespace, pod["metadata"]["name"])
        for _ in range(_asked(owner) - len(pods)):
            if not self.cluster.pod_refusal:
                self._make_pod(key, owner)

    def _make_pod(self, key: Key, owner: Manifest) -> None:
        self._pods_made += 1
        template = owner["spec"]["template"]
        self.cluster.put(
            POD,
            {
                "kind": "Pod",
                "metadata": {
                    "name": f"{key.name}-{self._pods_made}",
                    "namespace": key.namespace,
                    "labels": owner["metadata"]["labels"],
                    "annotations": template["metadata"].get("annotations", {}),
                    "ownerReferences": [_to_owner("ReplicaSet", owner)],
                },
                "spec": template["spec"],
                "status": {"phase": "Pending"},
            },
        )

    # ---- what it says --------------------------------------------------------------------------

    def _report(self, key: Key, live: Manifest, now: datetime) -> None:
        spec, wanted = live["spec"], live["spec"]["replicas"]
        name, uid = digest(spec["template"]), live["metadata"]["uid"]
        owned = [
            owner
            for owner in self._replica_sets(key)
            if owner["metadata"].get("ownerReferences", [{"uid": ""}])[0]["uid"] == uid
        ]
        pods = [pod for owner in owned for pod in self._pods_of(owner)]
        updated = [pod for pod in pods if pod["metadata"]["labels"][HASH_LABEL] == name]
        seconds = spec.get("minReadySeconds", 0)
        available = sum(is_available(pod, seconds, now) for pod in pods)
        numbers = {
            "observedGeneration": live["metadata"]["generation"],
            "replicas": len(pods),
            "updatedReplicas": len(updated),
            "readyReplicas": sum(map(is_ready, pods)),
            "availableReplicas": available,
        }
        is_complete = len(updated) == len(pods) == available == wanted
        conditions = [
            {"type": "Available", "status": str(available >= _least(live))},
            self._judge_progress(live, name, numbers, now, is_complete=is_complete),
        ]
        asked = sum(map(_asked, owned))
        if self.cluster.pod_refusal and len(pods) < asked:
            refused = {"status": "True", "reason": "FailedCreate"}
            message = self.cluster.pod_refusal
            conditions.append({"type": "ReplicaFailure", **refused, "message": message})
        status = {**numbers, "conditions": conditions}
        if status != live.get("status"):
            self.cluster.put(DEPLOYMENT, {**live, "status": status})

    def _judge_progress(
        self, live: Manifest, name: str, numbers: Manifest, now: datetime, *, is_complete: bool
    ) -> Manifest:
        uid, status = live["metadata"]["uid"], live.get("status", {})
        known = {entry["type"]: entry for entry in status.get("conditions", ())}
        old = known.get("Progressing", {})
        if self._completed.get(uid) == name and old.get("reason") == "NewReplicaSetAvailable":
            return dict(old)
        if is_complete:
            self._completed[uid] = name
            return {
                "type": "Progressing",
                "status": "True",
                "reason": "NewReplicaSetAvailable",
                "lastUpdateTime": now.strftime(TIME),
            }
        self._completed.pop(uid, None)
        before = {number: status.get(number) for number in numbers}
        if before != numbers or uid not in self._moved_at:
            self._moved_at[uid] = now
        if now >= self._deadline(live):
            late = {"status": "False", "reason": "ProgressDeadlineExceeded"}
            return {"type": "Progressing", **late}
        return {"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated"}

    def _deadline(self, live: Manifest) -> datetime:
        seconds = live["spec"].get("progressDeadlineSeconds", 600)
        return self._moved_at[live["metadata"]["uid"]] + timedelta(seconds=seconds)

    def _dues(self, key: Key, live: Manifest, now: datetime) -> list[float]:
        uid, seconds = live["metadata"]["uid"], live["spec"].get("minReadySeconds", 0)
        since = [ready_since(pod["status"]) for pod in self.pods(key)]
        dues = [(at - now).total_seconds() + seconds for at in since if at is not None]
        if uid in self._moved_at and uid not in self._completed:
            dues.append((self._deadline(live) - now).total_seconds())
        return dues


def _to_owner(kind: str, owner: Manifest) -> Manifest:
    metadata = owner["metadata"]
    return {"kind": kind, "name": metadata["name"], "uid": metadata["uid"], "controller": True}


def _uid(owner: Manifest) -> str:
    return str(owner["metadata"]["uid"])


def _asked(owner: Manifest) -> int:
    return int(owner["spec"]["replicas"])


def _least(live: Manifest) -> int:
    spec = live["spec"]
    update = spec["strategy"].get("rollingUpdate")
    wanted = int(spec["replicas"])
    if update is None:
        return wanted
    return wanted - _amount(update["maxUnavailable"], wanted, math.floor)


def _surge(live: Manifest) -> int:
    update = live["spec"]["strategy"]["rollingUpdate"]
    return _amount(update["maxSurge"], live["spec"]["replicas"], math.ceil)


def _amount(text: int | str, wanted: int, rounded: Callable[[float], int]) -> int:
    if isinstance(text, int):
        return text
    return rounded(int(text.removesuffix("%")) * wanted / 100)
