"""A cluster in memory: the ports Cluster and ClusterView, with a plain server-side apply.

It adds defaults and rewrites quantities as an API server does, so that what compares live with
desired objects is put to the test; it refuses what an API server refuses. Faults can be set for
any write. What is stored is never changed in place, so that it can be shown without copying.
"""

import copy
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from regisseur_contract.names import FIELD_MANAGER, LABEL_MODELDEPLOYMENT, LABEL_REHEARSAL
from regisseur_operator.api.reasons import Reason
from regisseur_operator.errors import ConflictError, TerminalError, TransientError
from regisseur_operator.ports import Key, Kind, Manifest
from regisseur_operator.resources import CHILD_KINDS, DEPLOYMENT, MODELDEPLOYMENT, POD

Address = tuple[str, str, str]
Json = Any
Fault = Literal["lost", "crash before", "crash after"]

POD_DEFAULTS = {"restartPolicy": "Always", "dnsPolicy": "ClusterFirst"}
REWRITTEN_QUANTITIES = {"1000m": "1", "0.5": "500m", "1024Mi": "1Gi"}
MERGE_KEYS = ("uid", "mountPath", "topologyKey", "name")
FINISHED = frozenset({"Succeeded", "Failed"})
TIME = "%Y-%m-%dT%H:%M:%SZ"
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


class CrashError(Exception):
    """The operator died at this write."""


