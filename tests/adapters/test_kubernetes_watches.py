"""Lists and watches on a real API server."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from regisseur_contract.names import LABEL_MODELDEPLOYMENT
from regisseur_devcluster.controlplane import ControlPlane
from regisseur_operator.adapters.kubernetes_api import KubernetesApi
from regisseur_operator.adapters.kubernetes_errors import GoneError
from regisseur_operator.adapters.kubernetes_watching import Change, KubernetesWatching
from regisseur_operator.errors import OperatorError, UnreachableError
from regisseur_operator.ports import Key
from regisseur_operator.resources import SERVICE
from regisseur_operator.runtime.caches import ObjectCache
from regisseur_operator.runtime.informer import Informer
from support.eventually import eventually_async
from support.hostile_server import build_answer, connect_to, say, serve, stay_silent
from support.kube_client import Json, KubeClient
from support.running_operator import connect


@pytest_asyncio.fixture
async def watching(control_plane: ControlPlane) -> AsyncIterator[KubernetesWatching]:
    async with KubernetesApi(connect(control_plane.kubeconfig)) as api:
        yield KubernetesWatching(api, SERVICE, selector=LABEL_MODELDEPLOYMENT)


@pytest.fixture
def kube(control_plane: ControlPlane, namespace: str) -> KubeClient:
    return KubeClient(control_plane, namespace)


def build_service(name: str, *, owner: str = "wine", note: str = "") -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": name,
            "labels": {LABEL_MODELDEPLOYMENT: owner} if owner else {},
            "annotations": {"note": note},
        },
        "spec": {"ports": [{"port": 80}]},
    }


def own(items: object, kube: KubeClient) -> list[str]:
    """Return the names of the objects that are in the test's namespace."""
    assert isinstance(items, tuple | list)
    return sorted(
        item["metadata"]["name"]
        for item in items
        if item["metadata"]["namespace"] == kube.namespace
    )


@pytest.mark.parametrize("is_exact", [True, False])
async def test_a_list_has_what_is_labelled_and_says_what_it_is(
    watching: KubernetesWatching, kube: KubeClient, is_exact: bool
) -> None:
    kube.create("services", build_service("one"))
    kube.create("services", build_service("unlabelled", owner=""))

    async def find() -> bool:
        listing = await watching.list(is_exact=is_exact)
        assert {(i["apiVersion"], i["kind"]) for i in listing.items} <= {("v1", "Service")}
        return own(listing.items, kube) == ["one"]

    await eventually_async(find, deadline_seconds=5)  # the server's cache may be a moment late


async def test_a_long_list_comes_in_pages(
    watching: KubernetesWatching, kube: KubeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("regisseur_operator.adapters.kubernetes_watching.PAGE", 2)
    names = [f"wine-{number}" for number in range(5)]
    for name in names:
        kube.create("services", build_service(name))

    assert own((await watching.list(is_exact=True)).items, kube) == names


async def test_a_watch_tells_what_happened_since(
    watching: KubernetesWatching, kube: KubeClient
) -> None:
    since = (await watching.list(is_exact=True)).version
    kube.create("services", build_service("one"))
    kube.patch("services", "one", {"metadata": {"annotations": {"note": "x" * 200_000}}})
    kube.patch("services", "one", {"metadata": {"labels": {LABEL_MODELDEPLOYMENT: None}}})
    kube.patch("services", "one", {"metadata": {"labels": {LABEL_MODELDEPLOYMENT: "wine"}}})
    kube.delete("services", "one")

    changes = [change.type for change in await _take(watching, since, 5, kube)]

    # Out of sight is deleted, back in sight is added.
    assert changes == ["ADDED", "MODIFIED", "DELETED", "ADDED", "DELETED"]


async def _take(
    watching: KubernetesWatching, since: int, count: int, kube: KubeClient
) -> list[Change]:
    changes: list[Change] = []
    stream = watching.watch(since)
    async with asyncio.timeout(10):
        async for change in stream:
            if change.manifest["metadata"].get("namespace") == kube.namespace:
                changes.append(change)
            if len(changes) == count:
                break
    await stream.aclose()  # type: ignore[attr-defined]
    return changes


async def test_a_version_that_is_too_old_is_gone() -> None:
    event = b'{"type":"ERROR","object":{"kind":"Status","code":410,"message":"too old"}}\n'
    with pytest.raises(GoneError):
        await _watch_once(build_answer(event))


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(build_answer(b"<html>\n"), id="a web page"),
        pytest.param(build_answer(b"[1]\n"), id="a list"),
        pytest.param(build_answer(b"", status="500 Oops"), id="an error"),
        pytest.param(b"", id="a closed connection"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n{", id="half an event"
        ),
    ],
)
async def test_nonsense_breaks_the_stream(answer: bytes) -> None:
    with pytest.raises(OperatorError) as caught:
        await _watch_once(answer)
    assert not isinstance(caught.value, GoneError)


async def _watch_once(answer: bytes) -> None:
    async with serve(say(answer)) as url, KubernetesApi(connect_to(url)) as api:
        async for _ in KubernetesWatching(api, SERVICE).watch(1):
            pass
    raise UnreachableError("it ended")


async def test_an_informer_keeps_its_cache_exact(
    watching: KubernetesWatching, kube: KubeClient
) -> None:
    woken: list[Key] = []
    cache = ObjectCache()
    informer = Informer(watching, cache, woken.append)
    kube.create("services", build_service("one"))
    await informer.prime()
    task = asyncio.create_task(informer.run())
    wine = Key(kube.namespace, "wine")
    try:
        kube.create("services", build_service("two"))
        await eventually_async(lambda: len(cache.of_owner(wine)) == 2, deadline_seconds=5)
        woken.clear()
        kube.delete("services", "one")
        await eventually_async(lambda: len(cache.of_owner(wine)) == 1, deadline_seconds=5)
        assert wine in woken
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_child_that_changes_owners_wakes_both() -> None:
    def manifest(version: int, owner: str) -> Json:
        named = build_service("one", owner=owner)
        place = {"namespace": "ml", "uid": "u1", "resourceVersion": str(version)}
        return named | {"metadata": named["metadata"] | place}

    listing = {"items": [manifest(5, "wine")], "metadata": {"resourceVersion": "5"}}
    change = {"type": "MODIFIED", "object": manifest(6, "beer")}
    answers = [json.dumps(listing), json.dumps(change) + "\n"]

    async def answer_in_turn(writer: asyncio.StreamWriter) -> None:
        if not answers:
            await stay_silent(writer)
        writer.write(build_answer(answers.pop(0).encode()))
        await writer.drain()

    woken: list[Key] = []
    async with serve(answer_in_turn) as url, KubernetesApi(connect_to(url)) as api:
        informer = Informer(KubernetesWatching(api, SERVICE), ObjectCache(), woken.append)
        await informer.prime()
        woken.clear()
        task = asyncio.create_task(informer.run())
        await eventually_async(lambda: len(woken) == 2, deadline_seconds=5)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    assert sorted(woken) == [Key("ml", "beer"), Key("ml", "wine")]
