"""The control plane that the cluster tests stand on behaves like any other."""

import json
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from regisseur_devcluster.controlplane import ControlPlane
from regisseur_devcluster.errors import CommandError
from regisseur_devcluster.probes import answers
from support.control_plane import ForeignClusterError, refuse_foreign_cluster
from support.eventually import eventually

DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web"},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "image": "web:1"}]},
        },
    },
}


def test_controllers_turn_a_deployment_into_pods(
    control_plane: ControlPlane, namespace: str
) -> None:
    control_plane.kubectl("apply", "-n", namespace, "-f", "-", stdin=json.dumps(DEPLOYMENT))

    def pods() -> list[str]:
        return control_plane.kubectl("get", "pods", "-n", namespace, "-o", "name").split()

    eventually(lambda: len(pods()) == 2, deadline_seconds=30, describe="two pods")


def test_what_was_written_outlives_a_crash_of_the_api_server(
    control_plane: ControlPlane, namespace: str
) -> None:
    control_plane.kubectl("create", "configmap", "kept", "-n", namespace)

    control_plane.kill_apiserver()
    assert not control_plane.is_ready
    control_plane.restart_apiserver()

    control_plane.kubectl("get", "configmap", "kept", "-n", namespace)


def test_the_api_of_objects_owned_by_others_is_closed_to_those_who_may_not_delete_them(
    control_plane: ControlPlane, namespace: str
) -> None:
    as_nobody = ("--as=somebody", "-n", namespace)
    control_plane.kubectl("create", "configmap", "owner", "-n", namespace)
    control_plane.kubectl(
        "create", "role", "writer", "--verb=create,get", "--resource=configmaps", "-n", namespace
    )
    control_plane.kubectl(
        "create", "rolebinding", "writer", "--role=writer", "--user=somebody", "-n", namespace
    )
    uid = control_plane.kubectl(
        "get", "configmap", "owner", "-n", namespace, "-o", "jsonpath={.metadata.uid}"
    )
    owner = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "name": "owner",
        "uid": uid,
        "blockOwnerDeletion": True,
    }
    child = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "child", "ownerReferences": [owner]},
    }

    with pytest.raises(CommandError, match="blockOwnerDeletion"):
        control_plane.kubectl("create", *as_nobody, "-f", "-", stdin=json.dumps(child))


def test_two_stand_side_by_side_and_leave_nothing(
    control_plane: ControlPlane, start_own_control_plane: Callable[[], ControlPlane]
) -> None:
    other = start_own_control_plane()
    other.kubectl("create", "namespace", "only-here")

    assert "only-here" not in control_plane.kubectl("get", "namespaces", "-o", "name")

    processes = [daemon.identity for daemon in (other.etcd, other.apiserver, other.controllers)]
    other.remove()
    assert not any(process and process.is_alive() for process in processes)
    assert not other.folder.exists()


def test_starting_twice_starts_nothing_twice(control_plane: ControlPlane) -> None:
    before = control_plane.apiserver.identity

    control_plane.start()

    assert control_plane.apiserver.identity == before


def test_the_store_answers_nobody_without_a_certificate(control_plane: ControlPlane) -> None:
    assert answers(f"{control_plane.endpoints.etcd_health}/readyz")
    assert not answers(f"{control_plane.endpoints.etcd}/version")


def test_the_certificate_of_the_api_server_is_the_authority_s(
    control_plane: ControlPlane,
) -> None:
    port = control_plane.endpoints.api_port
    trusted = str(control_plane.certificate_authority)
    assert "CERTIFICATE" in ssl.get_server_certificate(("127.0.0.1", port), ca_certs=trusted)


def test_a_kubeconfig_that_leads_elsewhere_is_refused(
    control_plane: ControlPlane, tmp_path: Path
) -> None:
    foreign = tmp_path / "kubeconfig"
    foreign.write_text(control_plane.kubeconfig.read_text().replace("127.0.0.1", "192.0.2.7"))

    refuse_foreign_cluster(control_plane.kubeconfig)
    with pytest.raises(ForeignClusterError, match=r"192\.0\.2\.7"):
        refuse_foreign_cluster(foreign)