class FakeCluster:
    """Objects, their versions, and what happens to writes.

    Attributes:
        now: What its clock shows; the world sets it.
        writes: Titles of the operator's writes that succeeded.
        faults: What happens to the operator's next writes, one entry each.
        after_apply: What an admission webhook does to what is applied.
        pod_refusal: Why no pod can be created, empty while one can.
        is_collecting: Whether the garbage collector runs.
        changes: How often anything was stored or taken away.
        on_write: Who looks at the operator's writes, after each of them.
    """

    def __init__(self) -> None:
        self.objects: dict[Address, Manifest] = {}
        self.now = LONG_AGO
        self.writes: list[str] = []
        self.faults: list[Fault | None] = []
        self.after_apply: Callable[[Manifest], None] | None = None
        self.pod_refusal = ""
        self.is_collecting = True
        self.changes = 0
        self.on_write: Callable[[str, Manifest], None] | None = None
        self._applied: dict[Address, Manifest] = {}

    # ---- the port ----------------------------------------------------------------------------

    async def read(self, kind: Kind, namespace: str, name: str) -> Manifest | None:
        """Get the live object."""
        return self.objects.get((kind.kind, namespace, name))

    async def create(self, kind: Kind, manifest: Manifest) -> Manifest:
        """Create an object."""
        address = address_of(kind, manifest)

        def change() -> Manifest:
            if address in self.objects:
                raise ConflictError(f"{address} exists")
            if kind == POD and self.pod_refusal:
                raise TerminalError(Reason.FORBIDDEN, self.pod_refusal)
            self._applied[address] = manifest
            made = _default(copy.deepcopy(manifest))
            if kind == POD:
                made["status"] = {"phase": "Pending"}
            return self.put(kind, made)

        return self._write(f"create {kind.kind} {address[2]}", change)

    async def apply(self, kind: Kind, manifest: Manifest) -> Manifest:
        """Apply an object that must exist with the uid that the manifest names."""
        address = address_of(kind, manifest)

        def change() -> Manifest:
            live = self.objects.get(address)
            if live is None or live["metadata"]["uid"] != manifest["metadata"]["uid"]:
                raise ConflictError("uid mismatch")
            merged = _take_away(live, self._applied.get(address, {}), manifest)
            merged = _default(copy.deepcopy(_merge(merged, manifest)))
            if self.after_apply is not None:
                self.after_apply(merged)
            _validate(kind, live, merged)
            self._applied[address] = manifest
            return self.put(kind, merged)

        return self._write(f"apply {kind.kind} {address[2]}", change)

    async def write_status(self, manifest: Manifest) -> Manifest:
        """Replace the status of a ModelDeployment."""
        address = address_of(MODELDEPLOYMENT, manifest)

        def change() -> Manifest:
            live = self.objects.get(address)
            version = manifest["metadata"]["resourceVersion"]
            if live is None or live["metadata"]["resourceVersion"] != version:
                raise ConflictError("the object has been modified")
            return self.put(MODELDEPLOYMENT, {**live, "status": manifest["status"]})

        return self._write("status", change)

    async def delete(self, kind: Kind, namespace: str, name: str, uid: str) -> None:
        """Delete the object of this uid; a pod that runs is given its time to end."""
        address = (kind.kind, namespace, name)

        def change() -> Manifest:
            live = self.objects.get(address)
            if live is None:
                return {}
            if live["metadata"]["uid"] != uid:
                raise ConflictError("the UID in the precondition does not match")
            self.terminate(kind, namespace, name)
            return live

        self._write(f"delete {kind.kind} {name}", change)

    def _write(self, title: str, change: Callable[[], Manifest]) -> Manifest:
        fault = self.faults.pop(0) if self.faults else None
        if fault == "lost":
            raise TransientError("the API server is busy")
        if fault == "crash before":
            raise CrashError(title)
        answer = change()
        self.writes.append(title)
        if self.on_write is not None:
            self.on_write(title, answer)
        if fault == "crash after":
            raise CrashError(title)
        return answer

    # ---- what everybody else does --------------------------------------------------------------

    def put(self, kind: Kind, manifest: Manifest) -> Manifest:
        """Store an object with new versions, as any client's write does."""
        address = address_of(kind, manifest)
        old = self.objects.get(address)
        self.changes += 1
        metadata = {**manifest["metadata"], "resourceVersion": str(self.changes)}
        if old is None:
            metadata["uid"] = f"uid-{self.changes}"
            metadata["generation"] = 1
            metadata["creationTimestamp"] = self.now.strftime(TIME)
        else:
            is_changed = old.get("spec") != manifest.get("spec")
            metadata["uid"] = old["metadata"]["uid"]
            metadata["generation"] = old["metadata"]["generation"] + is_changed
        stored = {**manifest, "metadata": metadata}
        self.objects[address] = stored
        return stored

    def edit(self, kind: Kind, key: Key, change: Callable[[Manifest], None]) -> None:
        """Change an object if it is there."""
        live = self.objects.get((kind.kind, *key))
        if live is not None:
            edited = copy.deepcopy(live)
            change(edited)
            self.put(kind, edited)

    def terminate(self, kind: Kind, namespace: str, name: str) -> None:
        """Delete as a client does: a pod that runs stays until its kubelet has ended it."""
        live = self.objects.get((kind.kind, namespace, name))
        if live is None:
            return
        status = live.get("status") or {}
        is_bound = kind == POD and "startTime" in status and status.get("phase") not in FINISHED
        if not is_bound:
            self.remove(kind, namespace, name)
        elif "deletionTimestamp" not in live["metadata"]:
            ending = {**live["metadata"], "deletionTimestamp": self.now.strftime(TIME)}
            self.put(kind, {**live, "metadata": ending})

    def remove(self, kind: Kind, namespace: str, name: str) -> None:
        """Take an object away at once, and what it controls."""
        gone = self.objects.pop((kind.kind, namespace, name), None)
        self._applied.pop((kind.kind, namespace, name), None)
        if gone is not None:
            self.changes += 1
            self.collect()

    def collect(self) -> None:
        """Take away, one after the other, what has lost its last owner."""
        while self.is_collecting:
            living = {manifest["metadata"]["uid"] for manifest in self.objects.values()}
            orphans = [
                address
                for address, manifest in self.objects.items()
                for owners in [manifest["metadata"].get("ownerReferences")]
                if owners and not any(owner["uid"] in living for owner in owners)
            ]
            if not orphans:
                return
            self.changes += 1
            for address in orphans:
                self.objects.pop(address)
                self._applied.pop(address, None)

    def list(self, kind: Kind, namespace: str, label: str, value: str) -> list[Manifest]:
        """Return objects by a label, by name."""
        found = [
            manifest
            for (name, at, _), manifest in self.objects.items()
            if (name, at) == (kind.kind, namespace)
            and (manifest["metadata"].get("labels") or {}).get(label) == value
        ]
        return sorted(found, key=lambda manifest: str(manifest["metadata"]["name"]))

    def find(self, kind: Kind, key: Key) -> Manifest | None:
        """Return an object as it is."""
        return self.objects.get((kind.kind, *key))

    def get(self, kind: Kind, key: Key) -> Manifest:
        """Return an object that must be there."""
        return self.objects[(kind.kind, *key)]


