"""A cluster in memory: the ports Cluster and ClusterView, with a plain server-side apply.

It adds defaults and rewrites quantities as an API server does, so that what compares live with
desired objects is put to the test. Faults can be set for any write.
"""

import copy
from collections.abc import Callable, Sequence
from typing import Any, Literal

from regisseur_contract.names import FIELD_MANAGER, LABEL_MODELDEPLOYMENT
from regisseur_operator.errors import ConflictError, TransientError
from regisseur_operator.ports import Key, Kind, Manifest
from regisseur_operator.resources import CHILD_KINDS, DEPLOYMENT, MODELDEPLOYMENT

Address = tuple[str, str, str]
Json = Any
Fault = Literal["lost", "crash before", "crash after"]

POD_DEFAULTS = {"restartPolicy": "Always", "dnsPolicy": "ClusterFirst"}
REWRITTEN_QUANTITIES = {"1000m": "1", "0.5": "500m", "1024Mi": "1Gi"}
MERGE_KEYS = ("uid", "mountPath", "topologyKey", "name")


class CrashError(Exception):
    """The operator died at this write."""


class FakeCluster:
    """Objects, their versions, and what happens to writes."""

    def __init__(self) -> None:
        self.objects: dict[Address, Manifest] = {}
        self.writes: list[str] = []
        self.faults: list[Fault | None] = []
        self.after_apply: Callable[[Manifest], None] | None = None
        self._applied: dict[Address, Manifest] = {}
        self._count = 0

    # ---- the port ----------------------------------------------------------------------------

    async def read(self, kind: Kind, namespace: str, name: str) -> Manifest | None:
        """Get the live object."""
        return copy.deepcopy(self.objects.get((kind.kind, namespace, name)))

    async def create(self, kind: Kind, manifest: Manifest) -> Manifest:
        """Create an object."""
        address = address_of(kind, manifest)

        def change() -> Manifest:
            if address in self.objects:
                raise ConflictError(f"{address} exists")
            self._applied[address] = copy.deepcopy(manifest)
            return self.put(kind, _default(copy.deepcopy(manifest)))

        return self._write(f"create {kind.kind} {address[2]}", change)

    async def apply(self, kind: Kind, manifest: Manifest) -> Manifest:
        """Apply an object that must exist with the uid that the manifest names."""
        address = address_of(kind, manifest)

        def change() -> Manifest:
            live = self.objects.get(address)
            if live is None or live["metadata"]["uid"] != manifest["metadata"]["uid"]:
                raise ConflictError("uid mismatch")
            merged = _take_away(live, self._applied.get(address, {}), manifest)
            merged = _default(_merge(merged, manifest))
            if self.after_apply is not None:
                self.after_apply(merged)
            self._applied[address] = copy.deepcopy(manifest)
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
            return self.put(MODELDEPLOYMENT, {**live, "status": copy.deepcopy(manifest["status"])})

        return self._write("status", change)

    def _write(self, title: str, change: Callable[[], Manifest]) -> Manifest:
        fault = self.faults.pop(0) if self.faults else None
        if fault == "lost":
            raise TransientError("the API server is busy")
        if fault == "crash before":
            raise CrashError(title)
        answer = change()
        self.writes.append(title)
        if fault == "crash after":
            raise CrashError(title)
        return copy.deepcopy(answer)

    # ---- what everybody else does --------------------------------------------------------------

    def put(self, kind: Kind, manifest: Manifest) -> Manifest:
        """Store an object with new versions, as any client's write does."""
        address = address_of(kind, manifest)
        old = self.objects.get(address)
        self._count += 1
        metadata = manifest["metadata"]
        metadata["resourceVersion"] = str(self._count)
        if old is None:
            metadata["uid"] = f"uid-{self._count}"
            metadata["generation"] = 1
        else:
            metadata["uid"] = old["metadata"]["uid"]
            is_changed = old.get("spec") != manifest.get("spec")
            metadata["generation"] = old["metadata"]["generation"] + is_changed
        self.objects[address] = copy.deepcopy(manifest)
        return self.objects[address]

    def edit(self, kind: Kind, key: Key, change: Callable[[Manifest], None]) -> None:
        """Change an object if it is there."""
        live = self.objects.get((kind.kind, *key))
        if live is not None:
            edited = copy.deepcopy(live)
            change(edited)
            self.put(kind, edited)

    def remove(self, kind: Kind, namespace: str, name: str) -> None:
        """Delete an object and what it controls."""
        gone = self.objects.pop((kind.kind, namespace, name), None)
        self._applied.pop((kind.kind, namespace, name), None)
        if gone is None:
            return
        uid = gone["metadata"]["uid"]
        for address, manifest in list(self.objects.items()):
            owners = manifest["metadata"].get("ownerReferences") or ()
            if any(owner["uid"] == uid for owner in owners):
                self.objects.pop(address, None)

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

    def sync(self) -> None:
        """See all that happened."""
        self._seen = copy.deepcopy(self._cluster.objects)

    def modeldeployment(self, key: Key) -> Manifest | None:
        """The custom resource."""
        return copy.deepcopy(self._seen.get((MODELDEPLOYMENT.kind, *key)))

    def children(self, key: Key, kind: Kind) -> Sequence[Manifest]:
        """Objects with the label of the ModelDeployment."""
        assert kind in CHILD_KINDS
        return [
            copy.deepcopy(manifest)
            for (name, namespace, _), manifest in sorted(self._seen.items())
            if (name, namespace) == (kind.kind, key.namespace)
            and (manifest["metadata"].get("labels") or {}).get(LABEL_MODELDEPLOYMENT) == key.name
        ]

    def record(self, kind: Kind, manifest: Manifest) -> None:
        """Take in the answer to our own write."""
        self._seen[address_of(kind, manifest)] = copy.deepcopy(manifest)


def address_of(kind: Kind, manifest: Manifest) -> Address:
    """Return under what an object is kept."""
    metadata = manifest["metadata"]
    return kind.kind, metadata["namespace"], metadata["name"]


def _default(manifest: Manifest) -> Manifest:
    if manifest["kind"] == DEPLOYMENT.kind:
        if not manifest["spec"].get("minReadySeconds"):
            manifest["spec"].pop("minReadySeconds", None)
        pod = manifest["spec"]["template"]["spec"]
        for name, value in POD_DEFAULTS.items():
            pod.setdefault(name, value)
        for container in (*pod["initContainers"], *pod["containers"]):
            container.setdefault("terminationMessagePath", "/dev/termination-log")
            for amounts in container["resources"].values():
                for name, text in amounts.items():
                    amounts[name] = REWRITTEN_QUANTITIES.get(text, text)
    elif manifest["kind"] == "Service":
        manifest["spec"].setdefault("clusterIP", "10.96.0.10")
        for port in manifest["spec"]["ports"]:
            port.setdefault("nodePort", 30000)
    manifest["metadata"].setdefault("managedFields", [{"manager": FIELD_MANAGER}])
    return manifest


def _merge(live: Json, desired: Json) -> Json:
    if isinstance(desired, dict) and isinstance(live, dict):
        merged = {name: _merge(live.get(name), value) for name, value in desired.items()}
        return {**live, **merged}
    key = _merge_key(desired)
    if key is not None and isinstance(live, list):
        found = {item[key]: item for item in live}
        named = {item[key]: _merge(found.get(item[key]), item) for item in desired}
        return [*named.values(), *(item for item in live if item[key] not in named)]
    return copy.deepcopy(desired)


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
