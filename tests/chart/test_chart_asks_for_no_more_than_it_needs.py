"""A real API server takes the release, and the operator's rights end where its work ends."""

import json
from pathlib import Path
from typing import Any

import pytest

from regisseur_devcluster.controlplane import ControlPlane
from regisseur_devcluster.errors import CommandError
from support.chart import NAMESPACE, RELEASE, VALUES_FILES, Manifest, apply, render, select
from support.eventually import eventually

OPERATOR = f"system:serviceaccount:{NAMESPACE}:{RELEASE}"
MODELDEPLOYMENTS = "modeldeployments.regisseur.dev"
KNOWN_VERBS = {"get", "list", "watch", "create", "patch", "update", "delete"}


def rules(manifests: list[Manifest]) -> list[dict[str, Any]]:
    """Return the rules of the operator's own roles."""
    return [rule for kind in ("ClusterRole", "Role") for rule in select(manifests, kind)["rules"]]


@pytest.mark.parametrize("values", VALUES_FILES, ids=lambda path: path.name)
@pytest.mark.usefixtures("restricted_namespace")
def test_the_api_server_takes_every_object(control_plane: ControlPlane, values: Path) -> None:
    for manifest in render("--values", values):
        assert "dry run" in apply(control_plane, manifest, "--dry-run=server")


def test_the_operators_pod_wants_nothing_special(
    control_plane: ControlPlane, release: list[Manifest]
) -> None:
    template = select(release, "Deployment")["spec"]["template"]
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**template["metadata"], "name": "probe", "namespace": NAMESPACE},
        "spec": template["spec"],
    }
    assert "dry run" in apply(control_plane, pod, "--dry-run=server")

    greedy = {**pod, "spec": {**pod["spec"], "hostNetwork": True}}
    with pytest.raises(CommandError, match='violates PodSecurity "restricted'):
        apply(control_plane, greedy, "--dry-run=server")


def test_the_operator_has_no_verb_on_secrets(release: list[Manifest]) -> None:
    for rule in rules(release):
        assert "secrets" not in rule["resources"]
        assert "*" not in rule["resources"] + rule["verbs"] + rule["apiGroups"]
        assert set(rule["verbs"]) <= KNOWN_VERBS


def is_allowed(
    control_plane: ControlPlane, user: str, verb: str, resource: str, **where: str
) -> bool:
    """Ask the API server whether a user may do something with `resource.group/subresource`."""
    path, _, subresource = resource.partition("/")
    name, _, group = path.partition(".")
    attributes = {"verb": verb, "resource": name, "group": group, "subresource": subresource}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": user, "resourceAttributes": attributes | {"namespace": "default"} | where},
    }
    answer = control_plane.kubectl("create", "-o", "json", "-f", "-", stdin=json.dumps(review))
    return bool(json.loads(answer)["status"]["allowed"])


@pytest.mark.parametrize(
    ("verb", "resource", "expected"),
    [
        pytest.param("list", "modeldeployments.regisseur.dev", True, id="it follows resources"),
        pytest.param("update", "modeldeployments.regisseur.dev/status", True, id="and answers"),
        pytest.param("update", "modeldeployments.regisseur.dev", False, id="never in the spec"),
        pytest.param("patch", "modeldeployments.regisseur.dev", False, id="nor its annotations"),
        pytest.param("create", "deployments.apps", True, id="it makes pods by Deployments"),
        pytest.param("patch", "services", True, id="it applies Services"),
        pytest.param("patch", "poddisruptionbudgets.policy", True, id="it applies budgets"),
        pytest.param("delete", "deployments.apps", False, id="it stops nothing that serves"),
        pytest.param("delete", "services", False, id="it takes no Service away"),
        pytest.param("create", "pods", True, id="it rehearses in pods of its own"),
        pytest.param("delete", "pods", True, id="which it takes away afterwards"),
        pytest.param("patch", "pods", False, id="it changes no pod"),
        pytest.param("update", "pods", False, id="in no way"),
        pytest.param("create", "controllerrevisions.apps", True, id="it keeps revisions"),
        pytest.param("delete", "controllerrevisions.apps", True, id="not for ever"),
        pytest.param("patch", "controllerrevisions.apps", False, id="it rewrites no history"),
        pytest.param("list", "replicasets.apps", True, id="it asks whose a pod is"),
        pytest.param("delete", "replicasets.apps", False, id="and no more"),
        pytest.param(
            "delete",
            "horizontalpodautoscalers.autoscaling",
            True,
            id="an autoscaler that is no longer asked for goes",
        ),
        pytest.param("create", "pods/exec", False, id="it enters no pod"),
        pytest.param("get", "secrets", False, id="it reads no secret"),
        pytest.param("list", "secrets", False, id="it lists no secrets"),
        pytest.param("create", "clusterroles.rbac.authorization.k8s.io", False, id="nor rights"),
        pytest.param("create", "serviceaccounts/token", False, id="it borrows no identity"),
        pytest.param(
            "list",
            "customresourcedefinitions.apiextensions.k8s.io",
            False,
            id="it knows its own definition",
        ),
    ],
)
@pytest.mark.usefixtures("release")
def test_the_operators_rights_end_where_its_work_ends(
    control_plane: ControlPlane, verb: str, resource: str, expected: bool
) -> None:
    assert is_allowed(control_plane, OPERATOR, verb, resource) is expected


@pytest.mark.parametrize(
    ("name", "namespace", "expected"),
    [
        pytest.param(RELEASE, NAMESPACE, True, id="its own Lease"),
        pytest.param("another", NAMESPACE, False, id="another Lease"),
        pytest.param(RELEASE, "kube-system", False, id="a Lease elsewhere"),
    ],
)
@pytest.mark.usefixtures("release")
def test_the_operator_holds_only_its_own_lease(
    control_plane: ControlPlane, name: str, namespace: str, expected: bool
) -> None:
    lease = "leases.coordination.k8s.io"
    where = {"name": name, "namespace": namespace}
    assert is_allowed(control_plane, OPERATOR, "update", lease, **where) is expected


@pytest.mark.parametrize(
    ("role", "verb", "expected"),
    [
        pytest.param("edit", "create", True, id="who may edit a namespace may deploy models"),
        pytest.param("view", "list", True, id="who may look may look at them"),
        pytest.param("view", "create", False, id="who may only look deploys none"),
    ],
)
@pytest.mark.usefixtures("release")
def test_the_clusters_own_roles_know_the_resource(
    control_plane: ControlPlane, namespace: str, role: str, verb: str, expected: bool
) -> None:
    binding = ("create", "rolebinding", role, f"--clusterrole={role}", "--user=someone")
    control_plane.kubectl(*binding, "-n", namespace)

    def settled() -> bool:
        look = is_allowed(control_plane, "someone", "list", MODELDEPLOYMENTS, namespace=namespace)
        act = is_allowed(control_plane, "someone", verb, MODELDEPLOYMENTS, namespace=namespace)
        return look and act is expected

    eventually(settled, deadline_seconds=20, describe=f"{role} is aggregated")