class FakeView:
    """The informers' caches: what they saw at the last `sync`, and our own writes."""

    def __init__(self, cluster: FakeCluster) -> None:
        self._cluster = cluster
        self._seen: dict[Address, Manifest] = {}

    def sync(self, kinds: Collection[Kind] | None = None) -> None:
        """See all that happened, or only what happened to some kinds: each has its own watch."""
        if kinds is None:
            self._seen = dict(sorted(self._cluster.objects.items()))
            return
        names = {kind.kind for kind in kinds}
        kept = {address: seen for address, seen in self._seen.items() if address[0] not in names}
        new = {at: live for at, live in self._cluster.objects.items() if at[0] in names}
        self._seen = dict(sorted({**kept, **new}.items()))

    def modeldeployment(self, key: Key) -> Manifest | None:
        """The custom resource."""
        return self._seen.get((MODELDEPLOYMENT.kind, *key))

    def children(self, key: Key, kind: Kind) -> Sequence[Manifest]:
        """Objects with the label of the ModelDeployment."""
        assert kind in CHILD_KINDS
        return self._find(key, kind, LABEL_MODELDEPLOYMENT)

    def rehearsal_pods(self, key: Key) -> Sequence[Manifest]:
        """Pods with the label of a rehearsal of the ModelDeployment."""
        return self._find(key, POD, LABEL_REHEARSAL)

    def _find(self, key: Key, kind: Kind, label: str) -> list[Manifest]:
        return [
            seen
            for (name, namespace, _), seen in self._seen.items()
            if name == kind.kind
            and namespace == key.namespace
            and (seen["metadata"].get("labels") or {}).get(label) == key.name
        ]

    def record(self, kind: Kind, manifest: Manifest) -> None:
        """Take in the answer to our own write, unless something newer was seen."""
        address = address_of(kind, manifest)
        seen = self._seen.get(address)
        if seen is None or _version_of(seen) < _version_of(manifest):
            self._seen[address] = manifest


def _version_of(manifest: Manifest) -> int:
    return int(manifest["metadata"]["resourceVersion"])


def address_of(kind: Kind, manifest: Manifest) -> Address:
    """Return under what an object is kept."""
    metadata = manifest["metadata"]
    return kind.kind, metadata["namespace"], metadata["name"]


def _default(manifest: Manifest) -> Manifest:
    if manifest["kind"] == DEPLOYMENT.kind:
        if not manifest["spec"].get("minReadySeconds"):
            manifest["spec"].pop("minReadySeconds", None)
        _default_pod(manifest["spec"]["template"]["spec"])
    elif manifest["kind"] == POD.kind:
        _default_pod(manifest["spec"])
    elif manifest["kind"] == "Service":
        manifest["spec"].setdefault("clusterIP", "10.96.0.10")
        for port in manifest["spec"]["ports"]:
            port.setdefault("nodePort", 30000)
    manifest["metadata"].setdefault("managedFields", [{"manager": FIELD_MANAGER}])
    return manifest


def _default_pod(pod: Manifest) -> None:
    for name, value in POD_DEFAULTS.items():
        pod.setdefault(name, value)
    for container in (*pod["initContainers"], *pod["containers"]):
        container.setdefault("terminationMessagePath", "/dev/termination-log")
        for amounts in container["resources"].values():
            for name, text in amounts.items():
                amounts[name] = REWRITTEN_QUANTITIES.get(text, text)


IMMUTABLE = {
    "ControllerRevision": lambda manifest: manifest["data"],
    "Deployment": lambda manifest: manifest["spec"]["selector"],
    "Pod": lambda manifest: manifest["spec"],
}


def _validate(kind: Kind, live: Manifest, changed: Manifest) -> None:
    fixed = IMMUTABLE.get(kind.kind)
    if fixed is not None and fixed(live) != fixed(changed):
        raise TerminalError(Reason.INVALID_SPEC, f"{kind.kind}: field is immutable")
    strategy = (changed.get("spec") or {}).get("strategy") or {}
    if strategy.get("type") == "Recreate" and strategy.get("rollingUpdate"):
        text = "spec.strategy.rollingUpdate: may not be specified when strategy type is 'Recreate'"
        raise TerminalError(Reason.INVALID_SPEC, text)


def _merge(live: Json, desired: Json) -> Json:
    if isinstance(desired, dict) and isinstance(live, dict):
        merged = {name: _merge(live.get(name), value) for name, value in desired.items()}
        return {**live, **merged}
    key = _merge_key(desired)
    if key is not None and isinstance(live, list):
        found = {item[key]: item for item in live}
        named = {item[key]: _merge(found.get(item[key]), item) for item in desired}
        return [*named.values(), *(item for item in live if item[key] not in named)]
    return desired


def _take_away(live: Json, before: Json, after: Json) -> Json:
    """Remove what the applier said before and says no longer."""
    if isinstance(live, dict) and isinstance(before, dict) and isinstance(after, dict):
        return {
            name: _take_away(value, before.get(name), after[name]) if name in after else value
            for name, value in live.items()
            if name in after or name not in before
        }
    key = _merge_key(before)
    if key is not None and isinstance(live, list) and isinstance(after, list):
        said, says = ({item[key]: item for item in items} for items in (before, after))
        return [
            _take_away(item, said.get(item[key]), says[item[key]]) if item[key] in says else item
            for item in live
            if item[key] in says or item[key] not in said
        ]
    return live


def _merge_key(items: Json) -> str | None:
    if not isinstance(items, list) or not items:
        return None
    for key in MERGE_KEYS:
        if all(isinstance(item, dict) and key in item for item in items):
            return key
    return None
