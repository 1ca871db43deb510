"""The end of a server under load: a new one is there, connections are pinned to the old one."""

import asyncio
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.eventually import eventually, eventually_async
from support.model_folders import ModelFolder
from support.pinned_clients import Client, Kind, Service
from support.serving_process import ServingProcess

pytestmark = pytest.mark.timeout(60, func_only=True)
"""Most of that is for the start of a server on a busy machine."""

CLIENTS = 4
REQUESTS = 20
ENDPOINT_LAG_SECONDS = 0.5
"""So long the old server still gets new connections, as with kube-proxy."""

MOST_ENDS = 5
WITHOUT_FAREWELL = (
    "import sys; sys.argv[1:] = ['serve'];"
    "from regisseur_serving.api import lifecycle;"
    "lifecycle._FAREWELL = (b'x-nothing', b'1');"
    "from regisseur_serving.__main__ import main; sys.exit(main())"
)


async def replace_under_load(
    kind: Kind, old: ServingProcess, new: ServingProcess, folder: ModelFolder
) -> list[Client]:
    service = Service(old.port)
    body = {"records": folder.records(1)}
    clients = [Client(kind, service, body) for _ in range(CLIENTS)]
    stop = asyncio.Event()

    async def progress() -> None:
        goal = [client.answered + len(client.failures) + REQUESTS for client in clients]
        await eventually_async(
            lambda: all(
                c.answered + len(c.failures) >= g for c, g in zip(clients, goal, strict=True)
            ),
            deadline_seconds=10,
        )

    async with asyncio.TaskGroup() as group:
        for client in clients:
            group.create_task(client.run(stop))
        await progress()
        old.terminate()
        await asyncio.sleep(ENDPOINT_LAG_SECONDS)
        service.port = new.port
        await asyncio.to_thread(old.wait)
        await progress()
        stop.set()
    return clients


@pytest.fixture(scope="module")
def new(
    linear_folder: ModelFolder, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServingProcess]:
    with ServingProcess(linear_folder.path, tmp_path_factory.mktemp("new")) as server:
        server.wait_until_ready()
        yield server


@pytest.mark.parametrize("kind", list(Kind))
async def test_no_client_loses_a_request(
    kind: Kind, new: ServingProcess, linear_folder: ModelFolder, tmp_path: Path
) -> None:
    with ServingProcess(linear_folder.path, tmp_path, drain_seconds=1.5) as old:
        await asyncio.to_thread(old.wait_until_ready)
        clients = await replace_under_load(kind, old, new, linear_folder)
    assert {client.kind: client.failures for client in clients if client.failures} == {}


@pytest.mark.timeout(90)
async def test_without_the_farewell_the_trusting_client_does(
    new: ServingProcess, linear_folder: ModelFolder, tmp_path: Path
) -> None:
    """Whether anybody sends at the very moment when connections are closed is chance."""
    command = (sys.executable, "-c", WITHOUT_FAREWELL)
    lost = 0
    for number in range(MOST_ENDS):
        folder = tmp_path / str(number)
        folder.mkdir()
        with ServingProcess(linear_folder.path, folder, drain_seconds=1.5, command=command) as old:
            await asyncio.to_thread(old.wait_until_ready)
            clients = await replace_under_load(Kind.TRUSTING, old, new, linear_folder)
        lost += sum(len(client.failures) for client in clients)
        if lost:
            break
    assert lost


def test_a_request_in_flight_is_answered_after_the_drain(
    linear_folder: ModelFolder, tmp_path: Path
) -> None:
    with ServingProcess(linear_folder.path, tmp_path, drain_seconds=0.2) as server:
        server.wait_until_ready()
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
            connection.sendall(
                b"POST /predict HTTP/1.1\r\nHost: test\r\nContent-Length: 11\r\n\r\n"
            )
            server.terminate()

            def is_closed() -> bool:
                try:
                    socket.create_connection(("127.0.0.1", server.port), timeout=1).close()
                except ConnectionRefusedError:
                    return True
                return False

            eventually(is_closed, deadline_seconds=5)
            assert server.ask_admin("/readyz").json == {"status": "draining"}
            connection.sendall(b'{"records":')
            answer = connection.recv(65536)
        assert answer.startswith(b"HTTP/1.1 400")
        assert b"\r\nconnection: close\r\n" in answer
        assert server.wait() == 0


@pytest.mark.parametrize("drain_seconds", [0.0, 0.3])
def test_idle_connections_do_not_keep_it_alive(
    linear_folder: ModelFolder, tmp_path: Path, drain_seconds: float
) -> None:
    with ServingProcess(linear_folder.path, tmp_path, drain_seconds=drain_seconds) as server:
        server.wait_until_ready()
        with (
            socket.create_connection(("127.0.0.1", server.port)),
            socket.create_connection(("127.0.0.1", server.admin_port)) as scraper,
        ):
            scraper.sendall(b"GET /metrics HTTP/1.1\r\n")
            server.terminate()
            assert server.wait() == 0
    assert server.log.read_text().splitlines()[-1].endswith("stopped")
