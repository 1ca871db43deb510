"""A server that behaves as no registry should, in the place of MLflow's in the cluster."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from regisseur_devcluster.demo.kubectl import Kubectl
from regisseur_devcluster.demo.mlflowserver import NAMESPACE, wait_for_mlflow
from regisseur_devcluster.endpoints import NODE_ADDRESS
from support.hostile_server import Behaviour, serve
from support.stage import Stage

MLFLOW = f"{NAMESPACE}/mlflow"
SERVICE = "mlflow"
SLICE = "mlflow-hostile"
NOBODY = "nobody"
START_SECONDS = 10.0


@contextmanager
def hostile_registry(stage: Stage, behaviour: Behaviour) -> Iterator[None]:
    """Take MLflow away for the time of a block and let something else answer at its address."""
    with _serving(behaviour) as port:
        select(stage.kubectl, NOBODY)
        stage.kubectl.apply(json.dumps(_build_slice(port)))
        stage.scale(MLFLOW, 0)  # a connection that is open would lead to it as before
        try:
            yield
        finally:
            stage.kubectl("delete", "endpointslice", SLICE, "-n", NAMESPACE)
            select(stage.kubectl, SERVICE)
            stage.scale(MLFLOW, 1)
            stage.wait_until_available(MLFLOW)
            wait_for_mlflow(stage.kubectl)


def select(kubectl: Kubectl, name: str) -> None:
    """Have the Service lead to the pods of a name."""
    patch = {"spec": {"selector": {"app.kubernetes.io/name": name}}}
    kubectl("patch", "service", SERVICE, "-n", NAMESPACE, "--type=merge", "-p", json.dumps(patch))


@contextmanager
def _serving(behaviour: Behaviour) -> Iterator[int]:
    """Run the server in a thread on the node's address; give its port."""
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    port: list[int] = []
    started = threading.Event()

    async def live() -> None:
        async with serve(behaviour, address=NODE_ADDRESS) as url:
            port.append(urlsplit(url).port or 0)
            started.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(live(),), name="hostile")
    thread.start()
    try:
        assert started.wait(START_SECONDS), "the hostile server does not start"
        yield port[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


def _build_slice(port: int) -> dict[str, object]:
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": SLICE,
            "namespace": NAMESPACE,
            "labels": {"kubernetes.io/service-name": SERVICE},
        },
        "addressType": "IPv4",
        "ports": [{"name": "http", "port": port, "protocol": "TCP"}],
        "endpoints": [{"addresses": [NODE_ADDRESS], "conditions": {"ready": True}}],
    }
