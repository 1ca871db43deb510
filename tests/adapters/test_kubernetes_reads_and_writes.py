"""The adapter of the port Cluster on a real API server, and on servers that misbehave."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from regisseur_contract.names import FIELD_MANAGER
from regisseur_devcluster.controlplane import ControlPlane
from regisseur_operator.adapters.kubernetes_api import KubernetesApi
from regisseur_operator.adapters.kubernetes_cluster import KubernetesCluster
from regisseur_operator.adapters.kubernetes_session import NoClusterError, load_connection
from regisseur_operator.api.reasons import Reason
from regisseur_operator.errors import (
    ConflictError,
    TerminalError,
    TransientError,
    UnreachableError,
)
from regisseur_operator.ports import Manifest
from regisseur_operator.resources import MODELDEPLOYMENT, SERVICE
from support.eventually import eventually_async
from support.hostile_server import build_answer, connect_to, serve, stay_silent
from support.kube_client import KubeClient
from support.modeldeployments import build_modeldeployment
from support.running_operator import connect


@pytest_asyncio.fixture
async def api(control_plane: ControlPlane) -> AsyncIterator[KubernetesApi]:
    async with KubernetesApi(connect(control_plane.kubeconfig)) as api:
        yield api


@pytest.fixture
def cluster(api: KubernetesApi) -> KubernetesCluster:
    return KubernetesCluster(api, MODELDEPLOYMENT)


def build_service(namespace: str, port: int = 80, **annotations: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "wine", "namespace": namespace, "annotations": annotations},
        "spec": {"ports": [{"port": port}], "selector": {"a": "b"}},
    }


async def test_what_is_not_there_reads_as_nothing(
    cluster: KubernetesCluster, namespace: str
) -> None:
    assert await cluster.read(SERVICE, namespace, "wine") is None


async def test_what_was_created_can_be_read_and_applied(
    cluster: KubernetesCluster, namespace: str
) -> None:
    created = await cluster.create(SERVICE, build_service(namespace))
    applied = await cluster.apply(SERVICE, build_service(namespace, 81))
    found = await cluster.read(SERVICE, namespace, "wine")

    assert found == applied
    assert applied["metadata"]["uid"] == created["metadata"]["uid"]
    assert [port["port"] for port in applied["spec"]["ports"]] == [81]


async def test_what_is_no_longer_said_is_taken_away(
    cluster: KubernetesCluster, namespace: str
) -> None:
    await cluster.create(SERVICE, build_service(namespace, note="old"))

    applied = await cluster.apply(SERVICE, build_service(namespace))

    assert "annotations" not in applied["metadata"]
    managers = {entry["manager"] for entry in applied["metadata"]["managedFields"]}
    assert managers == {FIELD_MANAGER}


async def test_a_taken_name_is_a_conflict(cluster: KubernetesCluster, namespace: str) -> None:
    await cluster.create(SERVICE, build_service(namespace))

    with pytest.raises(ConflictError):
        await cluster.create(SERVICE, build_service(namespace, 81))


async def test_an_apply_to_a_certain_object_does_not_make_another_one(
    cluster: KubernetesCluster, control_plane: ControlPlane, namespace: str
) -> None:
    created = await cluster.create(SERVICE, build_service(namespace))
    uid = created["metadata"]["uid"]
    KubeClient(control_plane, namespace).delete("services", "wine")
    manifest = build_service(namespace)
    manifest["metadata"]["uid"] = uid

    with pytest.raises(ConflictError):
        await cluster.apply(SERVICE, manifest)

    assert await cluster.read(SERVICE, namespace, "wine") is None


async def test_a_status_is_written_once_for_each_version(
    cluster: KubernetesCluster, control_plane: ControlPlane, namespace: str
) -> None:
    kube = KubeClient(control_plane, namespace)
    created = kube.create("modeldeployments", build_modeldeployment("wine", "wine"))
    del created["metadata"]["managedFields"]

    written = await cluster.write_status({**created, "status": {"phase": "Pending"}})

    assert written["status"] == {"phase": "Pending"}
    assert written["metadata"]["generation"] == created["metadata"]["generation"]
    with pytest.raises(ConflictError):
        await cluster.write_status({**created, "status": {"phase": "Healthy"}})
    kube.delete("modeldeployments", "wine")
    with pytest.raises(ConflictError):
        await cluster.write_status({**written, "status": {"phase": "Healthy"}})


async def test_a_refused_object_asks_for_a_person(
    cluster: KubernetesCluster, namespace: str
) -> None:
    with pytest.raises(TerminalError, match=r"spec\.ports\[0\]\.port") as caught:
        await cluster.create(SERVICE, build_service(namespace, 70000))

    assert caught.value.reason == Reason.INVALID_SPEC


async def test_a_missing_right_asks_for_a_person(
    control_plane: ControlPlane, namespace: str
) -> None:
    client = control_plane.authority.client("nobody", user="nobody")
    connection = connect(control_plane.client_kubeconfig("nobody.kubeconfig", client))
    async with KubernetesApi(connection) as api:
        with pytest.raises(TerminalError, match="nobody") as caught:
            await KubernetesCluster(api, MODELDEPLOYMENT).read(SERVICE, namespace, "wine")

    assert caught.value.reason == Reason.FORBIDDEN


async def test_a_missing_namespace_may_come(cluster: KubernetesCluster) -> None:
    with pytest.raises(TransientError):
        await cluster.create(SERVICE, build_service("no-such-namespace"))


# ---- servers that misbehave ----


async def test_overload_is_waited_out() -> None:
    answers = [
        build_answer(b'{"message": "slow down"}', status="429 Too Many Requests"),
        build_answer(b"oops", status="503 Service Unavailable"),
        b"",
        build_answer(b'{"metadata": {"name": "wine"}}'),
    ]

    async def answer_in_turn(writer: asyncio.StreamWriter) -> None:
        writer.write(answers.pop(0))
        await writer.drain()

    async with serve(answer_in_turn) as url, KubernetesApi(connect_to(url)) as api:
        found = await KubernetesCluster(api, MODELDEPLOYMENT).read(SERVICE, "ml", "wine")

    assert found == {"metadata": {"name": "wine"}}
    assert answers == []


async def test_a_silent_server_meets_a_deadline() -> None:
    async with serve(stay_silent) as url, KubernetesApi(connect_to(url)) as api:
        with pytest.raises(UnreachableError, match=r"within 0\.3 s"):
            await api.request("GET", "/", deadline_seconds=0.3)


async def test_a_renewal_never_waits_behind_workers_and_watches() -> None:
    asked = 0

    async def count_and_stay_silent(writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        await stay_silent(writer)

    async with (
        serve(count_and_stay_silent) as url,
        KubernetesApi(connect_to(url), workers=64) as api,
        asyncio.TaskGroup() as group,
    ):
        tasks = [group.create_task(api.request("GET", "/")) for _ in range(64 + 4 + 1)]
        await eventually_async(lambda: asked == len(tasks), deadline_seconds=10)
        for task in tasks:
            task.cancel()


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"", b"\xff"])
async def test_an_answer_that_is_no_object_is_no_answer(body: bytes) -> None:
    async def behave(writer: asyncio.StreamWriter) -> None:
        writer.write(build_answer(body))
        await writer.drain()

    async with serve(behave) as url, KubernetesApi(connect_to(url)) as api:
        with pytest.raises(UnreachableError):
            await api.request("GET", "/", attempts=1)


async def test_the_token_is_sent_and_read_again_for_each_request() -> None:
    heads: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(build_answer(json.dumps({}).encode()))
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    connection = connect_to(f"http://127.0.0.1:{port}")
    async with KubernetesApi(connection) as api:
        for token in ("first-example", "second-example"):
            connection.configuration.token = token
            await api.request("GET", "/")
    server.close()
    await server.wait_closed()

    assert [b"Bearer first-example" in head for head in heads] == [True, False]
    assert [b"Bearer second-example" in head for head in heads] == [False, True]


def test_no_configuration_is_said_in_a_line() -> None:
    with pytest.raises(NoClusterError, match="set KUBECONFIG"):
        load_connection("/nowhere")
