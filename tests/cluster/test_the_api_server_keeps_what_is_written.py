"""What the operator writes is admitted by a real API server and comes back as it was said.

A field that the API server rewrites or drops would look like an edit for ever, and one that an
apply cannot take away again would stay in the pods.
"""

import json
from typing import Any

import pytest

from regisseur_operator.api.status import Lineage
from regisseur_operator.core.drift import find_drift, seal_desired
from regisseur_operator.core.observed import Observed
from regisseur_operator.core.roll import PodInputs, Roll
from regisseur_operator.core.trial import Trial
from regisseur_operator.resources.deployment import build_deployment
from regisseur_operator.resources.rehearsal import build_rehearsal_pod
from support.kube_client import KubeClient, KubeRefusedError
from support.modeldeployments import build_modeldeployment
from support.pod_parts import (
    NOW,
    POD_TEMPLATE,
    Json,
    build_everything,
    build_inputs,
    build_observed,
    to_pod_template,
)

SPREAD = {"topologyKey": "zone", "maxSkew": 1}
ODD_POD_TEMPLATE: Json = {
    "labels": {"team": ""},
    "nodeSelector": {"pool": ""},
    "tolerations": [
        {"operator": "Exists"},
        {"key": "a", "operator": "Equal", "value": "", "effect": "NoExecute"},
        {"key": "a", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 0},
    ],
    "affinity": {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [
                    {"matchExpressions": [{"key": "gpu", "operator": "Exists", "values": []}]}
                ]
            }
        },
        "podAntiAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": [
                {"topologyKey": "zone", "labelSelector": {}, "namespaces": []},
                {"topologyKey": "zone", "labelSelector": {"matchLabels": {"a": ""}}},
            ]
        },
    },
    "topologySpreadConstraints": [
        {**SPREAD, "whenUnsatisfiable": "DoNotSchedule", "minDomains": 2},
        {
            **SPREAD,
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchExpressions": [{"key": "a", "operator": "Exists"}]},
            "matchLabelKeys": ["pod-template-hash"],
            "nodeAffinityPolicy": "Honor",
        },
    ],
}
ADDED = {"affinity", "imagePullSecrets", "nodeSelector", "priorityClassName", "tolerations"}


@pytest.fixture
def observed(kube: KubeClient) -> Observed:
    """Return a ModelDeployment that is there: its children would be deleted otherwise."""
    created = kube.create("modeldeployments", build_modeldeployment("wine", "wine"))
    return build_observed(namespace=kube.namespace, uid=created["metadata"]["uid"], replicas=0)


@pytest.fixture
def restricted(kube: KubeClient) -> KubeClient:
    """Return the namespace, which admits only restricted pods from now on, and what pods need."""
    level = "pod-security.kubernetes.io/enforce=restricted"
    kube.plane.kubectl("label", "namespace", kube.namespace, level)
    needed: list[Json] = [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}}
        for name in ("default", "wine-reader")
    ]
    priority = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "value": 1}
    needed.append({**priority, "metadata": {"name": "important"}})
    everything = json.dumps({"apiVersion": "v1", "kind": "List", "items": needed})
    kube.plane.kubectl("apply", "-n", kube.namespace, "-f", "-", stdin=everything)
    return kube


def apply(kube: KubeClient, observed: Observed, inputs: PodInputs) -> tuple[Json, Json]:
    """Apply the Deployment as the operator does; return what was said and what became of it."""
    roll = Roll(1, None, None, NOW, inputs, lineage=Lineage(git_sha="abc"))
    desired = seal_desired(build_deployment(observed, roll))
    answer = kube.plane.kubectl(
        *("apply", "--server-side", "--field-manager=regisseur", "--force-conflicts"),
        *("--validate=strict", "-o", "json", "-f", "-"),
        stdin=json.dumps(desired),
    )
    return desired, json.loads(answer)


INPUTS: list[Any] = [
    pytest.param(build_inputs(), id="nothing special"),
    pytest.param(build_everything(), id="all there is"),
    pytest.param(
        build_inputs(pod_template=to_pod_template(ODD_POD_TEMPLATE)), id="what is oddly empty"
    ),
]


@pytest.mark.parametrize("inputs", INPUTS)
def test_what_was_said_comes_back_as_it_was_said(
    kube: KubeClient, observed: Observed, inputs: PodInputs
) -> None:
    desired, live = apply(kube, observed, inputs)
    _, again = apply(kube, observed, inputs)

    assert find_drift(live, desired) == []
    assert again["metadata"]["generation"] == live["metadata"]["generation"]


def test_what_is_no_longer_said_leaves_the_pods(kube: KubeClient, observed: Observed) -> None:
    _, full = apply(kube, observed, build_everything())
    desired, plain = apply(kube, observed, build_inputs())

    before, after = (entry["spec"]["template"] for entry in (full, plain))
    assert before["spec"].keys() >= ADDED
    assert not after["spec"].keys() & ADDED
    assert "envFrom" not in after["spec"]["initContainers"][0]
    assert "serviceAccountName" not in after["spec"]
    assert "team" not in after["metadata"]["labels"]
    names = [entry["name"] for entry in after["spec"]["containers"][0]["env"]]
    assert all(name.startswith("REGISSEUR_") for name in names)
    assert find_drift(plain, desired) == []


def test_a_strategy_can_be_changed_and_changed_back(kube: KubeClient, observed: Observed) -> None:
    recreate = build_observed(
        namespace=observed.key.namespace, uid=observed.uid, strategy={"recreate": {}}
    )

    kinds = []
    for wanted in (observed, recreate, observed):
        desired, live = apply(kube, wanted, build_inputs())
        kinds.append(live["spec"]["strategy"]["type"])
        assert find_drift(live, desired) == []

    assert kinds == ["RollingUpdate", "Recreate", "RollingUpdate"]


@pytest.mark.parametrize("inputs", INPUTS)
def test_a_rehearsal_is_admitted_where_only_restricted_pods_are(
    restricted: KubeClient, observed: Observed, inputs: PodInputs
) -> None:
    trial = Trial("a-b", inputs, Lineage(), "sha256:0", "mlflow-artifacts:/1/x", 60, "Minor", "Any")
    pod = build_rehearsal_pod(observed, trial)

    restricted.create("pods", pod)

    live = restricted.read("pods", "wine-rehearsal")
    # Admission adds tolerations to those of the pod, which nothing ever compares.
    said = {key: value for key, value in pod["spec"].items() if key != "tolerations"}
    assert find_drift(live, {**pod, "spec": said}) == []


def test_a_restricted_namespace_refuses_what_is_not_restricted(
    restricted: KubeClient, observed: Observed
) -> None:
    trial = Trial("a-b", build_inputs(), Lineage(), "", "", 60, "Minor", "Any")
    pod = build_rehearsal_pod(observed, trial)
    del pod["spec"]["securityContext"]

    with pytest.raises(KubeRefusedError, match="violates PodSecurity"):
        restricted.create("pods", pod)


def test_the_parts_say_all_that_a_pod_template_may(observed: Observed) -> None:
    """A field that is added to the allow-list is added to this test."""
    fields = set(type(observed.spec.serving.pod_template).model_fields)

    assert {name.replace("_", "").lower() for name in fields} == {
        name.lower() for name in POD_TEMPLATE
    }
