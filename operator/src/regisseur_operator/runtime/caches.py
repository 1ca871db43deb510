"""What was last seen of every object, moving forward only.

A watch event older than our own write must not bring the old object back, and the late answer to
a write must not bring back an object that is deleted: resourceVersions are compared as integers,
and those at which objects went away are remembered for a while.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from regisseur_contract.names import LABEL_MODELDEPLOYMENT
from regisseur_operator.ports import Key, Kind, Manifest
from regisseur_operator.resources import REHEARSAL_PODS, REPLICA_SET, Watched

TOMBSTONES: Final = 10_000
"""How many deleted uids are remembered: far more than writes can be in flight."""

_NOISE: Final = "kubectl.kubernetes.io/last-applied-configuration"


def key_of(manifest: Manifest) -> Key:
    """Return namespace and name of an object."""
    metadata = manifest["metadata"]
    return Key(metadata["namespace"], metadata["name"])


def version_of(manifest: Manifest) -> int:
    """Return the resourceVersion, which the API server promises to be comparable."""
    return int(manifest["metadata"]["resourceVersion"])


class ObjectCache:
    """The objects of one kind.

    Args:
        label: What names the ModelDeployment that an object belongs to.
    """

    def __init__(self, label: str = LABEL_MODELDEPLOYMENT) -> None:
        self._label = label
        self._objects: dict[Key, Manifest] = {}
        self._by_owner: defaultdict[Key, set[Key]] = defaultdict(set)
        self._gone: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._objects)

    def __iter__(self) -> Iterator[Manifest]:
        return iter(self._objects.values())

    def get(self, key: Key) -> Manifest | None:
        """Return an object, or None when it is not there."""
        return self._objects.get(key)

    def owner_of(self, manifest: Manifest) -> Key | None:
        """Return the key of the ModelDeployment that an object belongs to by its label."""
        metadata = manifest["metadata"]
        name = (metadata.get("labels") or {}).get(self._label)
        return Key(metadata["namespace"], name) if name else None

    def of_owner(self, owner: Key) -> list[Manifest]:
        """Return the objects with the label of a ModelDeployment, by name."""
        return [self._objects[key] for key in sorted(self._by_owner.get(owner, ()))]

    def upsert(self, manifest: Manifest) -> bool:
        """Take in what was seen; return whether it is news."""
        key, version = key_of(manifest), version_of(manifest)
        known = self._objects.get(key)
        if known is not None and version_of(known) >= version:
            return False
        if self._gone.get(manifest["metadata"]["uid"], 0) >= version:
            return False
        self._unlink(key)
        self._objects[key] = slim(manifest)
        if owner := self.owner_of(manifest):
            self._by_owner[owner].add(key)
        return True

    def remove(self, manifest: Manifest, version: int | None = None) -> bool:
        """Take in that an object is gone, or out of a watch's sight; return whether it is news.

        Args:
            manifest: The object as it was last.
            version: When it went; by default the version that the object carries.
        """
        key, uid = key_of(manifest), manifest["metadata"]["uid"]
        self._bury(uid, version or version_of(manifest))
        known = self._objects.get(key)
        if known is None or known["metadata"]["uid"] != uid:
            return False
        self._unlink(key)
        del self._objects[key]
        return True

    def replace(
        self, items: Iterable[Manifest], version: int, namespace: str | None = None
    ) -> list[Manifest]:
        """Take in a whole list, of one namespace or all; return what is new and what has vanished.

        What is newer than the list, such as the answer to our own write, is kept.
        """
        seen = {key_of(item): item for item in items}
        news = [item for item in seen.values() if self.upsert(item)]
        vanished = [
            known
            for key, known in self._objects.items()
            if key not in seen
            and namespace in {None, key.namespace}
            and version_of(known) <= version
        ]
        return news + [gone for gone in vanished if self.remove(gone, version)]

    def _unlink(self, key: Key) -> None:
        known = self._objects.get(key)
        if known is None or (owner := self.owner_of(known)) is None:
            return
        self._by_owner[owner].discard(key)
        if not self._by_owner[owner]:
            del self._by_owner[owner]

    def _bury(self, uid: str, version: int) -> None:
        self._gone.pop(uid, None)
        self._gone[uid] = version
        if len(self._gone) > TOMBSTONES:
            del self._gone[next(iter(self._gone))]


class Caches:
    """The port `ClusterView`: one cache for ModelDeployments and for each thing watched."""

    def __init__(self, modeldeployment: Kind, watched: Iterable[Watched]) -> None:
        self._modeldeployment = modeldeployment
        self.modeldeployments = ObjectCache()
        self.of_watched: Mapping[Watched, ObjectCache] = {
            watch: ObjectCache(watch.label) for watch in watched
        }

    def modeldeployment(self, key: Key) -> Manifest | None:
        """Return the custom resource."""
        return self.modeldeployments.get(key)

    def children(self, key: Key, kind: Kind) -> Sequence[Manifest]:
        """Return the objects of a kind that carry the ModelDeployment's label."""
        return self.of_watched[Watched(kind, LABEL_MODELDEPLOYMENT)].of_owner(key)

    def rehearsal_pods(self, key: Key) -> Sequence[Manifest]:
        """Return the pods that carry the ModelDeployment's rehearsal label."""
        return self.of_watched[REHEARSAL_PODS].of_owner(key)

    def record(self, kind: Kind, manifest: Manifest) -> None:
        """Take in the answer to our own write, unless something newer was seen already."""
        if kind == self._modeldeployment:
            self.modeldeployments.upsert(manifest)
        for watch, cache in self.of_watched.items():
            if watch.kind == kind and cache.owner_of(manifest) is not None:
                cache.upsert(manifest)


def slim(manifest: Manifest) -> Manifest:
    """Return an object without what nobody here reads and what makes up half of its size."""
    if manifest.get("kind") == REPLICA_SET.kind:
        return _outline(manifest)
    metadata = {k: v for k, v in manifest["metadata"].items() if k != "managedFields"}
    if _NOISE in metadata.get("annotations", {}):
        metadata["annotations"] = {k: v for k, v in metadata["annotations"].items() if k != _NOISE}
    return {**manifest, "metadata": metadata}


def _outline(manifest: Manifest) -> Manifest:
    """Keep the head alone: there are many ReplicaSets, and they are asked for their owner only."""
    unread = ("managedFields", "annotations")
    metadata = {k: v for k, v in manifest["metadata"].items() if k not in unread}
    return {"apiVersion": manifest["apiVersion"], "kind": manifest["kind"], "metadata": metadata}
