"""The operator with exactly the chart's rights does all it does, and uses every one of them."""

from collections.abc import Callable, Iterator
from functools import partial

import pytest
import yaml

from regisseur_contract.names import LABEL_MODELDEPLOYMENT
from regisseur_contract.tags import STAGE_PRODUCTION
from regisseur_devcluster.controlplane import ControlPlane
from regisseur_devcluster.errors import CommandError
from regisseur_operator.runtime.events import EventSender
from support.chart import MINIMAL, RELEASE, Manifest, apply, render
from support.eventually import eventually
from support.kube_client import Json
from support.mlflow_server import MlflowServer
from support.model_versions import create_model_version, transition
from support.modeldeployments import Subject
from support.running_operator import RunningOperator, build_settings, connect, graveyard
from support.used_rights import Right, list_granted, list_refused, list_used

OF_RIGHTS = ("ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")
FOR_OWNERS = Right("regisseur.dev", "modeldeployments/finalizers", "update")
"""Asked by the admission of children that block their owner's deletion, and by no request."""


EVERYWHERE = "everywhere"
ONE_NAMESPACE = "one namespace"


@pytest.fixture
def scope() -> str:
    """Return where the operator works, unless a test says otherwise."""
    return EVERYWHERE


@pytest.fixture
def rights(control_plane: ControlPlane, namespace: str, scope: str) -> Iterator[list[Manifest]]:
    """Apply the chart's account and roles, as a release in the test's namespace."""
    watched = ("--set", f"watchNamespaces={{{namespace}}}") if scope == ONE_NAMESPACE else ()
    rendered = render(*MINIMAL, *watched, namespace=namespace)
    manifests = [m for m in rendered if m["kind"] in OF_RIGHTS]
    own = [m for m in manifests if "aggregate" not in str(m["metadata"].get("labels", {}))]
    for manifest in own:
        apply(control_plane, manifest)
    yield own
    for manifest in own:
        if manifest["kind"].startswith("Cluster"):
            control_plane.kubectl("delete", manifest["kind"], manifest["metadata"]["name"])


@pytest.fixture
def operator(
    control_plane: ControlPlane,
    namespace: str,
    rights: list[Manifest],
    mlflow_server: MlflowServer,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[RunningOperator]:
    """Run the operator as the chart's account, with Events that are counted up soon."""
    monkeypatch.setattr(
        "regisseur_operator.parts.EventSender", partial(EventSender, repeat_seconds=0.1)
    )
    kubeconfig = control_plane.folder / f"{namespace}.account"
    document = yaml.safe_load(control_plane.kubeconfig.read_text())
    token = control_plane.kubectl("create", "token", RELEASE, "-n", namespace).strip()
    document["users"][0]["user"] = {"token": token}
    kubeconfig.write_text(yaml.safe_dump(document))
    settings = build_settings(namespace, mlflow_server.url)
    is_everywhere = any(manifest["kind"] == "ClusterRole" for manifest in rights)
    watched = () if is_everywhere else (namespace,)
    settings = settings.model_copy(update={"lease_name": RELEASE, "namespaces": watched})
    with graveyard() as operators:
        operators.append(RunningOperator(settings, connect(kubeconfig)).start())
        yield operators[0]


@pytest.fixture
def promote(mlflow_server: MlflowServer, model_name: str) -> Callable[[], int]:
    """Return a function that brings another version to Production and returns its number."""

    def promote() -> int:
        version = create_model_version(mlflow_server, model_name)
        transition(mlflow_server, model_name, version, STAGE_PRODUCTION)
        return int(version)

    return promote


def spoil(subject: Subject, plural: str, change: Json) -> None:
    """Edit a child, and wait until that is put right."""
    before = subject.kube.read(plural, subject.name)["spec"]
    subject.kube.patch(plural, subject.name, {"spec": change})
    eventually(
        lambda: subject.kube.read(plural, subject.name)["spec"] == before,
        deadline_seconds=20,
        describe=f"{plural} is as it was",
    )


def lose(subject: Subject, plural: str) -> None:
    """Delete a child, and wait until it is there again."""
    uid = subject.kube.read(plural, subject.name)["metadata"]["uid"]
    subject.kube.delete(plural, subject.name)
    eventually(
        lambda: (
            (found := subject.kube.get(plural, subject.name)) is not None
            and found["metadata"]["uid"] != uid
        ),
        deadline_seconds=20,
        describe=f"{plural} is there again",
    )


def live_a_life(subject: Subject, model: str, promote: Callable[[], int]) -> None:
    """Have everything happen to a ModelDeployment that makes the operator write something."""
    requests = {"resources": {"requests": {"cpu": "50m"}}}
    autoscaling = {"minReplicas": 1, "maxReplicas": 2}
    version = promote()
    subject.create(model, serving=requests, autoscaling=autoscaling, revisionHistoryLimit=1)
    subject.wait_until_served(version)
    spoil(subject, "services", {"selector": {LABEL_MODELDEPLOYMENT: "another"}})
    spoil(subject, "poddisruptionbudgets", {"maxUnavailable": 3})
    spoil(subject, "horizontalpodautoscalers", {"maxReplicas": 9})
    for _ in range(2):
        lose(subject, "poddisruptionbudgets")
    for _ in range(3):
        subject.wait_until_served(promote())
    subject.kube.patch("modeldeployments", subject.name, {"spec": {"autoscaling": None}})
    eventually(
        lambda: subject.kube.get("horizontalpodautoscalers", subject.name) is None,
        deadline_seconds=20,
        describe="the autoscaler is gone",
    )


@pytest.mark.parametrize("scope", [EVERYWHERE, ONE_NAMESPACE])
@pytest.mark.usefixtures("kubelet", "operator")
def test_no_right_is_missing_and_none_is_too_much(
    control_plane: ControlPlane,
    rights: list[Manifest],
    subject: Subject,
    model_name: str,
    promote: Callable[[], int],
) -> None:
    user = f"system:serviceaccount:{subject.kube.namespace}:{RELEASE}"
    granted = list_granted(m for m in rights if m["kind"] in {"ClusterRole", "Role"})

    live_a_life(subject, model_name, promote)

    def list_unused() -> set[Right]:
        return granted - list_used(control_plane.audit_log, user) - {FOR_OWNERS}

    eventually(
        lambda: not list_unused(),
        deadline_seconds=10,
        describe=lambda: f"no right is unused; {list_unused()}",
    )
    assert list_refused(control_plane.audit_log, user) == []


def test_children_need_the_right_to_block_their_owner(
    control_plane: ControlPlane, rights: list[Manifest], subject: Subject, model_name: str
) -> None:
    """Without it no child could be made: the right that no request shows is used."""
    role = next(m for m in rights if m["kind"] == "ClusterRole")
    lesser = [r for r in role["rules"] if "modeldeployments/finalizers" not in r["resources"]]
    apply(control_plane, {**role, "rules": lesser})
    owner = subject.create(model_name)
    reference = {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": subject.name,
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "child",
            "namespace": subject.kube.namespace,
            "ownerReferences": [reference],
        },
        "spec": {"ports": [{"port": 80}]},
    }
    account = f"--as=system:serviceaccount:{subject.kube.namespace}:{RELEASE}"

    def is_refused() -> bool:
        try:
            apply(control_plane, service, account, "--dry-run=server")
        except CommandError as error:
            return "cannot set blockOwnerDeletion" in str(error)
        return False

    eventually(is_refused, deadline_seconds=10, describe="a child is refused")
    apply(control_plane, role)
    eventually(lambda: not is_refused(), deadline_seconds=10, describe="a child is taken")
