"""The cluster with a node comes, stays one, survives, and goes without a trace."""

import json
import os
import shutil
import signal
import tempfile
import uuid
from pathlib import Path

import pytest

from regisseur_devcluster.cluster import Cluster
from regisseur_devcluster.errors import DevclusterError
from regisseur_devcluster.images import pause_image
from regisseur_devcluster.node.leftovers import live_processes
from support.eventually import eventually
from support.machine import changes, observe_machine, processes_with

CLAIM = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "data"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}},
}
SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "sleeper"},
    "spec": {
        "type": "NodePort",
        "selector": {"app": "sleeper"},
        "ports": [{"port": 80, "targetPort": 8080, "nodePort": 30999}],
    },
}


def pod() -> dict[str, object]:
    """Return a pod that uses what leaves traces: a volume, a host port, a network of its own."""
    container = {
        "name": "sleeper",
        "image": pause_image().latest,
        "ports": [{"containerPort": 8080, "hostPort": 30998}],
    }
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "sleeper", "labels": {"app": "sleeper"}},
        "spec": {"containers": [container], "volumes": [volume]},
    }


@pytest.fixture
def mark(monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a mark that every process started from now on carries in its environment."""
    value = uuid.uuid4().hex
    monkeypatch.setenv("REGISSEUR_TEST_MARK", value)
    return value


@pytest.mark.parametrize("is_killed", [False, True], ids=["while it runs", "after a kill -9"])
def test_down_leaves_the_machine_as_it_was(
    vacant_node: Cluster, mark: str, *, is_killed: bool
) -> None:
    pause_image()
    before = observe_machine()
    vacant_node.up()
    run_pod(vacant_node)
    vacant_node.start_metrics()
    assert changes(before, observe_machine())

    if is_killed:
        kill_everything(vacant_node)
    assert vacant_node.down()

    assert changes(before, observe_machine()) == []
    eventually(lambda: not processes_with(mark), deadline_seconds=10, describe="no process left")
    assert not vacant_node.layout.folder.exists()


def test_up_twice_is_one_cluster(vacant_node: Cluster) -> None:
    vacant_node.up()
    first = [daemon.identity for daemon in vacant_node.daemons]

    vacant_node.up()

    assert [daemon.identity for daemon in vacant_node.daemons] == first
    assert all(first)


def test_parts_without_a_pid_file_do_not_stand_in_the_way(vacant_node: Cluster) -> None:
    vacant_node.up()
    shutil.rmtree(vacant_node.layout.folder / "pids")

    vacant_node.up()

    assert all(daemon.identity for daemon in vacant_node.daemons)


def test_up_after_a_kill_of_everything_brings_the_pods_back(vacant_node: Cluster) -> None:
    vacant_node.up()
    run_pod(vacant_node)
    sandbox = pod_address(vacant_node)

    kill_everything(vacant_node)
    assert not vacant_node.is_up
    vacant_node.up()

    eventually(lambda: pod_address(vacant_node) != sandbox, deadline_seconds=60)
    wait_for_pod(vacant_node)


def test_a_second_cluster_with_a_node_is_refused(vacant_node: Cluster, tmp_path: Path) -> None:
    vacant_node.up()
    other = Cluster(short_folder(tmp_path))

    with pytest.raises(DevclusterError, match="another cluster with a node runs") as refusal:
        other.up()

    assert f"REGISSEUR_STATE={vacant_node.layout.folder.parent} make cluster-down" in str(
        refusal.value
    )
    assert not other.down()
    assert vacant_node.is_up


def test_a_dead_cluster_s_claim_to_the_node_is_swept_away(
    vacant_node: Cluster, tmp_path: Path
) -> None:
    other = Cluster(short_folder(tmp_path))
    before = observe_machine()
    other.up()
    run_pod(other)
    kill_everything(other)

    vacant_node.up()

    assert not other.layout.folder.exists()
    vacant_node.down()
    assert changes(before, observe_machine()) == []


def run_pod(cluster: Cluster) -> None:
    """Create the pod with all it uses and wait until it runs."""
    objects = {"apiVersion": "v1", "kind": "List", "items": [CLAIM, SERVICE, pod()]}
    eventually(
        lambda: cluster.plane.kubectl("get", "serviceaccounts", "-o", "name"), deadline_seconds=20
    )
    cluster.plane.kubectl("apply", "-f", "-", stdin=json.dumps(objects))
    wait_for_pod(cluster)


def wait_for_pod(cluster: Cluster) -> None:
    """Wait until the pod is ready, after a restart for the second time."""
    cluster.plane.kubectl("wait", "--for=condition=Ready", "--timeout=60s", "pod/sleeper")


def pod_address(cluster: Cluster) -> str:
    """Return the address of the pod, which changes with its network namespace."""
    return cluster.plane.kubectl("get", "pod", "sleeper", "-o", "jsonpath={.status.podIP}")


def kill_everything(cluster: Cluster) -> None:
    """Do what the end of a session or a power cut does to processes."""
    processes = live_processes(cluster.layout)
    for process in processes:
        os.kill(process.pid, signal.SIGKILL)
    eventually(lambda: not live_processes(cluster.layout), deadline_seconds=10)


def short_folder(folder: Path) -> Path:
    """Return a folder with a name short enough for sockets."""
    return Path(tempfile.gettempdir()) / f"regisseur-{folder.name[-20:]}"
