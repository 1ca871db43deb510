"""Caches never go back in time, whatever order news come in."""

from typing import Any

from regisseur_contract.names import LABEL_MODELDEPLOYMENT, LABEL_REHEARSAL
from regisseur_operator.ports import Key, Kind, Manifest
from regisseur_operator.resources import POD, REHEARSAL_PODS, REPLICA_SET, Watched
from regisseur_operator.runtime.caches import Caches, ObjectCache

WINE = Key("ml", "wine")
CUSTOM, SERVICE = Kind("apis/x/v1", "xs", "X"), Kind("api/v1", "services", "Service")


def build(version: int, *, uid: str = "u1", owner: str = "wine", **metadata: Any) -> Manifest:
    labels = {LABEL_MODELDEPLOYMENT: owner} if owner else {}
    return {
        "metadata": {
            "namespace": "ml",
            "name": "wine",
            "uid": uid,
            "resourceVersion": str(version),
            "labels": labels,
            **metadata,
        }
    }


def seen(cache: ObjectCache) -> str | None:
    found = cache.get(WINE)
    return None if found is None else str(found["metadata"]["resourceVersion"])


def test_older_news_are_no_news() -> None:
    cache = ObjectCache()

    assert cache.upsert(build(9))
    assert cache.upsert(build(10))
    assert not cache.upsert(build(10))
    assert not cache.upsert(build(9))

    assert seen(cache) == "10"


def test_versions_are_numbers_not_words() -> None:
    cache = ObjectCache()
    cache.upsert(build(9))

    assert cache.upsert(build(10))


def test_the_late_answer_to_a_write_does_not_bring_a_deleted_object_back() -> None:
    cache = ObjectCache()
    cache.upsert(build(5))
    cache.remove(build(7))

    assert not cache.upsert(build(6))
    assert seen(cache) is None


def test_an_object_that_comes_back_into_sight_is_seen_again() -> None:
    # Its label was taken away and put back: for a watch with a selector it was deleted.
    cache = ObjectCache()
    cache.upsert(build(5))
    cache.remove(build(7))

    assert cache.upsert(build(8))
    assert seen(cache) == "8"


def test_the_late_end_of_an_earlier_object_does_not_take_the_new_one_away() -> None:
    cache = ObjectCache()
    cache.upsert(build(8, uid="u2"))

    assert not cache.remove(build(7, uid="u1"))
    assert seen(cache) == "8"


def test_a_list_takes_away_what_is_not_in_it_but_not_what_is_newer() -> None:
    cache = ObjectCache()
    cache.upsert(build(5))
    newer = build(12, uid="u9") | {}
    newer["metadata"]["name"] = "beer"
    cache.upsert(newer)

    news = cache.replace([], version=10)

    assert [found["metadata"]["uid"] for found in news] == ["u1"]
    assert cache.get(Key("ml", "beer")) is not None
    assert not cache.upsert(build(9))


def test_a_list_tells_only_what_is_news() -> None:
    cache = ObjectCache()
    cache.upsert(build(5))

    assert cache.replace([build(5)], version=10) == []
    assert len(cache.replace([build(6)], version=11)) == 1


def test_children_are_found_by_the_label_of_their_owner() -> None:
    cache = ObjectCache()
    cache.upsert(build(5))
    cache.upsert(build(6, owner="other"))

    assert cache.of_owner(WINE) == []
    assert len(cache.of_owner(Key("ml", "other"))) == 1


def test_what_nobody_reads_is_not_kept() -> None:
    cache = ObjectCache()
    note = "kubectl.kubernetes.io/last-applied-configuration"

    cache.upsert(build(5, managedFields=[{}], annotations={note: "x", "a": "b"}))

    found = cache.get(WINE)
    assert found is not None
    assert "managedFields" not in found["metadata"]
    assert found["metadata"]["annotations"] == {"a": "b"}


def test_the_view_has_a_cache_for_each_kind() -> None:
    caches = Caches(CUSTOM, [Watched(SERVICE, LABEL_MODELDEPLOYMENT)])

    caches.record(CUSTOM, build(5, owner=""))
    caches.record(SERVICE, build(6))

    assert caches.modeldeployment(WINE) is not None
    assert len(caches.children(WINE, SERVICE)) == 1
    assert caches.children(Key("ml", "other"), SERVICE) == []


def test_rehearsal_pods_are_not_among_the_children() -> None:
    caches = Caches(CUSTOM, [Watched(POD, LABEL_MODELDEPLOYMENT), REHEARSAL_PODS])

    caches.record(POD, build(5, uid="u1", name="wine-7f9c-x2"))
    caches.record(POD, build(6, uid="u2", name="wine-r", labels={LABEL_REHEARSAL: "wine"}))

    assert [pod["metadata"]["uid"] for pod in caches.children(WINE, POD)] == ["u1"]
    assert [pod["metadata"]["uid"] for pod in caches.rehearsal_pods(WINE)] == ["u2"]
    assert caches.rehearsal_pods(Key("ml", "other")) == []


def test_a_pod_with_both_labels_is_seen_in_both_places() -> None:
    caches = Caches(CUSTOM, [Watched(POD, LABEL_MODELDEPLOYMENT), REHEARSAL_PODS])
    labels = {LABEL_MODELDEPLOYMENT: "wine", LABEL_REHEARSAL: "wine"}

    caches.record(POD, build(5, labels=labels))

    assert len(caches.children(WINE, POD)) == len(caches.rehearsal_pods(WINE)) == 1


def test_of_a_replica_set_only_the_head_is_kept() -> None:
    cache = ObjectCache()
    manifest = build(5, annotations={"a": "b"}, ownerReferences=[{"uid": "u0"}])

    cache.upsert({"apiVersion": "apps/v1", "kind": REPLICA_SET.kind, **manifest, "spec": {}})

    found = cache.get(WINE)
    assert found is not None
    assert "spec" not in found
    assert "annotations" not in found["metadata"]
    assert found["metadata"]["ownerReferences"] == [{"uid": "u0"}]
